/**
 * The y range without outliers. The rule: of all values drawn in the window the middle 90 %, and half of their span more on each
 * side; within these fences the range ends where the values end. On a logarithmic axis spans are those of logarithms. Pure.
 */
import type { Axis } from "./axis";
import { eachShown, type LineSeries, yExtent } from "./plot_data";

const TAIL = 0.05;
const WIDER = 0.5;
/** With fewer values none can be told to be unusual. */
const LEAST = 8;
/** Enough to know where the tails begin; more would only take time. */
const MOST = 100_000;

/** Lowest and highest value that is not an outlier; NaN ends when there is none. */
export function robustExtent(
  list: readonly LineSeries[],
  from: number,
  to: number,
  log: boolean,
): [number, number] {
  let count = 0;
  eachShown(list, from, to, log, () => {
    count += 1;
  });
  if (count < LEAST) return yExtent(list, from, to, log);
  const stride = Math.ceil(count / MOST);
  const sample = new Float64Array(Math.ceil(count / stride));
  let seen = 0;
  eachShown(list, from, to, log, (value) => {
    if (seen % stride === 0) sample[seen / stride] = log ? Math.log10(value) : value;
    seen += 1;
  });
  sample.sort();
  const [a, b] = [quantile(sample, TAIL), quantile(sample, 1 - TAIL)];
  // Halves keep the span finite between the largest doubles.
  const more = (b / 2 - a / 2) * 2 * WIDER;
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  eachShown(list, from, to, log, (value) => {
    const place = log ? Math.log10(value) : value;
    if (place < a - more || place > b + more) return;
    if (value < low) low = value;
    if (value > high) high = value;
  });
  return low <= high ? [low, high] : yExtent(list, from, to, log);
}

function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
}

export interface Outside {
  above: number;
  below: number;
}

/** How many of the drawn points stand above and below the axis. */
export function outsideOf(list: readonly LineSeries[], xAxis: Axis, yAxis: Axis): Outside {
  const found = { above: 0, below: 0 };
  for (const { x, y } of list) {
    for (let i = 0; i < x.length; i += 1) {
      const value = y[i];
      const at = x[i] as number;
      if (value == null || at < xAxis.min || at > xAxis.max) continue;
      if (value > yAxis.max) found.above += 1;
      else if (value < yAxis.min && !(yAxis.log && value <= 0)) found.below += 1;
    }
  }
  return found;
}
