/** How the charts of a run are looked at, and its spelling in the address bar. Pure. */
import type { AxisKind } from "../../components/chart/axis";
import type { XWindow } from "../../components/chart/zoom";

export type SmoothingKind = "ema" | "gaussian" | "running_mean";

export interface Smoothing {
  kind: SmoothingKind;
  amount: number;
}

/** `step`, `relative_step`, `wall_time`, `relative_time` or `metric:<name>`: the server's own words. */
export type XChoice = string;

export const X_CHOICES = ["step", "relative_step", "relative_time", "wall_time"] as const;

export interface ChartOptions {
  x: XChoice;
  logX: boolean;
  logY: boolean;
  /** What the y axis shows of the values. */
  range: RangeChoice;
  smoothing: Smoothing | null;
  /** Charts in a row; 0 fits them to the width. */
  columns: number;
  size: ChartSize;
  search: string;
  window: XWindow | null;
  /** The chart that fills the page. */
  full: string | null;
  folded: string[];
}

/** `robust`: without outliers. */
export const RANGE_CHOICES = ["all", "robust"] as const;
export type RangeChoice = (typeof RANGE_CHOICES)[number];

export type ChartSize = "small" | "medium" | "large";

/** Above the plot of a chart: its name and value. */
export const HEAD_PX = 24;

export const CHART_HEIGHT_PX: Record<ChartSize, number> = { small: 132, medium: 196, large: 300 };

export const DEFAULT_OPTIONS: ChartOptions = {
  x: "step",
  logX: false,
  logY: false,
  range: "all",
  smoothing: null,
  columns: 0,
  size: "medium",
  search: "",
  window: null,
  full: null,
  folded: [],
};

/** Range and first value of each kind of smoothing. */
export const SMOOTHING_RANGE: Record<
  SmoothingKind,
  { min: number; max: number; step: number; start: number }
> = {
  ema: { min: 0, max: 0.999, step: 0.001, start: 0.9 },
  gaussian: { min: 0.5, max: 100, step: 0.5, start: 5 },
  running_mean: { min: 2, max: 500, step: 1, start: 20 },
};

const KINDS = Object.keys(SMOOTHING_RANGE) as SmoothingKind[];

/** Reads the options out of an address; what makes no sense is left at its default. */
export function readOptions(query: URLSearchParams): ChartOptions {
  const x = query.get("x") ?? "";
  return {
    x: (X_CHOICES as readonly string[]).includes(x) || x.startsWith("metric:") ? x : DEFAULT_OPTIONS.x,
    logX: query.get("logx") === "1",
    logY: query.get("logy") === "1",
    range: query.get("range") === "robust" ? "robust" : "all",
    smoothing: readSmoothing(query.get("smooth")),
    columns: clampInteger(query.get("cols"), 0, 8),
    size: (["small", "large"] as const).find((size) => size === query.get("size")) ?? "medium",
    search: query.get("q") ?? "",
    window: readWindow(query.get("from"), query.get("to")),
    full: query.get("chart"),
    folded: readFolded(query.get("fold")),
  };
}

/** The options as members of an address; null for what is at its default. */
export function optionMembers(options: ChartOptions): Record<string, string | null> {
  const { x, logX, logY, range, smoothing, columns, size, search, window, full, folded } = options;
  return {
    x: x === DEFAULT_OPTIONS.x ? null : x,
    logx: logX ? "1" : null,
    logy: logY ? "1" : null,
    range: range === "all" ? null : range,
    smooth: smoothing ? `${smoothing.kind}:${smoothing.amount}` : null,
    cols: columns === 0 ? null : String(columns),
    size: size === "medium" ? null : size,
    q: search || null,
    from: window ? String(window.from) : null,
    to: window ? String(window.to) : null,
    chart: full,
    // The dot keeps the group without a name apart from nothing.
    fold: folded.length === 0 ? null : folded.map((prefix) => `.${encodeURIComponent(prefix)}`).join(","),
  };
}

function readFolded(text: string | null): string[] {
  try {
    const parts = (text ?? "").split(",").filter((part) => part.startsWith("."));
    return parts.map((part) => decodeURIComponent(part.slice(1)));
  } catch {
    return [];
  }
}

function readSmoothing(text: string | null): Smoothing | null {
  const [kind = "", amount = ""] = (text ?? "").split(":");
  const known = KINDS.find((word) => word === kind);
  if (!known || amount === "" || !Number.isFinite(Number(amount))) return null;
  const range = SMOOTHING_RANGE[known];
  return { kind: known, amount: Math.min(range.max, Math.max(range.min, Number(amount))) };
}

function readWindow(from: string | null, to: string | null): XWindow | null {
  if (from === null || to === null || from === "" || to === "") return null;
  const window = { from: Number(from), to: Number(to) };
  return Number.isFinite(window.from) && Number.isFinite(window.to) && window.from < window.to
    ? window
    : null;
}

function clampInteger(text: string | null, min: number, max: number): number {
  const value = Number.parseInt(text ?? "", 10);
  return Number.isFinite(value) ? Math.min(max, Math.max(min, value)) : min;
}

/** What the numbers along the x axis mean. */
export function axisKind(x: XChoice): AxisKind {
  if (x === "wall_time") return "time";
  if (x === "relative_time") return "duration";
  return x.startsWith("metric:") ? "number" : "step";
}
