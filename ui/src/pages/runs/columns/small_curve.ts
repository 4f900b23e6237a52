/** A curve as the path of a small picture. Pure. */
import type { SmallCurve } from "../../../api/run_curves";

export interface SmallLine {
  path: string;
  low: number;
  high: number;
  last: number;
}

const EDGE_PX = 1.5;

/** Null without a finite point; a single point or a constant is a flat line in the middle. */
export function linePath({ x, y }: SmallCurve, width: number, height: number): SmallLine | null {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  let last = Number.NaN;
  for (const value of y) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
    last = value;
  }
  const [first, end] = [x[0], x.at(-1)];
  if (Number.isNaN(last) || first === undefined || end === undefined) return null;
  const room = height - 2 * EDGE_PX;
  // Halves before differences: the ends of the number range lie further apart than any number.
  const place = (value: number) => (high === low ? 0.5 : (value / 2 - low / 2) / (high / 2 - low / 2));
  const across = (at: number) => (end === first ? 0 : ((at - first) / (end - first)) * width);
  const points = y.flatMap((value, at) =>
    Number.isFinite(value)
      ? [`${across(x[at] ?? first).toFixed(1)} ${(EDGE_PX + (1 - place(value)) * room).toFixed(1)}`]
      : [],
  );
  const flat = points.length === 1 || end === first;
  const path = flat ? `M0 ${height / 2}L${width} ${height / 2}` : `M${points.join("L")}`;
  return { path, low, high, last };
}
