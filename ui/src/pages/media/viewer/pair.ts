/** Which picture is looked at, which one beside it, and where steps, keys and runs lead from there. Pure. */
import { type MediaItem, type MediaRow, stepAt, stepBefore } from "../media_items";
import { type Look, lookMember, readLook } from "./look";

export const MODES = ["one", "side", "wipe", "difference"] as const;
export type Mode = (typeof MODES)[number];

/** A picture by its run and its file. */
export interface Shown {
  run: string;
  item: MediaItem;
}

export interface ViewerAddress {
  run: string;
  file: string;
  mode: Mode;
  besideRun: string;
  /** Empty: what the run beside has under the same key at the same step. */
  besideFile: string;
  look: Look;
  /** Share of the stage that the first picture keeps when wiped. */
  wipe: number;
  /** Whether faint differences are made visible. */
  strong: boolean;
}

/** `home` is the run of a page that has only one. */
export function readViewer(query: URLSearchParams, home: string): ViewerAddress {
  const run = query.get("image_run") || home;
  const wipe = Number(query.get("wipe") ?? "0.5");
  return {
    run,
    file: query.get("image") ?? "",
    mode: MODES.find((mode) => mode === query.get("view")) ?? "one",
    besideRun: query.get("beside_run") || run,
    besideFile: query.get("beside") ?? "",
    look: readLook(query.get("zoom") ?? ""),
    wipe: wipe >= 0 && wipe <= 1 ? wipe : 0.5,
    strong: query.get("strong") === "1",
  };
}

/** Members of the address; only the given ones change. */
export function viewerMembers(part: Partial<ViewerAddress>, home: string): Record<string, string | null> {
  const members: Record<string, string | null> = {};
  const named = (run: string) => (run === home ? null : run);
  if (part.run !== undefined) members.image_run = named(part.run);
  if (part.file !== undefined) members.image = part.file;
  if (part.mode !== undefined) members.view = part.mode === "one" ? null : part.mode;
  if (part.besideRun !== undefined) members.beside_run = named(part.besideRun);
  if (part.besideFile !== undefined) members.beside = part.besideFile;
  if (part.look !== undefined) members.zoom = lookMember(part.look);
  if (part.wipe !== undefined) members.wipe = part.wipe === 0.5 ? null : String(Number(part.wipe.toFixed(4)));
  if (part.strong !== undefined) members.strong = part.strong ? "1" : null;
  return members;
}

/** What leaves the address with the viewer. */
export const CLOSED: Record<string, null> = Object.fromEntries(
  ["image", "image_run", "view", "beside", "beside_run", "zoom", "wipe", "strong"].map((name) => [
    name,
    null,
  ]),
);

export function itemOf(rows: readonly MediaRow[], file: string): MediaItem | undefined {
  if (file === "") return undefined;
  for (const row of rows) {
    for (const items of row.items.values()) {
      const found = items.find((item) => item.file === file);
      if (found) return found;
    }
  }
  return undefined;
}

const rowOf = (rows: readonly MediaRow[], item: MediaItem) => rows.find((row) => row.key === item.key);

/** The picture of other rows that goes with one: same key, the last step at or before, the same place in the step. */
export function counterpart(
  rows: readonly MediaRow[],
  own: readonly MediaRow[],
  item: MediaItem,
): MediaItem | undefined {
  const row = rowOf(rows, item);
  const step = row && stepBefore(row, item.step);
  const items = step === undefined ? undefined : row?.items.get(step);
  const place = rowOf(own, item)?.items.get(item.step)?.indexOf(item) ?? 0;
  return items?.[Math.min(Math.max(0, place), items.length - 1)];
}

/** The next picture of the key: within the step, then at the next one. */
export function stepFrom(rows: readonly MediaRow[], item: MediaItem, by: 1 | -1): MediaItem | undefined {
  const row = rowOf(rows, item);
  if (!row) return undefined;
  const items = row.items.get(item.step) ?? [];
  const beside = items[items.indexOf(item) + by];
  if (beside) return beside;
  const next = row.items.get(row.steps[row.steps.indexOf(item.step) + by] ?? Number.NaN);
  return by > 0 ? next?.[0] : next?.at(-1);
}

/** The next key, at the same step. */
export function keyFrom(rows: readonly MediaRow[], item: MediaItem, by: 1 | -1): MediaItem | undefined {
  const other = rows[rows.findIndex((row) => row.key === item.key) + by];
  return other?.items.get(stepAt(other, item.step))?.[0];
}

/** What is set beside a picture when nobody chose: the step before, or else the one after. */
export function besideFirst(rows: readonly MediaRow[], item: MediaItem): MediaItem | undefined {
  return (
    stepFrom(rows, item, -1) ?? stepFrom(rows, item, 1) ?? keyFrom(rows, item, -1) ?? keyFrom(rows, item, 1)
  );
}
