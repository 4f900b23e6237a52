/** Moving and narrowing the shown part of an x axis. Pure; works on places, so log axes need nothing of their own. */
import type { Axis } from "./axis";

/** The shown part of the x axis, in data values; null shows everything. */
export interface XWindow {
  from: number;
  to: number;
}

/** Narrows (`factor` < 1) or widens the axis around a place; null when that would show everything or nothing more. */
export function zoomAround(axis: Axis, extent: XWindow, place: number, factor: number): XWindow | null {
  return windowOf(axis, extent, place - place * factor, place + (1 - place) * factor);
}

/** Shifts the shown part by a share of its width, stopping at the ends of the data. */
export function pan(axis: Axis, extent: XWindow, share: number): XWindow | null {
  const low = axis.at(extent.from);
  const high = axis.at(extent.to);
  const room = share < 0 ? Math.max(share, Math.min(0, low)) : Math.min(share, Math.max(0, high - 1));
  return windowOf(axis, extent, room, 1 + room);
}

/** The part between two places, whichever way it was dragged. */
export function between(axis: Axis, extent: XWindow, one: number, other: number): XWindow | null {
  return windowOf(axis, extent, Math.min(one, other), Math.max(one, other));
}

function windowOf(axis: Axis, extent: XWindow, low: number, high: number): XWindow | null {
  const from = Math.max(extent.from, axis.value(low));
  const to = Math.min(extent.to, axis.value(high));
  if (from <= extent.from && to >= extent.to) return null;
  return from < to ? { from, to } : { from: axis.min, to: axis.max };
}
