/** Answers of a machine with GPUs, given on the network: the machines that run these tests have none. */
import type { Page } from "playwright-core";

export interface GivenProcess {
  pid: number;
  program: string | null;
  user: string | null;
  used_mib: number | null;
}

const totalMib = 143_771;

/** A card of a node that trains: even ones compute, each a little differently. */
export function gpu(
  index: number,
  processes: GivenProcess[] = [],
  util = processes.length > 0 ? 97 - index : 0,
) {
  const used = processes.reduce((sum, process) => sum + (process.used_mib ?? 0), 520);
  return {
    index,
    name: "NVIDIA H200",
    uuid: `GPU-${index}`,
    util_gpu: util,
    util_mem: util / 2,
    mem_total_mib: totalMib,
    mem_used_mib: used,
    mem_used_pct: (used / totalMib) * 100,
    temp_c: 34 + util / 3,
    power_w: 78 + util * 6,
    power_limit_w: 700,
    clock_sm_mhz: util > 0 ? 1980 : 345,
    clock_mem_mhz: 3201,
    pstate: "P0",
    fan_speed_pct: null,
    processes,
  };
}

export const telemetry = (gpus: object[], ts = Date.now() / 1000) => ({ available: true, ts, gpus });

/** How busy a card was: waves of epochs, and a night without work. */
function usedAt(index: number, minute: number): number {
  if (minute > 700 && minute < 900) return 0;
  return index % 4 === 3
    ? 0
    : Math.max(0, 88 + 9 * Math.sin(minute / 7 + index) - (minute % 60 < 3 ? 70 : 0));
}

/** The means of the last day, one for each minute. */
export function minutes(count: number, now = Date.now() / 1000) {
  return Array.from({ length: 1440 }, (_, at) => ({
    ts: Math.floor(now / 60) * 60 - (1440 - at) * 60,
    gpus: Array.from({ length: count }, (_, index) => ({
      index,
      uuid: `GPU-${index}`,
      name: "NVIDIA H200",
      util_gpu_percent: usedAt(index, at),
      mem_used_mib: usedAt(index, at) > 0 ? 96_000 : 520,
      mem_total_mib: totalMib,
      temperature_celsius: 60,
      power_watts: 500,
    })),
  }));
}

/** Answers as such a machine does; `now` is asked at each question. */
export async function giveGpus(page: Page, now: () => object, past: object[]): Promise<void> {
  await page.route("**/api/gpu/telemetry", (request) => request.fulfill({ json: now() }));
  await page.route("**/api/gpu/telemetry/history*", (request) =>
    request.fulfill({ json: { available: false, enabled: true, samples: [] } }),
  );
  await page.route("**/api/gpu/telemetry/minutes*", (request) =>
    request.fulfill({ json: { minutes: past } }),
  );
}

/** A node of eight cards, three people on it. */
export function node(): object[] {
  const process = (pid: number, user: string, program: string, used_mib: number): GivenProcess => ({
    pid,
    user,
    program,
    used_mib,
  });
  return Array.from({ length: 8 }, (_, index) => {
    if (index % 4 === 3) return gpu(index);
    if (index < 3)
      return gpu(index, [process(48_211 + index, "ada", "python train.py --config vit-l.yaml", 96_412)]);
    return gpu(index, [
      process(51_030 + index, "grace", "python -m vllm.entrypoints.openai.api_server", 81_204),
      process(51_900 + index, "edsger", "python eval.py", 4_310),
    ]);
  });
}
