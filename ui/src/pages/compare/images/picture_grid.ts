/** What stands where on the Images tab, and what of it is in the address bar. Pure. */
import { type MediaItem, type MediaRow, stepBefore } from "../../media/media_items";

export const TILES = { small: 130, medium: 200, large: 340 } as const;
export type TileSize = keyof typeof TILES;

/** `runs`: a column for each run, a row for each key, all at one step. `steps`: a row for each run, a column for each step. */
export const ACROSS = ["runs", "steps"] as const;
export type Across = (typeof ACROSS)[number];

export interface PicturesAddress {
  /** Null: all keys. */
  key: string | null;
  across: Across;
  tile: TileSize;
  /** Null: the latest. */
  step: number | null;
}

export function readPictures(query: URLSearchParams): PicturesAddress {
  const tile = query.get("tile") ?? "";
  const step = query.get("step") ?? "";
  return {
    key: query.get("key") || null,
    across: ACROSS.find((one) => one === query.get("across")) ?? "runs",
    tile: tile in TILES ? (tile as TileSize) : "medium",
    step: step !== "" && Number.isFinite(Number(step)) ? Number(step) : null,
  };
}

export type Found =
  | { kind: "item"; item: MediaItem; step: number | null; count: number }
  /** The run has nothing under this key, nothing so early, nothing at this very step. */
  | { kind: "noKey" | "notYet" | "notHere" };

/** What a run shows under a key at a step: what was logged last until then, or, with `exact`, at that step only. */
export function findPicture(row: MediaRow | undefined, step: number | null, exact: boolean): Found {
  if (!row) return { kind: "noKey" };
  const at = exact ? step : stepBefore(row, step);
  const items = at === undefined ? undefined : row.items.get(at);
  const item = items?.[0];
  if (at === undefined || !items || !item) return { kind: exact ? "notHere" : "notYet" };
  return { kind: "item", item, step: at, count: items.length };
}

/** How many tiles of at least `least_px` stand beside each other, and how wide they then are. */
export function fitTiles(width_px: number, least_px: number, count: number): { count: number; px: number } {
  const fitting = Math.max(1, Math.floor(width_px / least_px));
  return { count: fitting, px: count < fitting ? least_px : Math.max(1, Math.floor(width_px / fitting)) };
}
