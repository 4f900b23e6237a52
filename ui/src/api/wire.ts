/** Short names for the generated types that the pages speak of most, and the shape of a row, which the document leaves open. */
import type { components } from "./schema";

type Schemas = components["schemas"];

/** An answer names every member: what the document calls optional comes as null. */
type Sent<Part> = { [Name in keyof Part]-?: Exclude<Part[Name], undefined> };

export type StorageInfo = Sent<Schemas["Storage"]>;
export type RunListAnswer = Omit<Schemas["RunListAnswer"], "storage"> & { storage: StorageInfo };
export type MetricInfo = Sent<Schemas["MetricAnswer"]>;
export type RunMetrics = Omit<Schemas["RunMetricsAnswer"], "metrics"> & { metrics: MetricInfo[] };

export interface RunMetricsOfMany {
  runs: RunMetrics[];
  /** Runs that are not here. */
  missing: string[];
  /** Why a machine said nothing of its runs, where several were asked. */
  failed?: Map<string, unknown>;
}
export type SeriesRequest = Omit<Schemas["SeriesQuestion"], "groups" | "band"> &
  Partial<Pick<Schemas["SeriesQuestion"], "groups" | "band">> & { cursor?: string | null };
export type LogLines = Schemas["LinesAnswer"];
export type FilteredLine = Sent<Schemas["FilteredLineAnswer"]>;
export type FilteredLines = Omit<Schemas["FilteredAnswer"], "lines"> & { lines: FilteredLine[] };
export type LogSearchHit = Omit<Schemas["HitAnswer"], "spans"> & { spans: [number, number][] };
export type LogSearchAnswer = Omit<Schemas["SearchAnswer"], "hits"> & { hits: LogSearchHit[] };
export type NearestLine = Sent<Schemas["NearestAnswer"]>;
export type Moment = Sent<Schemas["MomentAnswer"]>;
export type GpuInfo = Pick<Schemas["GpuNow"], "name" | "util_gpu" | "mem_used_mib" | "mem_total_mib">;
export type GpuTelemetry = Pick<Schemas["Telemetry"], "available"> & { gpus?: GpuInfo[] };
export type DesktopInfo = Schemas["DesktopAnswer"];
export type StorageCandidate = Schemas["Candidate"];

/** One run of the list, under the names of `fields`. */
export interface RunRow {
  id: string;
  path: string | null;
  alias: string | null;
  status: string;
  status_reason: string | null;
  created_at: number | null;
  started_at: number | null;
  ended_at: number | null;
  tags: string[];
  best_metric_name: string | null;
  best_metric_value: number | null;
  best_metric_step: number | null;
  best_metric_mode: string | null;
  assets_count: number;
  problem: string | null;
  last_write_at: number | null;
}

/** What a run says of itself is anything: its members are looked at before they are shown. */
export type RunDetail = Omit<
  Schemas["RunDetailAnswer"],
  "run" | "meta" | "summary" | "config" | "environment"
> & {
  run: RunRow;
  meta: Record<string, unknown>;
  summary: Record<string, unknown>;
  config: {
    args: Record<string, unknown> | null;
    extra: Record<string, unknown> | null;
    config_files: unknown;
  };
  environment: Record<string, unknown> | null;
};

export type Series = Omit<Sent<Schemas["OneSeries"]>, "non_finite"> & {
  non_finite: [number, "nan" | "inf" | "-inf"][];
};

export type GroupSeries = Omit<Sent<Schemas["GroupSeries"]>, "non_finite"> & Pick<Series, "non_finite">;

export type SeriesAnswer = Omit<Schemas["SeriesAnswer"], "series" | "groups"> & {
  series: Series[];
  /** Absent where a host has an older viewer. */
  groups?: GroupSeries[];
};

/** Outcome of a deed on several runs, by id. */
export interface DeleteAnswer {
  results: Record<string, { success: boolean; error?: string }>;
  message: string;
}
