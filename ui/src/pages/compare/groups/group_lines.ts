/** The lines of one chart whose runs are grouped: a mean for each group, and its runs behind it where they are wanted. Pure. */
import type { LineSeries } from "../../../components/chart/plot_data";
import type { MeanCurve } from "../../charts/series_feed.svelte";
import type { BandChoice, RunGroup } from "./run_groups";

/** A run's line, put behind the mean of its group and in its colour. */
export function behindGroups(
  lines: readonly LineSeries[],
  groups: readonly RunGroup[],
  looks: ReadonlyMap<string, number>,
): LineSeries[] {
  const groupOf = new Map(groups.flatMap((group) => group.runs.map((run) => [run.id, group] as const)));
  return lines.flatMap((line) => {
    const group = groupOf.get(line.id);
    if (!group) return [];
    return [{ ...line, colour: looks.get(group.key) ?? 0, weight: "faint", under: group.line }];
  });
}

/** The means, in the order of the groups; those that have nothing here are left out. */
export function groupLines(
  groups: readonly RunGroup[],
  means: ReadonlyMap<string, MeanCurve>,
  looks: ReadonlyMap<string, number>,
  band: BandChoice,
): LineSeries[] {
  return groups.flatMap(({ key, line, label }) => {
    const mean = means.get(key);
    if (!mean || mean.x.length + mean.nonFinite.length === 0) return [];
    const { x, y, smooth, nonFinite, low, high } = mean;
    const own = { id: line, label, x, y, smooth, nonFinite, colour: looks.get(key) ?? 0 };
    return [band === "none" ? own : { ...own, band: { low, high } }];
  });
}

/** The line that stands out: what is pointed at, or the mean that it is part of where it is not drawn itself. */
export function frontOf(
  pointed: string | null,
  lines: readonly LineSeries[],
  groups: readonly RunGroup[],
): string | null {
  if (pointed === null || lines.some((line) => line.id === pointed)) return pointed;
  return groups.find((group) => group.runs.some((run) => run.id === pointed))?.line ?? pointed;
}
