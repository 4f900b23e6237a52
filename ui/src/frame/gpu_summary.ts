/** The GPUs of this machine in a few words, or nothing when there are none. */
import type { GpuInfo, GpuTelemetry } from "../api/wire";

export interface GpuSummary {
  count: number;
  /** "8 × H200" when all are alike, else "8 × GPU". */
  title: string;
  busy: number;
  names: string;
}

/** A GPU that computes, or whose memory is held, is not free. */
function isBusy(gpu: GpuInfo): boolean {
  const held = (gpu.mem_used_mib ?? 0) / Math.max(1, gpu.mem_total_mib ?? 0);
  return (gpu.util_gpu ?? 0) >= 5 || held >= 0.05;
}

export function gpuSummary(telemetry: GpuTelemetry | undefined): GpuSummary | null {
  const gpus = telemetry?.available ? (telemetry.gpus ?? []) : [];
  if (gpus.length === 0) return null;
  const names = [...new Set(gpus.map((gpu) => gpu.name.replace(/^NVIDIA (GeForce )?/, "")))];
  const count = gpus.length;
  const title = names.length === 1 ? `${count} × ${names[0]}` : `${count} × GPU`;
  return { count, title, busy: gpus.filter(isBusy).length, names: names.join(", ") };
}
