/** The last and best numbers of runs as rows beside the baseline's. Pure. */
import { formatValue } from "../../../format/numbers";
import type { ComparedRun } from "../compared_runs";
import { type DifferenceRow, fits, isEqual, type SectionRows } from "../differences";
import type { Baseline } from "./baseline.svelte";
import { type Measure, measured } from "./difference";

/** A table of more cells than this would be slow and read by nobody: then the search leads on. */
const MOST_CELLS = 20_000;

type Held = Pick<Baseline, "run" | "measures" | "difference">;

/** Null where no run is held against. `nameOf` says what a measure is called. */
export function metricSection(
  baseline: Held,
  runs: readonly ComparedRun[],
  metrics: Parameters<typeof measured>[2],
  nameOf: (measure: Measure) => string,
  search: string,
): SectionRows | null {
  const base = runs.findIndex((run) => run.id === baseline.run?.id);
  if (base < 0) return null;
  const byName = baseline.measures.filter((measure) => fits([nameOf(measure)], search));
  const kept = byName.slice(0, Math.max(1, Math.floor(MOST_CELLS / runs.length)));
  const rows = kept.map((measure): DifferenceRow => {
    const cells = runs.map((run) => {
      const value = measured(measure, run, metrics);
      return value === null ? null : formatValue(value);
    });
    const against = runs.map((run) => baseline.difference(measure, run));
    return { path: nameOf(measure), cells, usual: cells[base] ?? null, against };
  });
  if (rows.length === 0) return null;
  return {
    section: "metrics",
    differing: rows.filter((row) => !isEqual(row)),
    equal: rows.filter(isEqual),
    left: byName.length - kept.length,
  };
}
