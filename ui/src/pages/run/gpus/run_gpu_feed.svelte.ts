/** The GPU figures of a time of a run; another time is asked for when the charts are zoomed, and again while the run goes on. */
import type { Api } from "../../../api/client";
import { gpusOfRun, type RunGpus, type TimeWindow } from "../../../api/run_gpus";

/** A zoom being dragged or scrolled does not ask for every window on its way. */
const REST_MILLIS = 120;
/** Lines go on to the edges of the chart. */
const MARGIN = 0.02;

export class RunGpuFeed {
  value = $state.raw<RunGpus | null>(null);
  error = $state.raw<unknown>(null);
  #time: TimeWindow | null = null;
  #flight: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly api: Api,
    readonly run: string,
  ) {}

  show(time: TimeWindow): void {
    const first = this.#time === null;
    this.#time = time;
    clearTimeout(this.#timer);
    if (first) void this.refresh();
    else this.#timer = setTimeout(() => void this.refresh(), REST_MILLIS);
  }

  async refresh(): Promise<void> {
    const time = this.#time;
    if (time === null) return;
    this.#flight?.abort();
    const flight = new AbortController();
    this.#flight = flight;
    const margin = Math.max(60, (time.to - time.from) * MARGIN);
    const wide = { from: time.from - margin, to: time.to + margin };
    try {
      const value = await gpusOfRun(this.api, this.run, wide, flight.signal);
      if (flight.signal.aborted) return;
      this.value = value;
      this.error = null;
    } catch (error) {
      if (!flight.signal.aborted) this.error = error;
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#flight?.abort();
    this.#time = null;
  }
}
