/** The metrics of several runs as one set of charts. Pure. */
import type { RunMetrics } from "../../api/wire";

export interface MetricsOfAll {
  /** Each metric with the runs that have it. */
  runsOf: ReadonlyMap<string, readonly string[]>;
  /** What is no metric but can be an axis. */
  axes: string[];
}

export function metricsOfAll(byRun: ReadonlyMap<string, RunMetrics>): MetricsOfAll {
  const runsOf = new Map<string, string[]>();
  const axes = new Set<string>();
  for (const [run, { metrics, axes: own = [] }] of byRun) {
    for (const { name } of metrics) {
      const runs = runsOf.get(name);
      if (runs) runs.push(run);
      else runsOf.set(name, [run]);
    }
    for (const name of own) axes.add(name);
  }
  return { runsOf, axes: [...axes] };
}
