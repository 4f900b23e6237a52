/** What a machine's GPUs and the machine itself do, now and before. Members that are not told are null. */
import type { Api } from "./client";
import type { components } from "./schema";

type Schemas = components["schemas"];
export type Gpu = Schemas["GpuNow"];
export type GpuProcess = Schemas["Process"];

export interface Telemetry {
  available: boolean;
  /** Why there are no GPUs. */
  reason: string;
  /** Unix seconds. */
  ts: number;
  gpus: Gpu[];
}

/** One GPU's means of a minute. */
export interface MinuteGpu {
  index: number;
  uuid: string | null;
  util_gpu_percent: number | null;
  mem_used_mib: number | null;
  mem_total_mib: number | null;
}
export interface Minute {
  ts: number;
  gpus: MinuteGpu[];
}

export interface DiskCounters {
  read_bytes: number;
  write_bytes: number;
}

/** The machine around the GPUs. */
export interface HostReading {
  available: boolean;
  reason?: string;
  ts: number;
  cpu: {
    percent: number | null;
    count: number;
    logical_count: number;
    per_core: number[];
    load_avg: number[] | null;
  };
  memory: {
    total: number;
    used: number;
    percent: number | null;
    swap_total: number;
    swap_used: number;
    swap_percent: number | null;
  };
  disk: {
    path?: string;
    total?: number;
    used?: number;
    free?: number;
    percent?: number | null;
    io?: DiskCounters | null;
  };
  platform: { system: string | null; release: string | null; machine: string | null };
}

/** A viewer of another version may leave members out: lists are lists all the same. */
export function readTelemetry(answer: Partial<Telemetry> | null): Telemetry {
  const gpus = Array.isArray(answer?.gpus) ? answer.gpus : [];
  return {
    available: answer?.available === true,
    reason: answer?.reason ?? "",
    ts: Number(answer?.ts) || 0,
    gpus: gpus.map((gpu) => ({ ...gpu, processes: Array.isArray(gpu.processes) ? gpu.processes : [] })),
  };
}

export async function gpusNow(api: Api, signal: AbortSignal): Promise<Telemetry> {
  return readTelemetry(await api.get<Partial<Telemetry>>("/api/gpu/telemetry", {}, signal));
}

/** Readings since a time, thinned evenly to `limit`. */
export async function gpusSince(
  api: Api,
  since: number,
  limit: number,
  signal: AbortSignal,
): Promise<Telemetry[]> {
  const answer = await api.get<{ samples?: Partial<Telemetry>[] }>(
    "/api/gpu/telemetry/history",
    { since, limit },
    signal,
  );
  return (answer.samples ?? []).map(readTelemetry);
}

export async function gpuMinutes(api: Api, since: number, signal: AbortSignal): Promise<Minute[]> {
  const answer = await api.get<{ minutes?: Minute[] }>("/api/gpu/telemetry/minutes", { since }, signal);
  return answer.minutes ?? [];
}

export const hostNow = (api: Api, signal: AbortSignal): Promise<HostReading> =>
  api.get<HostReading>("/api/system/monitor", {}, signal);
