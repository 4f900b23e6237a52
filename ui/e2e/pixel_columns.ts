/** How far a line must and may reach in each pixel column, from all points of a series. */
import type { Point } from "./hostile_series";

export interface Drawing {
  from: number;
  to: number;
  /** Lowest and highest value of the y axis. */
  range: [number, number];
  /** All in device pixels. */
  width: number;
  height: number;
  line_px: number;
  ratio: number;
}

/** A part of a pixel column, from the top of the plotting area; nothing when `high > low`. */
interface Reach {
  high: number;
  low: number;
}

export interface Column {
  /** The data of this very column. */
  must: Reach;
  /** With what a line of this width covers of the column on its way from and to its neighbours. */
  may: Reach;
}

/** Ends of the y axis: 5 % of room around the values in the window, and none below zero when no value is. */
export function rangeOf(points: readonly Point[], window: { from: number; to: number }): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { x, y } of points) {
    if (x < window.from || x > window.to || !Number.isFinite(y)) continue;
    low = Math.min(low, y);
    high = Math.max(high, y);
  }
  if (low === high) return low === 0 ? [-1, 1] : [low - Math.abs(low) * 0.1, low + Math.abs(low) * 0.1];
  const room = (high - low) * 0.05;
  return [low >= 0 && low - room < 0 ? 0 : low - room, high + room];
}

/** Dots stand on lone points, and on all while these are few. */
const DOT_PX = 4;
const ONLY_DOT_PX = 7;
const FEW_PX = 10;

export function expectedColumns(points: readonly Point[], drawing: Drawing): Column[] {
  const { from, to, range, width, height, line_px, ratio } = drawing;
  const columns: Column[] = Array.from({ length: width + 1 }, () => ({
    must: { high: Number.POSITIVE_INFINITY, low: Number.NEGATIVE_INFINITY },
    may: { high: Number.POSITIVE_INFINITY, low: Number.NEGATIVE_INFINITY },
  }));
  const single = points.length === 1;
  const [start, end] = single ? [from - 1, to + 1] : [from, to];
  const columnOf = (x: number) => Math.round(((x - start) / (end - start)) * width);
  const rowOf = (y: number) => (1 - (y - range[0]) / (range[1] - range[0])) * height;
  const widen = (reach: Reach | undefined, a: number, b: number) => {
    if (!reach) return;
    reach.high = Math.min(reach.high, a, b);
    reach.low = Math.max(reach.low, a, b);
  };
  const dot_px = ((single ? ONLY_DOT_PX : DOT_PX) / 2) * ratio;
  const dot = (k: number, row: number) => {
    for (let p = Math.ceil(k - dot_px - 1); p <= k + dot_px + 1; p += 1)
      widen(columns[p]?.may, row - dot_px, row + dot_px);
  };
  /**
   * A straight piece covers at least half of the pixels whose middle is no further from it than half its width. Two, one
   * from each side, cover half of a pixel together.
   */
  const piece = (k0: number, row0: number, k1: number, row1: number) => {
    const reach = line_px / 2 + 0.25;
    for (let p = Math.max(0, Math.ceil(k0 - reach)); p <= Math.min(width, Math.floor(k1 + reach)); p += 1) {
      const at = (k: number) =>
        k1 === k0 ? row0 : row0 + ((Math.min(k1, Math.max(k0, k)) - k0) / (k1 - k0)) * (row1 - row0);
      if (k1 === k0) widen(columns[p]?.may, row0, row1);
      else widen(columns[p]?.may, at(p - reach), at(p + reach));
    }
  };

  let shown = 0;
  let before: { k: number; row: number } | null = null;
  /** The line since the last break. */
  let run: { k: number; row: number; alone: boolean } | null = null;
  const lone: { k: number; row: number }[] = [];
  const all: { k: number; row: number }[] = [];
  const close = () => {
    if (run?.alone) lone.push(run);
    run = null;
    before = null;
  };
  for (const { x, y } of points) {
    if (!Number.isFinite(y)) {
      close();
      continue;
    }
    const here = { k: columnOf(x), row: rowOf(y) };
    if (x >= from && x <= to) {
      shown += 1;
      widen(columns[here.k]?.must, here.row, here.row);
    }
    all.push(here);
    if (before) piece(before.k, before.row, here.k, here.row);
    else piece(here.k, here.row, here.k, here.row);
    const current: { k: number; row: number; alone: boolean } = run ?? { ...here, alone: true };
    if (current.k !== here.k || Math.abs(current.row - here.row) >= 2) current.alone = false;
    run = current;
    before = here;
  }
  close();
  const beyond = (side: (x: number) => boolean) => points.some(({ x, y }) => side(x) && Number.isFinite(y));
  shown += Number(beyond((x) => x < from)) + Number(beyond((x) => x > to));
  const few = shown * FEW_PX < width / ratio;
  for (const { k, row } of few ? all : lone) dot(k, row);
  return columns;
}

/** What is wrong with a picture, at most a few words of it. */
export function faultsOf(
  columns: readonly Column[],
  ink: { top: number[]; bottom: number[] },
  tolerance_px: number,
): string[] {
  const faults: string[] = [];
  columns.forEach(({ must, may }, p) => {
    const top = (ink.top[p] ?? Number.NaN) + 0.5;
    const bottom = (ink.bottom[p] ?? Number.NaN) + 0.5;
    const say = (what: string) =>
      faults.push(`column ${p}: ${what}, drawn ${top} to ${bottom}, ${JSON.stringify({ must, may })}`);
    if (Number.isNaN(top)) {
      if (must.high <= must.low) say("nothing");
    } else if (may.high > may.low) say("something");
    else if (top > must.high + tolerance_px) say("too low a top");
    else if (bottom < must.low - tolerance_px) say("too high a bottom");
    else if (top < may.high - tolerance_px) say("too high a top");
    else if (bottom > may.low + tolerance_px) say("too low a bottom");
  });
  return faults.length > 4 ? [...faults.slice(0, 4), `${faults.length} faults`] : faults;
}
