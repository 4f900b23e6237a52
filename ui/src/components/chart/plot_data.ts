/**
 * Series as the server sends them (values by their own x, non-finite values beside) to what the plot
 * draws: one rising x, a raw and a smoothed column per series, nulls where a line must break.
 */
import type { Axis } from "./axis";

export type NonFiniteWord = "nan" | "inf" | "-inf";

/** One line of a chart. `x` rises (equal values allowed, in file order); `y` has a value for each `x`. */
export interface LineSeries {
  id: string;
  label: string;
  x: readonly number[];
  y: readonly (number | null)[];
  smooth: readonly (number | null)[] | null;
  nonFinite: readonly (readonly [number, NonFiniteWord])[];
  /** Which of the series colours. */
  colour: number;
  /** Edges of a band around the line, as long as `x`. */
  band?: { low: readonly number[]; high: readonly number[] };
  /** How much the line says among the others: one that stands back, or one that others are held against. */
  weight?: "faint" | "strong";
  /** The line that stands for this one and others, by its id. */
  under?: string;
}

/** `undefined`: no point of this series here, the line goes on; `null`: the line breaks. */
export type PlotColumn = (number | null | undefined)[];

export interface PlotData {
  /** x, then raw and smoothed (when any series is smoothed) of each series, all as places 0..1. */
  columns: PlotColumn[];
  /** Points that a logarithmic axis cannot show. */
  hidden: number;
}

/** Points and breaks of one series in x order. */
interface Entries {
  x: readonly number[];
  y: readonly (number | null)[];
  smooth: readonly (number | null)[] | null;
}

/** A break stands after the points of the same x. A series without any is taken as it is. */
function entriesOf(series: LineSeries): Entries {
  const breaks = series.nonFinite;
  if (breaks.length === 0) return series;
  const [x, y, smooth]: [number[], (number | null)[], (number | null)[]] = [[], [], []];
  const put = (at: number, value: number | null, smoothed: number | null) => {
    x.push(at);
    y.push(value);
    smooth.push(smoothed);
  };
  let next = 0;
  for (let i = 0; i < series.x.length; i += 1) {
    const at = series.x[i] as number;
    for (; next < breaks.length && (breaks[next]?.[0] as number) < at; next += 1)
      put(breaks[next]?.[0] as number, null, null);
    put(at, series.y[i] ?? null, series.smooth?.[i] ?? null);
  }
  for (; next < breaks.length; next += 1) put(breaks[next]?.[0] as number, null, null);
  return { x, y, smooth: series.smooth === null ? null : smooth };
}

export function plotData(list: readonly LineSeries[], xAxis: Axis, yAxis: Axis): PlotData {
  const rows = list.map(entriesOf);
  const places = allPlaces(rows);
  const smoothed = list.some((series) => series.smooth !== null);
  const columns: PlotColumn[] = [places.map((x) => xAxis.at(x))];
  let hidden = 0;
  for (const row of rows) {
    const raw: PlotColumn = new Array(places.length).fill(undefined);
    const smooth: PlotColumn = smoothed ? raw.slice() : [];
    let at = 0;
    for (let i = 0; i < row.x.length; i += 1) {
      while ((places[at] as number) < (row.x[i] as number)) at += 1;
      const value = row.y[i] ?? null;
      const y = placed(value, yAxis);
      if (value !== null && y === null) hidden += 1;
      raw[at] = y;
      if (smoothed) smooth[at] = placed(row.smooth?.[i] ?? null, yAxis);
      at += 1;
    }
    columns.push(raw);
    if (smoothed) columns.push(smooth);
  }
  return dropUnplaced({ columns, hidden });
}

/** Every x of any series in rising order; one that a series has several times stands there as often. */
function allPlaces(rows: readonly Entries[]): readonly number[] {
  const [first, ...others] = rows;
  if (!first) return [];
  // Runs that are compared mostly have the same steps.
  if (others.every((row) => isSame(row.x, first.x))) return first.x;
  const most = new Map<number, number>();
  for (const { x } of rows) {
    let again = 0;
    for (let i = 0; i < x.length; i += 1) {
      const at = x[i] as number;
      again = i > 0 && x[i - 1] === at ? again + 1 : 1;
      if (again > (most.get(at) ?? 0)) most.set(at, again);
    }
  }
  const rising = Float64Array.from(most.keys()).sort();
  const places: number[] = [];
  for (const x of rising) for (let n = most.get(x) ?? 1; n > 0; n -= 1) places.push(x);
  return places;
}

