/** What a GPU did over a time, as points and as a line to draw. Pure. */
import type { Gpu, Minute, MinuteGpu, Telemetry } from "../../api/gpus";

export type Range = "hour" | "day";
export const rangeSecs: Record<Range, number> = { hour: 3600, day: 86_400 };
/** A longer silence than this is a gap in the line. */
export const gapSecs: Record<Range, number> = { hour: 180, day: 600 };

/** Shares in percent. */
export interface Point {
  at: number;
  util: number | null;
  memory: number | null;
}

type Which = Pick<Gpu, "index" | "uuid">;

const finite = (value: number | null | undefined): number | null =>
  typeof value === "number" && Number.isFinite(value) ? value : null;

function share(part: number | null | undefined, whole: number | null | undefined): number | null {
  const [some, all] = [finite(part), finite(whole)];
  return some === null || all === null || all <= 0 ? null : (some / all) * 100;
}

/** The number of a GPU may change with a restart of the machine; its uuid stays. */
function isSame(a: Which, b: Which): boolean {
  return a.uuid && b.uuid ? a.uuid === b.uuid : a.index === b.index;
}

const ofMinute = (at: number, gpu: MinuteGpu): Point => ({
  at,
  util: finite(gpu.util_gpu_percent),
  memory: share(gpu.mem_used_mib, gpu.mem_total_mib),
});

const ofReading = (at: number, gpu: Gpu): Point => ({
  at,
  util: finite(gpu.util_gpu),
  memory: share(gpu.mem_used_mib, gpu.mem_total_mib),
});

/** Minutes as far as there are no single readings, then these. */
export function pointsOf(
  which: Which,
  minutes: readonly Minute[],
  readings: readonly Telemetry[],
  from: number,
): Point[] {
  const finer = readings[0]?.ts ?? Number.POSITIVE_INFINITY;
  const points: Point[] = [];
  for (const { ts, gpus } of minutes) {
    const gpu = ts >= from && ts < finer ? gpus.find((one) => isSame(one, which)) : undefined;
    if (gpu) points.push(ofMinute(ts, gpu));
  }
  for (const { ts, gpus } of readings) {
    const gpu = ts >= from ? gpus.find((one) => isSame(one, which)) : undefined;
    if (gpu) points.push(ofReading(ts, gpu));
  }
  return points;
}

export interface Line {
  /** An SVG path in a box of `width` by 100, 100 % at the top. */
  line: string;
  /** The same, closed to the ground. */
  area: string;
}

/** Draws one share of the points. Of the points in a pixel column the highest is kept: a spike is never lost. */
export function lineOf(
  points: readonly Point[],
  share: "util" | "memory",
  { from, secs, gap, width }: { from: number; secs: number; gap: number; width: number },
): Line {
  const columns: { x: number; at: number; y: number }[] = [];
  for (const point of points) {
    const value = point[share];
    if (value === null) continue;
    const x = Math.round(((point.at - from) / secs) * width);
    const y = 100 - Math.max(0, Math.min(100, value));
    const last = columns.at(-1);
    if (last?.x !== x) columns.push({ x, at: point.at, y });
    else {
      last.y = Math.min(last.y, y);
      last.at = point.at;
    }
  }
  const pieces: (typeof columns)[] = [];
  for (const column of columns) {
    const piece = pieces.at(-1);
    if (piece === undefined || column.at - (piece.at(-1)?.at ?? 0) > gap) pieces.push([column]);
    else piece.push(column);
  }
  const drawn = pieces.map((piece) => {
    // A lone point would draw nothing.
    const ends = piece.length === 1 ? [...piece, ...piece.map((one) => ({ ...one, x: one.x + 1 }))] : piece;
    const line = ends.map(({ x, y }, at) => `${at === 0 ? "M" : "L"}${x} ${y.toFixed(1)}`).join("");
    return { line, area: `${line}L${ends.at(-1)?.x} 100L${ends[0]?.x} 100Z` };
  });
  return { line: drawn.map((one) => one.line).join(""), area: drawn.map((one) => one.area).join("") };
}

export interface Digest {
  last: number | null;
  mean: number | null;
  high: number | null;
  memory: number | null;
}

export function digestOf(points: readonly Point[]): Digest {
  const utils = points.flatMap((point) => point.util ?? []);
  const last = points.at(-1);
  return {
    last: last?.util ?? null,
    mean: utils.length === 0 ? null : utils.reduce((sum, value) => sum + value, 0) / utils.length,
    high: utils.length === 0 ? null : utils.reduce((most, value) => Math.max(most, value)),
    memory: last?.memory ?? null,
  };
}

/** The point nearest to a moment. */
export function nearest(points: readonly Point[], at: number): Point | null {
  let best: Point | null = null;
  for (const point of points) {
    if (best === null || Math.abs(point.at - at) <= Math.abs(best.at - at)) best = point;
  }
  return best;
}

/** Minutes after those that are known, and none from before a time. */
export function joined(known: readonly Minute[], fresh: readonly Minute[], from: number): readonly Minute[] {
  const last = known.at(-1)?.ts ?? Number.NEGATIVE_INFINITY;
  const news = fresh.filter((minute) => minute.ts > last);
  return [...known, ...news].filter((minute) => minute.ts >= from);
}

/** Adds a reading; those older than an hour go, and of a long hour every second one stays. */
export function added(
  readings: readonly Telemetry[],
  reading: Telemetry,
  most: number,
): readonly Telemetry[] {
  const last = readings.at(-1);
  if (!reading.available || (last && reading.ts <= last.ts)) return readings;
  const kept = readings.filter((one) => one.ts > reading.ts - rangeSecs.hour);
  const thin = kept.length < most ? kept : kept.filter((_, at) => at % 2 === 0);
  return [...thin, reading];
}
