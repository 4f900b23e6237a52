/** Fails when the script of the first page outgrows its budget (gzip, bytes), and prints what it weighs. */
import { readFileSync } from "node:fs";

const budgetBytes = 120 * 1024;
const page = readFileSync(new URL("dist/index.html", import.meta.url), "utf8");
const scripts = [...page.matchAll(/(?:src|href)="(\/assets\/[^"]+\.js)"/g)].map((found) => found[1]);
if (scripts.length === 0) throw new Error("dist/index.html names no script: run the build first");
const bytes = scripts.reduce(
  (sum, path) => sum + readFileSync(new URL(`dist${path}.gz`, import.meta.url)).length,
  0,
);
process.stdout.write(`first page: ${(bytes / 1024).toFixed(1)} of ${budgetBytes / 1024} kB of script\n`);
process.exit(bytes > budgetBytes ? 1 : 0);
