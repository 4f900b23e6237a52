/** The lines of one chart out of the curves of several runs. Pure. */
import type { LineSeries } from "../../components/chart/plot_data";
import type { XWindow } from "../../components/chart/zoom";
import type { Curve } from "../charts/series_feed.svelte";
import type { ComparedRun } from "./compared_runs";

/** A line for each run that is shown and has anything here; `curves` stand in the order of `ids`. */
export function runLines(
  ids: readonly string[],
  curves: readonly (Curve | null)[],
  runs: readonly ComparedRun[],
): LineSeries[] {
  const byId = new Map(ids.map((id, at) => [id, curves[at] ?? null]));
  return runs.flatMap(({ id, name, short, look, shown }) => {
    const curve = byId.get(id);
    if (!curve || !shown || curve.x.length + curve.nonFinite.length === 0) return [];
    const { x, y, smooth, nonFinite } = curve;
    return [
      {
        id,
        label: name === id || id.endsWith(`/${name}`) ? `…${short}` : name,
        x,
        y,
        smooth,
        nonFinite,
        colour: look,
      },
    ];
  });
}

/** The whole of the x axis over all runs. */
export function extentOfAll(curves: readonly (Curve | null)[]): XWindow | null {
  let whole: XWindow | null = null;
  for (const curve of curves) {
    const extent = curve?.extent;
    if (!extent) continue;
    whole = whole
      ? { from: Math.min(whole.from, extent.from), to: Math.max(whole.to, extent.to) }
      : { ...extent };
  }
  return whole;
}

/**
 * The x axis of the pixel columns that the curves are in, over the runs that were asked about; null where every point
 * that is shown is at hand, so that any axis will do.
 */
export function columnsExtent(
  ids: readonly string[],
  curves: readonly (Curve | null)[],
  means: readonly Curve[],
  runs: readonly ComparedRun[],
): XWindow | null {
  const shown = new Set(runs.filter((run) => run.shown).map((run) => run.id));
  const isReduced = (curve: Curve | null, at: number) => !!curve && !curve.exact && shown.has(ids[at] ?? "");
  return curves.some(isReduced) ? extentOfAll([...curves, ...means]) : null;
}

/** The line that others are held against is bold, and drawn over them. */
export function baselineInFront(lines: readonly LineSeries[], id: string | undefined): readonly LineSeries[] {
  const base = lines.find((line) => line.id === id);
  if (!base) return lines;
  return [...lines.filter((line) => line !== base), { ...base, weight: "strong" }];
}
