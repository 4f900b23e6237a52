/** Two code snapshots file by file. Pure. */

export interface CodeFile {
  path: string;
  bytes: number;
}

/** `unread`: of the same length in both; only their texts tell. `unknown`: their texts could not be read, or are too many. */
export type FileChange = "added" | "removed" | "changed" | "same" | "unread" | "unknown";

export interface ComparedFile {
  path: string;
  change: FileChange;
  before: number | null;
  after: number | null;
}

const order = new Intl.Collator("en", { numeric: true });

/** Files of either snapshot by path; of those in both only the length is known so far. */
export function compareFiles(before: readonly CodeFile[], after: readonly CodeFile[]): ComparedFile[] {
  const old = new Map(before.map((file) => [file.path, file.bytes]));
  const now = new Map(after.map((file) => [file.path, file.bytes]));
  return [...new Set([...old.keys(), ...now.keys()])].sort(order.compare).map((path) => {
    const [was, is] = [old.get(path) ?? null, now.get(path) ?? null];
    const change = was === null ? "added" : is === null ? "removed" : was === is ? "unread" : "changed";
    return { path, change, before: was, after: is };
  });
}

/** Files whose texts must be looked at, the shortest first, as many as are worth reading. */
export function worthReading(files: readonly ComparedFile[], most: number, bytes: number): ComparedFile[] {
  let left = bytes;
  return files
    .filter((file) => file.change === "unread")
    .sort((a, b) => (a.before ?? 0) - (b.before ?? 0))
    .slice(0, most)
    .filter((file) => {
      left -= file.before ?? 0;
      return left >= 0;
    });
}
