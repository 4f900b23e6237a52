/** Which lines of a long list are drawn, and where a line must be scrolled to be seen: pure. */

export interface Slice {
  from: number;
  to: number;
}

/** Rows that stand ready on each side of those in view. */
export const SPARE_ROWS = 8;

/** The lines in view and `spare` more on each side. */
export function sliceInView(
  scrollPx: number,
  viewPx: number,
  linePx: number,
  count: number,
  spare = SPARE_ROWS,
): Slice {
  if (count === 0 || linePx <= 0) return { from: 0, to: 0 };
  const first = Math.floor(Math.max(0, scrollPx) / linePx);
  const last = Math.ceil((Math.max(0, scrollPx) + viewPx) / linePx);
  const from = Math.max(0, Math.min(first - spare, count - 1));
  return { from, to: Math.max(from, Math.min(last + spare, count)) };
}

/** The scroll offset at which line `at` is wholly in view, moving as little as possible. */
export function scrollTo(at: number, scrollPx: number, viewPx: number, linePx: number): number {
  const top = at * linePx;
  if (top < scrollPx) return top;
  if (top + linePx > scrollPx + viewPx) return Math.max(0, top + linePx - viewPx);
  return scrollPx;
}

/** Where a movement key leads from line `at` (-1: none yet); null for other keys. */
export function lineAfter(key: string, at: number, count: number, pageLines: number): number | null {
  const last = count - 1;
  const steps: Record<string, number> = {
    ArrowDown: at + 1,
    ArrowUp: at < 0 ? last : at - 1,
    PageDown: at + pageLines,
    PageUp: at - pageLines,
    Home: 0,
    End: last,
  };
  const to = steps[key];
  return to === undefined || count === 0 ? null : Math.max(0, Math.min(last, to));
}
