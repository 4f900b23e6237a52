/** Which runs are shown and in what order: pure functions over the rows and the address. */
import type { RunRow } from "../../api/wire";
import type { Row, RowTest } from "./filter/terms";

export interface SortOrder {
  key: string;
  descending: boolean;
}

/** `-best` in the address sorts by the best value, largest first. */
export function sortOf(text: string): SortOrder {
  if (text === "") return { key: "started", descending: true };
  return text.startsWith("-") ? { key: text.slice(1), descending: true } : { key: text, descending: false };
}

export function sortText({ key, descending }: SortOrder): string {
  const text = (descending ? "-" : "") + key;
  return text === "-started" ? "" : text;
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

/** Numbers before texts where a column has both; infinities are as far apart as any two numbers. */
function compared(a: string | number, b: string | number): number {
  if (typeof a === "number" && typeof b === "number") return a === b ? 0 : a < b ? -1 : 1;
  if (typeof a === "string" && typeof b === "string") return collator.compare(a, b);
  return typeof a === "number" ? -1 : 1;
}

/** Sorts a copy. Rows without a value stand last in both directions; equal ones keep their order. */
export function sorted<Listed extends Row>(
  rows: readonly Listed[],
  order: SortOrder,
  nowSecs: number,
  /** What recorded values sort by; a column of the table itself has none. */
  recorded?: (row: Listed) => Key,
): readonly Listed[] {
  const keys = rows.map((row, at) => ({
    row,
    at,
    key: recorded ? recorded(row) : keyOf(row, order.key, nowSecs),
  }));
  const sign = order.descending ? -1 : 1;
  keys.sort((a, b) => {
    if (a.key === null || b.key === null) {
      return a.key === b.key ? a.at - b.at : a.key === null ? 1 : -1;
    }
    const by = compared(a.key, b.key);
    return sign * by || a.at - b.at;
  });
  return keys.map(({ row }) => row);
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
