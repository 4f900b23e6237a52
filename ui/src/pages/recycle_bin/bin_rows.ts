/** Which deleted runs are shown and in what order. Pure. */
import type { BinRun } from "../../api/recycle_bin";
import type { Column } from "../../components/table/columns";
import type { RecycleBinText } from "../../text/recycle_bin";

export interface SortOrder {
  key: string;
  descending: boolean;
}

export type ColumnKey = keyof RecycleBinText["column"];

const shapes: readonly (Omit<Column, "label" | "key"> & { key: ColumnKey })[] = [
  { key: "run", width: 190, grows: 2 },
  { key: "state", width: 120 },
  { key: "path", width: 140, grows: 2 },
  { key: "reason", width: 124 },
  { key: "deleted", width: 98, align: "end" },
  { key: "created", width: 98, align: "end" },
];

export const columnsOf = (words: RecycleBinText): Column[] =>
  shapes.map((shape) => ({ ...shape, label: words.column[shape.key] }));

export const nameOf = (run: BinRun): string => run.alias ?? run.id;

/** Nothing in the address: the newest deletion first. */
export function sortOf(text: string): SortOrder {
  if (text === "") return { key: "deleted", descending: true };
  return text.startsWith("-") ? { key: text.slice(1), descending: true } : { key: text, descending: false };
}

export function sortText({ key, descending }: SortOrder): string {
  const text = (descending ? "-" : "") + key;
  return text === "-deleted" ? "" : text;
}

/** Moments fall at the first click on their head, words rise. */
export function sortedBy(sort: SortOrder, key: string): SortOrder {
  const falls = key === "deleted" || key === "created";
  return { key, descending: sort.key === key ? !sort.descending : falls };
}

function cellOf(run: BinRun, key: string): string | number | null {
  switch (key) {
    case "run":
      return nameOf(run).toLowerCase();
    case "state":
      return run.status;
    case "path":
      return run.path.toLowerCase();
    case "reason":
      return run.reason;
    case "created":
      return run.createdAt;
    default:
      return run.deletedAt;
  }
}

function compared(a: string | number, b: string | number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What has no value stands last either way; equal ones by id, so that the order never depends on the way here. */
export function sorted(runs: readonly BinRun[], sort: SortOrder): BinRun[] {
  const sign = sort.descending ? -1 : 1;
  return [...runs].sort((a, b) => {
    const [one, other] = [cellOf(a, sort.key), cellOf(b, sort.key)];
    if (one === null || other === null) {
      if (one !== other) return one === null ? 1 : -1;
    } else if (one !== other) return sign * compared(one, other);
    return compared(b.id, a.id);
  });
}

/** Runs in which every word stands somewhere. */
export function found(runs: readonly BinRun[], query: string): readonly BinRun[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return runs;
  return runs.filter((run) => {
    const text = `${run.alias ?? ""} ${run.id} ${run.path} ${run.status}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** The run to choose when some leave: the next that stays, else the last before. */
export function nextOf(runs: readonly BinRun[], chosen: string, leaving: ReadonlySet<string>): string | null {
  const at = Math.max(
    0,
    runs.findIndex((run) => run.id === chosen),
  );
  const stays = (run: BinRun): boolean => !leaving.has(run.id);
  return (runs.slice(at).find(stays) ?? runs.findLast(stays))?.id ?? null;
}
