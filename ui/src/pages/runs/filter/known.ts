/** What the rows of a list know: the values that a search can name, each with the number of runs that have it. */
import type { Row } from "./terms";

export type Counts = ReadonlyMap<string, number>;

export interface Known {
  status: Counts;
  tag: Counts;
  host: Counts;
  /** Folders with runs in or below them. */
  path: Counts;
  /** Folders that have folders in them. */
  parents: ReadonlySet<string>;
  /** Names of the best metrics. */
  metrics: Counts;
  /** Further names that can be compared: configuration, summary, metrics. */
  recorded: readonly string[];
}

function count(counts: Map<string, number>, name: string, more = 1): void {
  if (name !== "") counts.set(name, (counts.get(name) ?? 0) + more);
}

/** The most frequent first. */
const ranked = (counts: Map<string, number>): Counts => new Map([...counts].sort((a, b) => b[1] - a[1]));

export function gather(rows: readonly Row[], recorded: readonly string[] = []): Known {
  const status = new Map<string, number>();
  const tag = new Map<string, number>();
  const host = new Map<string, number>();
  const metrics = new Map<string, number>();
  const paths = new Map<string, number>();
  for (const row of rows) {
    count(status, row.status);
    count(host, row.origin?.name ?? "");
    count(metrics, row.best_metric_name ?? "");
    count(paths, row.path ?? "");
    for (const name of row.tags) count(tag, name);
  }
  const path = new Map<string, number>();
  const parents = new Set<string>();
  for (const [folder, runs] of paths) {
    for (let end = folder.length; end > 0; end = folder.lastIndexOf("/", end - 1)) {
      if (end < folder.length) parents.add(folder.slice(0, end));
      count(path, folder.slice(0, end), runs);
    }
  }
  return {
    status: ranked(status),
    tag: ranked(tag),
    host: ranked(host),
    path: ranked(path),
    parents,
    metrics: ranked(metrics),
    recorded: recorded.filter((name) => !metrics.has(name)),
  };
}
