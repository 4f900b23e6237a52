/** Small curves of many runs, for the cells of a table. */
import type { Api } from "./client";
import type { SeriesAnswer, SeriesRequest } from "./wire";

export interface SmallCurve {
  x: readonly number[];
  y: readonly number[];
}

/** Runs in one question: the first rows are drawn before the last are read. */
const RUNS_TOGETHER = 32;

/** The metrics of these runs as curves of so many pixel columns; a run without points gives an empty one. */
export async function askCurves(
  api: Api,
  runs: readonly string[],
  metrics: readonly string[],
  width_px: number,
  hear: (runs: readonly string[], curves: readonly (readonly SmallCurve[])[]) => void,
  signal: AbortSignal,
): Promise<void> {
  for (let at = 0; at < runs.length; at += RUNS_TOGETHER) {
    const part = runs.slice(at, at + RUNS_TOGETHER);
    const body: SeriesRequest = { runs: part, metrics: [...metrics], x: "step", width_px, log_x: false };
    const answer = await api.post<SeriesAnswer>("/api/series", body, signal);
    const byRun = new Map(answer.series.map((one) => [`${one.run}\n${one.metric}`, one]));
    const curveOf = (run: string, metric: string): SmallCurve => {
      const found = byRun.get(`${run}\n${metric}`);
      return { x: found?.x ?? [], y: found?.y ?? [] };
    };
    hear(
      part,
      metrics.map((metric) => part.map((run) => curveOf(run, metric))),
    );
  }
}
