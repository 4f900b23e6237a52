/** The search for spilled secrets: what a test wrote, started and printed is read before it goes. */
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A part of every secret that these tests use and of nothing else, as it is and in base64 at each of three places. */
const marks = ["hush7q", "aHVzaDdx", "h1c2g3c", "odXNoN3"];

/** Read whole at most; what is larger is the pushed viewer. */
const limitBytes = 64 << 20;

export function hasSecret(text: string | Buffer): boolean {
  return marks.some((mark) => text.includes(mark));
}

/** Fails when a secret is in a file or in a name below a folder. */
export function searchFolder(folder: string): void {
  for (const entry of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const path = join(folder, entry);
    if (hasSecret(entry) || hasSecret(contentOf(path))) throw new Error(`a secret was written to ${path}`);
  }
}

/** Fails when a secret is in the arguments or in the environment of a process. */
export function searchProcess(pid: number | undefined): void {
  for (const what of ["cmdline", "environ"])
    if (hasSecret(read(`/proc/${pid}/${what}`))) throw new Error(`a secret was told to process ${pid}`);
}

function contentOf(path: string): string | Buffer {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat?.isFile() && stat.size < limitBytes ? read(path) : "";
}

/** What goes while it is looked at holds nothing. */
function read(path: string): string | Buffer {
  try {
    return readFileSync(path);
  } catch {
    return "";
  }
}
