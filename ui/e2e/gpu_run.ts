/** A run whose process held a GPU, and the one-minute means that an earlier start of the viewer left of that time. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { append, eventLine, finish } from "./run_root";
import { writeRun } from "./viewer";

export const RUN = "20260201_000000_9b0001";
export const BEGAN = 1_770_000_000;
export const STEPS = 600;
/** Later steps took longer: half of the steps were done after a quarter of the time. */
export const timeOf = (step: number): number => BEGAN + (step * step) / STEPS;

const lossAt = (step: number): number => 0.12 + 2.2 * Math.exp(-step / 120) + 0.05 * Math.sin(step * 2.7);

/** A minute of two cards; the process of the run held the second. */
export function minute(at: number) {
  const gpu = (index: number, util: number, pids: number[]) => ({
    index,
    uuid: `GPU-${index}`,
    name: "NVIDIA H200",
    util_gpu_percent: util,
    mem_used_mib: at < 6 ? 72_000 : 96_000,
    mem_total_mib: 143_771,
    temperature_celsius: Math.min(68, 52 + at * 1.5),
    power_watts: 560 + 40 * Math.sin(at * 1.3),
    ...(pids.length > 0 ? { pids } : {}),
  });
  return {
    ts: BEGAN - 300 + at * 60,
    gpus: [gpu(0, 3, []), gpu(1, 85 + 4 * Math.sin(at * 1.7), [process.pid])],
  };
}

export function writeGpuRun(root: string): void {
  const dir = writeRun(root, { id: RUN, path: "gpu/net", alias: "used a GPU", createdAt: BEGAN });
  const lines = Array.from({ length: STEPS + 1 }, (_, step) =>
    eventLine(step, { loss: lossAt(step) }, timeOf(step)),
  );
  append(dir, "events.jsonl", lines.join(""));
  finish(dir, "finished");
  const status = { status: "finished", started_at: BEGAN, ended_at: timeOf(STEPS) };
  writeFileSync(join(dir, "status.json"), JSON.stringify(status));
}

export function writeMinutes(home: string): void {
  mkdirSync(join(home, "state"), { recursive: true });
  const lines = Array.from({ length: 25 }, (_, at) => `${JSON.stringify(minute(at))}\n`);
  writeFileSync(join(home, "state/gpu-minutes.jsonl"), lines.join(""));
}
