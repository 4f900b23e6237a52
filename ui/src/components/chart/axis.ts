/**
 * One axis of a chart: data values to 0..1 along the axis and back, with its tick marks.
 *
 * The plot itself only ever sees 0..1, so values of 1e-300 or 1e18, a constant series and a
 * logarithmic axis are all the same easy case for it.
 */
import { durationTicks, linearTicks, logTicks, type Tick, timeTicks } from "./ticks";

/** What the numbers along an axis mean. `step` counts, so nothing stands between two; `time` is Unix seconds, `duration` is seconds. */
export type AxisKind = "number" | "step" | "time" | "duration";

export interface AxisSpec {
  kind: AxisKind;
  log: boolean;
  min: number;
  max: number;
}

export interface Axis extends AxisSpec {
  /** Where a value stands, 0..1 (outside when it is off the axis); NaN when a log axis cannot show it. */
  at(value: number): number;
  /** The value that stands at a place. */
  value(at: number): number;
  /** Marks for about `count` places, in rising order. */
  ticks(count: number): Tick[];
}

export function makeAxis(spec: AxisSpec): Axis {
  return spec.log && spec.min > 0 ? logAxis(spec) : linearAxis({ ...spec, log: false });
}

function linearAxis(spec: AxisSpec): Axis {
  const { min, max } = spec;
  // Halves keep the span finite between the largest doubles.
  const wide = !Number.isFinite(max - min);
  const span = wide ? max / 2 - min / 2 : max - min;
  const at = (value: number) => (wide ? (value / 2 - min / 2) / span : (value - min) / span);
  const value = (place: number) => (wide ? min + place * span + place * span : min + place * span);
  return { ...spec, at, value, ticks: (count) => ticksOf(spec, count) };
}

function ticksOf(spec: AxisSpec, count: number): Tick[] {
  if (spec.kind === "time") return timeTicks(spec.min, spec.max, count);
  if (spec.kind === "duration") return durationTicks(spec.min, spec.max, count);
  return linearTicks(spec.min, spec.max, count, spec.kind === "step" ? 1 : 0);
}

function logAxis(spec: AxisSpec): Axis {
  const low = Math.log10(spec.min);
  const span = Math.log10(spec.max) - low;
  return {
    ...spec,
    at: (value) => (value > 0 ? (Math.log10(value) - low) / span : Number.NaN),
    value: (place) => 10 ** (low + place * span),
    ticks: (count) => logTicks(spec.min, spec.max, count),
  };
}

/** Ends of an axis that shows all of `low..high` with a little room; a constant stands in the middle. */
export function padded(low: number, high: number, log: boolean): [number, number] {
  if (!(low <= high)) return log ? [0.1, 1] : [0, 1];
  if (log) return paddedLog(low, high);
  if (low === high) return aroundConstant(low);
  const pad = Number.isFinite(high - low) ? (high - low) * 0.05 : 0;
  const from = low >= 0 && low - pad < 0 ? 0 : low - pad;
  return from < high + pad ? [from, high + pad] : aroundConstant(low);
}

function aroundConstant(value: number): [number, number] {
  if (value === 0) return [-1, 1];
  const pad = Math.max(Math.abs(value) * 0.1, Number.MIN_VALUE);
  const clamp = (end: number) => Math.min(Math.max(end, -Number.MAX_VALUE), Number.MAX_VALUE);
  return [clamp(value - pad), clamp(value + pad)];
}

function paddedLog(low: number, high: number): [number, number] {
  if (low === high) return [Math.max(low / 2, Number.MIN_VALUE), Math.min(high * 2, Number.MAX_VALUE)];
  const room = (high / low) ** 0.04;
  const grow = Number.isFinite(room) ? room : 10;
  return [Math.max(low / grow, Number.MIN_VALUE), Math.min(high * grow, Number.MAX_VALUE)];
}

/** Ends of an x axis: exactly the data, except that a single place gets room on both sides. */
export function xEnds(low: number, high: number, log: boolean): [number, number] {
  if (!(low <= high)) return log ? [1, 10] : [0, 1];
  if (low < high) return [low, high];
  if (log) return paddedLog(low, high);
  const pad = Math.max(Math.abs(low) * 1e-9, 1);
  return [low - pad, high + pad];
}
