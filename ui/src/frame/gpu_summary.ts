/** The GPUs of this machine in a few words, or nothing when there are none. */
import type { GpuTelemetry } from "../api/wire";
import { isBusy, shortName } from "../state/gpu_facts";

export interface GpuSummary {
  count: number;
  /** "8 × H200" when all are alike, else "8 × GPU". */
  title: string;
  busy: number;
  names: string;
}

export function gpuSummary(telemetry: GpuTelemetry | undefined): GpuSummary | null {
  const gpus = telemetry?.available ? (telemetry.gpus ?? []) : [];
  if (gpus.length === 0) return null;
  const names = [...new Set(gpus.map((gpu) => shortName(gpu.name)))];
  const count = gpus.length;
  const title = names.length === 1 ? `${count} × ${names[0]}` : `${count} × GPU`;
  return { count, title, busy: gpus.filter(isBusy).length, names: names.join(", ") };
}
