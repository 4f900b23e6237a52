/** What is said of a GPU in more than one place. Pure. */
import type { GpuInfo } from "../api/wire";

/** A GPU that computes, or whose memory is held, is not free. */
export function isBusy(gpu: GpuInfo): boolean {
  const held = (gpu.mem_used_mib ?? 0) / Math.max(1, gpu.mem_total_mib ?? 0);
  return (gpu.util_gpu ?? 0) >= 5 || held >= 0.05;
}

/** The vendor's name without the words that all of them carry. */
export const shortName = (name: string): string => name.replace(/^NVIDIA (GeForce )?/, "");
