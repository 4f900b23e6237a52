/** What the GPUs did while a run ran. */
import { type Api, segment } from "./client";

export interface RunGpu {
  index: number;
  uuid: string | null;
  name: string;
  /** Unix seconds, rising; the lists beside it have a value for each. */
  ts: readonly number[];
  util_gpu: readonly (number | null)[];
  mem_used_pct: readonly (number | null)[];
  temp_c: readonly (number | null)[];
  power_w: readonly (number | null)[];
}

export interface RunGpus {
  /** How the cards were found: the run's process held them, its environment named them, or all of the machine. */
  chosenBy: "process" | "environment" | "all";
  /** Why there is nothing; empty when there is something. */
  reason: string;
  detail: string;
  gpus: readonly RunGpu[];
}

type Loose = Record<string, unknown>;
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const numberOf = (value: unknown): number | null =>
  typeof value === "number" && Number.isFinite(value) ? value : null;

/** A row of values as long as the times; what is no number is not told. */
const valuesOf = (value: unknown, length: number): (number | null)[] =>
  Array.from({ length }, (_, at) => numberOf(listOf(value)[at]));

function readGpu(value: unknown): RunGpu | null {
  const gpu = (value ?? {}) as Loose;
  const index = numberOf(gpu.index);
  const ts = listOf(gpu.ts).map(numberOf);
  if (index === null || ts.includes(null)) return null;
  return {
    index,
    uuid: typeof gpu.uuid === "string" ? gpu.uuid : null,
    name: typeof gpu.name === "string" ? gpu.name : "",
    ts: ts as number[],
    util_gpu: valuesOf(gpu.util_gpu, ts.length),
    mem_used_pct: valuesOf(gpu.mem_used_pct, ts.length),
    temp_c: valuesOf(gpu.temp_c, ts.length),
    power_w: valuesOf(gpu.power_w, ts.length),
  };
}

/** Another machine may send anything. */
export function readRunGpus(answer: unknown): RunGpus {
  const { chosen_by, reason, detail, gpus } = (answer ?? {}) as Loose;
  return {
    chosenBy: (["process", "environment"] as const).find((way) => way === chosen_by) ?? "all",
    reason: typeof reason === "string" ? reason : "",
    detail: typeof detail === "string" ? detail : "",
    gpus: listOf(gpus).flatMap((gpu) => readGpu(gpu) ?? []),
  };
}

export interface TimeWindow {
  from: number;
  to: number;
}

export async function gpusOfRun(
  api: Api,
  run: string,
  time: TimeWindow,
  signal?: AbortSignal,
): Promise<RunGpus> {
  const query = { since: time.from, until: time.to };
  return readRunGpus(await api.get<unknown>(`/api/run-gpus/${segment(run)}`, query, signal));
}
