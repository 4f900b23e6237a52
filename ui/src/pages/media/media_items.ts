/** Pictures, films and sounds of a run, by key and step. Pure. */

import { type Api, segment } from "../../api/client";

export interface MediaItem {
  step: number | null;
  key: string;
  caption: string | null;
  file: string;
  kind: "image" | "video" | "audio" | "other";
  bytes: number | null;
  time: number | null;
  missing: boolean;
}

export interface MediaRow {
  key: string;
  /** Rising; items without a step come first. */
  steps: (number | null)[];
  items: Map<number | null, MediaItem[]>;
}

const order = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

export function mediaRows(items: readonly MediaItem[]): MediaRow[] {
  const rows = new Map<string, MediaRow>();
  for (const item of items) {
    const row = rows.get(item.key) ?? { key: item.key, steps: [], items: new Map() };
    rows.set(item.key, row);
    const here = row.items.get(item.step);
    if (here) here.push(item);
    else row.items.set(item.step, [item]);
  }
  for (const row of rows.values()) {
    row.steps = [...row.items.keys()].sort((one, other) => (one ?? -Infinity) - (other ?? -Infinity));
  }
  return [...rows.values()].sort((one, other) => order.compare(one.key, other.key));
}

/** Every step at which some key has a picture, rising. */
export function allSteps(rows: readonly MediaRow[]): number[] {
  const steps = new Set<number>();
  for (const row of rows) for (const step of row.steps) if (step !== null) steps.add(step);
  return [...steps].sort((one, other) => one - other);
}

/** The row's last step that is not after `step` (null: its last one); undefined when all of them are. */
export function stepBefore(row: MediaRow, step: number | null): number | null | undefined {
  const { steps } = row;
  if (step === null) return steps[steps.length - 1];
  let [low, high] = [0, steps.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((steps[middle] ?? -Infinity) <= step) low = middle + 1;
    else high = middle;
  }
  return steps[low - 1];
}

/** The row's step that was current at `step`: the last one not after it, or its first. */
export function stepAt(row: MediaRow, step: number | null): number | null {
  return stepBefore(row, step) ?? row.steps[0] ?? null;
}

/** Where the file of an item lies, or a picture of about `side_px` in its place. */
export function addressOf(api: Api, run: string, item: MediaItem, side_px?: number): string {
  if (side_px === undefined || item.kind !== "image") {
    return api.address(`/api/run-file/${segment(run)}`, { file: item.file });
  }
  return api.address(`/api/run-thumbnail/${segment(run)}`, { file: item.file, px: Math.round(side_px) });
}

/** Pixels of the screen for a tile of this width. */
export const tilePixels = (tile_px: number): number =>
  Math.min(1024, tile_px * (globalThis.devicePixelRatio || 1));

/** What the file is called when it is saved. */
export const savedName = (item: MediaItem): string => item.file.slice(item.file.lastIndexOf("/") + 1);
