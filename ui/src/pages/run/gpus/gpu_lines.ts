/** From the figures of GPUs to the lines of charts. Pure. */
import type { RunGpu } from "../../../api/run_gpus";
import type { LineSeries } from "../../../components/chart/plot_data";
import { shortName } from "../../../state/gpu_facts";

export const QUANTITIES = ["util", "memory", "power", "temperature"] as const;
export type Quantity = (typeof QUANTITIES)[number];

const rows: Record<Quantity, "util_gpu" | "mem_used_pct" | "power_w" | "temp_c"> = {
  util: "util_gpu",
  memory: "mem_used_pct",
  power: "power_w",
  temperature: "temp_c",
};

/** A longer silence than this breaks the line: the viewer was not running. One-minute means are a minute apart. */
const GAP_SECS = 150;

/** The quantities that any of the cards told of. */
export const toldOf = (gpus: readonly RunGpu[]): Quantity[] =>
  QUANTITIES.filter((quantity) => gpus.some((gpu) => gpu[rows[quantity]].some((value) => value !== null)));

export const nameOf = (gpu: RunGpu): string => `${gpu.index} · ${shortName(gpu.name)}`;

/** One line for each card; `shift` is taken from its times, so that they stand on the axis of the charts. */
export function linesOf(gpus: readonly RunGpu[], quantity: Quantity, shift: number): LineSeries[] {
  return gpus.map((gpu, at) => {
    const values = gpu[rows[quantity]];
    const x: number[] = [];
    const y: (number | null)[] = [];
    gpu.ts.forEach((ts, point) => {
      const before = gpu.ts[point - 1];
      if (before !== undefined && ts - before > GAP_SECS) {
        x.push((before + ts) / 2 - shift);
        y.push(null);
      }
      x.push(ts - shift);
      y.push(values[point] ?? null);
    });
    const id = gpu.uuid ?? String(gpu.index);
    return { id, label: nameOf(gpu), x, y, smooth: null, nonFinite: [], colour: at % 8 };
  });
}

/** The last value of a card, for the head of its chart; of several cards the mean. */
export function lastOf(gpus: readonly RunGpu[], quantity: Quantity): number | null {
  const last = gpus.flatMap((gpu) => gpu[rows[quantity]].findLast((value) => value !== null) ?? []);
  return last.length === 0 ? null : last.reduce((sum, value) => sum + value, 0) / last.length;
}
