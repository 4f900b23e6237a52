/** The charts of a group in shelves of some rows, which are made when they come near the screen. Pure. */

export interface Shelf {
  metrics: readonly string[];
  /** Among the first charts of the page: made at once, so that no frame passes before they ask for their data. */
  atOnce: boolean;
}

const ROWS = 4;
/** About what a window shows when it opens. */
const FIRST_CHARTS = 12;

/** `before`: charts of the page that stand before this group. */
export function shelvesOf(metrics: readonly string[], span: number, before: number): Shelf[] {
  const shelves: Shelf[] = [];
  const size = ROWS * span;
  for (let from = 0; from < metrics.length; from += size) {
    shelves.push({ metrics: metrics.slice(from, from + size), atOnce: before + from < FIRST_CHARTS });
  }
  return shelves;
}
