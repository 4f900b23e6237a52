/** How a number of a run differs from that of the baseline, and which way that is. Pure. */
import type { RunMetrics } from "../../../api/wire";
import { shortNumber } from "../../../components/chart/ticks";
import type { ComparedRun } from "../compared_runs";

export type Mode = "max" | "min";
export type Verdict = "better" | "worse" | "same";

export interface Difference {
  absolute: number;
  /** Of the size of the baseline's number; null where that is 0. */
  percent: number | null;
  /** Null where nobody knows whether more or less is better. */
  verdict: Verdict | null;
}

/** Null unless both are finite numbers. */
export function differenceOf(
  value: number | null | undefined,
  base: number | null | undefined,
  mode: Mode | null,
): Difference | null {
  if (value == null || base == null || !Number.isFinite(value) || !Number.isFinite(base)) return null;
  const absolute = value - base;
  if (!Number.isFinite(absolute)) return null;
  const share = base === 0 ? null : (absolute / Math.abs(base)) * 100;
  const percent = share !== null && Number.isFinite(share) ? share : null;
  const better = mode === "max" ? absolute > 0 : absolute < 0;
  const verdict = absolute === 0 ? "same" : mode === null ? null : better ? "better" : "worse";
  return { absolute, percent, verdict };
}

const signed = (text: string, value: number): string => (value > 0 ? `+${text}` : text).replaceAll("-", "−");

/** `+0.031 · +3.9 %` */
export function differenceText({ absolute, percent }: Difference): string {
  if (absolute === 0) return "±0";
  const size = signed(shortNumber(Number(absolute.toPrecision(3))), absolute);
  return percent === null ? size : `${size} · ${percentText(percent)}`;
}

function percentText(percent: number): string {
  const size = Math.abs(percent);
  const digits = size >= 100 ? 0 : size >= 0.1 ? 1 : 2;
  const text = size < 0.005 ? "<0.01" : size >= 1e6 ? ">999,999" : size.toFixed(digits);
  return `${percent < 0 ? "−" : "+"}${text} %`;
}

/** What runs are held against each other by: the best value that they name, or the last one of a metric. */
export interface Measure {
  kind: "best" | "last";
  metric: string;
}

export const measureText = ({ kind, metric }: Measure): string => `${kind}:${metric}`;

export function readMeasure(text: string): Measure | null {
  const [, kind, metric] = /^(best|last):(.+)$/s.exec(text) ?? [];
  return metric === undefined ? null : { kind: kind as Measure["kind"], metric };
}

type RecordedMetrics = ReadonlyMap<string, RunMetrics>;

export function measured(measure: Measure, run: ComparedRun, metrics: RecordedMetrics): number | null {
  if (measure.kind === "best") return run.best?.name === measure.metric ? run.best.value : null;
  return metrics.get(run.id)?.metrics.find(({ name }) => name === measure.metric)?.last ?? null;
}

/** Which way a metric gets better: what the runs say that name it as theirs; null when none does, or not all agree. */
export function modeOf(metric: string, runs: readonly ComparedRun[]): Mode | null {
  const said = new Set(runs.flatMap(({ best }) => (best?.name === metric && best.mode ? [best.mode] : [])));
  const [mode] = said;
  return said.size === 1 && mode !== undefined ? mode : null;
}

/** What the runs can be held against the baseline by: its best value first, then its metrics. */
export function measuresOf(baseline: ComparedRun, metrics: RecordedMetrics): Measure[] {
  const names = metrics.get(baseline.id)?.metrics.map(({ name }) => name) ?? [];
  const best: Measure[] = baseline.best ? [{ kind: "best", metric: baseline.best.name }] : [];
  return [...best, ...names.map((metric): Measure => ({ kind: "last", metric }))];
}
