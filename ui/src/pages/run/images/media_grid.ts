/** Images of a run as a grid of key by step. Pure. */

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

/** The row's step that was current at `step`: the last one not after it, or its first. */
export function stepAt(row: MediaRow, step: number | null): number | null {
  if (step === null) return row.steps[row.steps.length - 1] ?? null;
  let found: number | null = row.steps[0] ?? null;
  for (const candidate of row.steps) {
    if (candidate !== null && candidate > step) break;
    found = candidate;
  }
  return found;
}
