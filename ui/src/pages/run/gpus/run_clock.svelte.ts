/**
 * From places on the x axis of a run's charts to times and back.
 *
 * Wall and relative time are times themselves, so that other curves can lie on the very same axis. On any other axis only recorded rows
 * have a time: the server names the row nearest to a place.
 */
import { type Api, segment } from "../../../api/client";
import type { TimeWindow } from "../../../api/run_gpus";
import type { Moment } from "../../../api/wire";

/** Farther than any run is long, in seconds. */
const FOR_EVER_SECS = 1e15;

export class RunClock {
  /** Times of the run's first and last row; null while they are not known, or when no row has a time. */
  span = $state.raw<TimeWindow | null>(null);
  failure = $state.raw<unknown>(null);
  waiting = $state(true);

  constructor(
    readonly api: Api,
    readonly run: string,
  ) {}

  /** What is taken from a time to stand on the axis; null where times do not stand on it. */
  shiftOf(axis: string): number | null {
    if (axis === "wall_time") return 0;
    return axis === "relative_time" ? (this.span?.from ?? null) : null;
  }

  async load(): Promise<void> {
    try {
      const [first, last] = await Promise.all([
        this.#row("relative_time", { at: 0 }),
        this.#row("relative_time", { at: FOR_EVER_SECS }),
      ]);
      // The first row that has a time is the origin of relative time.
      this.span =
        first.time === null || last.time === null
          ? null
          : { from: first.time - (first.x ?? 0), to: Math.max(first.time, last.time) };
      this.failure = null;
    } catch (error) {
      this.failure = error;
    }
    this.waiting = false;
  }

  async timeAt(axis: string, x: number, signal?: AbortSignal): Promise<number | null> {
    const shift = this.shiftOf(axis);
    return shift === null ? (await this.#row(axis, { at: x }, signal)).time : x + shift;
  }

  async placeAt(axis: string, time: number, signal?: AbortSignal): Promise<number | null> {
    const shift = this.shiftOf(axis);
    return shift === null ? (await this.#row(axis, { time }, signal)).x : time - shift;
  }

  #row(axis: string, near: { at: number } | { time: number }, signal?: AbortSignal): Promise<Moment> {
    return this.api.get<Moment>(`/api/moment/${segment(this.run)}`, { x: axis, ...near }, signal);
  }
}