function isSame(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((x, at) => x === other[at]);
}

/** On a log x axis places at or below zero do not exist. */
function dropUnplaced(data: PlotData): PlotData {
  const x = data.columns[0] ?? [];
  if (!x.some((place) => Number.isNaN(place))) return data;
  const keep = x.map((place) => !Number.isNaN(place));
  const columns = data.columns.map((column) => column.filter((_, i) => keep[i]));
  return { columns, hidden: data.hidden + keep.filter((kept) => !kept).length };
}

function placed(value: number | null, axis: Axis): number | null {
  if (value === null) return null;
  const place = axis.at(value);
  return Number.isFinite(place) ? place : null;
}

/** Every drawn value between two x, smoothed ones too; `log` looks at positive values only. */
export function eachShown(
  list: readonly LineSeries[],
  from: number,
  to: number,
  log: boolean,
  take: (value: number) => void,
): void {
  const look = (value: number | null | undefined) => {
    if (value == null || !Number.isFinite(value) || (log && value <= 0)) return;
    take(value);
  };
  for (const series of list) {
    for (let i = 0; i < series.x.length; i += 1) {
      const x = series.x[i] as number;
      if (x < from || x > to) continue;
      look(series.y[i]);
      look(series.smooth?.[i]);
      look(series.band?.low[i]);
      look(series.band?.high[i]);
    }
  }
}

/** Lowest and highest drawn value between two x; `log` looks at positive values only. NaN ends when there is none. */
export function yExtent(
  list: readonly LineSeries[],
  from: number,
  to: number,
  log: boolean,
): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  eachShown(list, from, to, log, (value) => {
    if (value < low) low = value;
    if (value > high) high = value;
  });
  return low <= high ? [low, high] : [Number.NaN, Number.NaN];
}

/** First and last x over all series, breaks included. */
export function xExtent(list: readonly LineSeries[], log: boolean): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  const take = (x: number | undefined) => {
    if (x === undefined || !Number.isFinite(x) || (log && x <= 0)) return;
    if (x < low) low = x;
    if (x > high) high = x;
  };
  for (const series of list) {
    const start = log ? series.x.findIndex((x) => x > 0) : 0;
    if (start >= 0) take(series.x[start]);
    take(series.x[series.x.length - 1]);
    for (const [x] of series.nonFinite) take(x);
  }
  return low <= high ? [low, high] : [Number.NaN, Number.NaN];
}

/** Index of the point nearest to `x` on the axis; of equal ones the last recorded. -1 when there is none. */
export function nearestPoint(xs: readonly number[], x: number, axis: Axis): number {
  if (xs.length === 0) return -1;
  let low = 0;
  let high = xs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((xs[middle] as number) <= x) low = middle + 1;
    else high = middle;
  }
  const before = low - 1;
  if (before < 0) return lastOfEqual(xs, 0);
  if (low >= xs.length) return before;
  const place = axis.at(x);
  const gap = (index: number) => Math.abs(axis.at(xs[index] as number) - place);
  return gap(low) < gap(before) ? lastOfEqual(xs, low) : before;
}

/** Where the nearest point of any line stands; `x` itself when there is none. */
export function nearestX(list: readonly LineSeries[], x: number, axis: Axis): number {
  const place = axis.at(x);
  let [best, gap] = [x, Number.POSITIVE_INFINITY];
  for (const line of list) {
    const index = nearestPoint(line.x, x, axis);
    const own = index < 0 ? Number.NaN : Math.abs(axis.at(line.x[index] as number) - place);
    if (own < gap) [best, gap] = [line.x[index] as number, own];
  }
  return best;
}

/** The place of the line that is nearest to a height, both 0..1 from the top; -1 when none is within `reach`. */
export function nearestLine(tops: readonly number[], top: number, reach: number): number {
  let found = -1;
  let gap = reach;
  tops.forEach((own, at) => {
    if (own < 0 || own > 1 || Math.abs(own - top) > gap) return;
    gap = Math.abs(own - top);
    found = at;
  });
  return found;
}

function lastOfEqual(xs: readonly number[], index: number): number {
  let last = index;
  while (last + 1 < xs.length && xs[last + 1] === xs[index]) last += 1;
  return last;
}
