/** How many points are at hand. Pure. */
import type { ChartState } from "./series_feed.svelte";

export function loadedPoints(charts: Iterable<ChartState>): number {
  let sum = 0;
  for (const { curves } of charts) {
    for (const curve of curves) sum += curve ? curve.x.length + curve.nonFinite.length : 0;
  }
  return sum;
}
