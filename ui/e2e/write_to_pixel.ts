/** Measures, for `cargo xtask bench`: from a row written to a live run to its value on the page. Prints the median. */
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser, openPage, removeFolder, scratch, Viewer, writeRun } from "./viewer";

const id = "20260301_120000_facade";
const times = 15;
const home = scratch();
const root = join(home, "root");
const dir = writeRun(root, { id, path: "bench/live" });
let viewer: Viewer;

function write(step: number): void {
  const now = Date.now() / 1000;
  const data = { loss: 1000 + step, global_step: step, time: now };
  appendFileSync(join(dir, "events.jsonl"), `${JSON.stringify({ ts: now, type: "metrics", data })}\n`);
}

beforeAll(async () => {
  for (let step = 0; step < 100; step += 1) write(step);
  viewer = await Viewer.start(root, home);
});

afterAll(async () => {
  await viewer?.stop();
  await removeFolder(home);
});

test("a written point is on the screen soon", async () => {
  const browser = await openBrowser();
  const { page } = await openPage(browser);
  await page.goto(`${viewer.address}/run/${id}`);
  const chart = page.locator('article[data-metric="loss"]');
  await chart.locator("canvas").waitFor();
  const millis: number[] = [];
  for (let step = 100; step < 100 + times; step += 1) {
    const value = String(1000 + step);
    // Looks once a frame, after the frame's drawing; the page and this program read the same clock.
    const seen = chart.evaluate(
      (card, wanted) =>
        new Promise<number>((done) => {
          const look = () => {
            const shown = card.textContent?.replaceAll(/[,\s]/g, "").includes(wanted);
            if (shown) requestAnimationFrame(() => done(Date.now()));
            else requestAnimationFrame(look);
          };
          look();
        }),
      value,
    );
    const written = Date.now();
    write(step);
    millis.push((await seen) - written);
  }
  await browser.close();
  millis.sort((a, b) => a - b);
  const median = millis[Math.floor(times / 2)] as number;
  process.stdout.write(`median_millis=${median} all=${millis.join(" ")}\n`);
  expect(median).toBeGreaterThan(0);
});
