/** Which way a metric gets better: as the runs that take it for their best metric say. Pure. */
import type { RunRow } from "../../../api/wire";

export type Direction = "min" | "max";

/** Of several answers the one that most runs give; a metric that no run takes for its best has none. */
export function bestDirections(rows: readonly RunRow[]): ReadonlyMap<string, Direction> {
  const said = new Map<string, { min: number; max: number }>();
  for (const { best_metric_name: name, best_metric_mode: mode } of rows) {
    if (name === null || (mode !== "min" && mode !== "max")) continue;
    const counts = said.get(name) ?? { min: 0, max: 0 };
    counts[mode] += 1;
    said.set(name, counts);
  }
  return new Map([...said].map(([name, { min, max }]) => [name, max > min ? "max" : "min"]));
}
