/** Which runs are shown and in what order: pure functions over the rows and the address. */
import type { RunRow } from "../../api/wire";
import type { Row, RowTest } from "./filter/terms";

export interface SortOrder {
  key: string;
  descending: boolean;
}

const newestFirst: SortOrder = { key: "started", descending: true };

/** `-best,started` in the address: by the best value, largest first, and equal ones by their start. */
export function sortsOf(text: string): SortOrder[] {
  const parts = text.split(",").filter((part) => part !== "" && part !== "-");
  const sorts = parts.map((part) => {
    const key = part.replace(/^-/, "").replaceAll("%2C", ",").replaceAll("%25", "%");
    return { key, descending: part.startsWith("-") };
  });
  return sorts.length === 0 ? [newestFirst] : sorts;
}

/** A comma in a column's key does not part it. */
export function sortsText(sorts: readonly SortOrder[]): string {
  const texts = sorts.map(({ key, descending }) => {
    const plain = key.replaceAll("%", "%25").replaceAll(",", "%2C");
    return (descending ? "-" : "") + plain;
  });
  return texts.join() === "-started" ? "" : texts.join();
}

/**
 * The order after a click on a column's head: by that column alone, the other way at the second click. An added one comes
 * last; more clicks turn it round and then take it out. `descends`: which way the column goes at first.
 */
export function sortedNext(
  sorts: readonly SortOrder[],
  key: string,
  descends: boolean,
  add: boolean,
): SortOrder[] {
  const at = sorts.findIndex((sort) => sort.key === key);
  const turned = { key, descending: !sorts[at]?.descending };
  const fresh = { key, descending: descends };
  if (!add) return [at === 0 ? turned : fresh];
  if (at < 0) return [...sorts, fresh];
  const isTurned = sorts[at]?.descending !== descends;
  return isTurned && sorts.length > 1 ? sorts.toSpliced(at, 1) : sorts.with(at, turned);
}

export const startOf = (row: RunRow): number | null => row.started_at ?? row.created_at;

/** Length of the run so far; a run that is not over is still counting. */
export function durationOf(row: RunRow, nowSecs: number): number | null {
  const start = startOf(row);
  if (start === null) return null;
  const end = row.ended_at ?? (row.status === "running" ? nowSecs : row.last_write_at);
  return end === null ? null : Math.max(0, end - start);
}

/** What a person calls the run. */
export const nameOf = (row: RunRow): string => row.alias ?? row.id;

const collator = new Intl.Collator(["en", "zh"], { numeric: true, sensitivity: "base" });
const statusRank: Record<string, number> = { running: 0, failed: 1, interrupted: 2, finished: 3 };

type Key = string | number | null;

function keyOf(row: Row, column: string, nowSecs: number): Key {
  switch (column) {
    case "run":
      return nameOf(row);
    case "host":
      return row.origin?.name ?? null;
    case "state":
      return statusRank[row.status] ?? 4;
    case "path":
      return row.path;
    case "started":
      return startOf(row);
    case "duration":
      return durationOf(row, nowSecs);
    case "best":
      return row.best_metric_value;
    case "tags":
      return row.tags.length === 0 ? null : row.tags.join(" ");
    case "assets":
      return row.assets_count;
    default:
      return null;
  }
}

function compareKeys(a: Key, b: Key, descending: boolean): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  const by = compared(a, b);
  return descending ? -by : by;
}

/** Numbers before texts where a column has both; infinities are as far apart as any two numbers. */
function compared(a: string | number, b: string | number): number {
  if (typeof a === "number" && typeof b === "number") return a === b ? 0 : a < b ? -1 : 1;
  if (typeof a === "string" && typeof b === "string") return collator.compare(a, b);
  return typeof a === "number" ? -1 : 1;
}

/** Sorts a copy. Rows without a value stand last in both directions; equal ones by the next key, then as they were. */
export function sorted<Listed extends Row>(
  rows: readonly Listed[],
  sorts: readonly SortOrder[],
  nowSecs: number,
  /** What a column of recorded values sorts by; a column of the table itself has none. */
  recorded?: (key: string) => ((row: Listed) => Key) | undefined,
): readonly Listed[] {
  const columns = sorts.map(({ key, descending }) => {
    const read = recorded?.(key);
    return { keys: rows.map((row) => (read ? read(row) : keyOf(row, key, nowSecs))), descending };
  });
  const order = rows.map((_, at) => at);
  order.sort((a, b) => {
    for (const { keys, descending } of columns) {
      const by = compareKeys(keys[a] ?? null, keys[b] ?? null, descending);
      if (by !== 0) return by;
    }
    return a - b;
  });
  return order.map((at) => rows[at] as Listed);
}

/** True for the folder itself and everything below it. */
export function isUnder(path: string | null, folder: string): boolean {
  return path !== null && (path === folder || path.startsWith(`${folder}/`));
}

export interface Shown<Listed> {
  rows: readonly Listed[];
  /** Runs of each status among those that the folder and the words leave. */
  counts: ReadonlyMap<string, number>;
  /** Runs that the folder and the words leave, whatever their status. */
  found: number;
}

/** Applies folder, search and statuses to rows that are in order already. */
export function shown<Listed extends Row>(
  rows: readonly Listed[],
  folder: string,
  test: RowTest,
  statuses: ReadonlySet<string>,
): Shown<Listed> {
  const counts = new Map<string, number>();
  let found = 0;
  const left = rows.filter((row) => {
    if ((folder !== "" && !isUnder(row.path, folder)) || !test(row)) return false;
    found += 1;
    counts.set(row.status, (counts.get(row.status) ?? 0) + 1);
    return statuses.size === 0 || statuses.has(row.status);
  });
  return { rows: left, counts, found };
}
