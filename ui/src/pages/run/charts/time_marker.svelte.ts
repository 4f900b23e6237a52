/** A moment that is marked in all charts of a run: where it lies on the axis that is looked at. */
import { type Api, segment } from "../../../api/client";
import type { Moment } from "../../../api/wire";

export class TimeMarker {
  /** In Unix seconds; null when nothing is marked. */
  time = $state<number | null>(null);
  /** On the axis; null while it is not known. */
  x = $state<number | null>(null);

  #flight: AbortController | null = null;

  constructor(
    readonly api: Api,
    readonly run: string,
  ) {}

  /** Marks a moment on an axis, at the row that was recorded nearest to it. */
  async show(time: number | null, axis: string): Promise<void> {
    this.#flight?.abort();
    this.time = time;
    this.x = time !== null && axis === "wall_time" ? time : null;
    if (time === null || this.x !== null) return;
    const flight = new AbortController();
    this.#flight = flight;
    const { signal } = flight;
    try {
      const answer = await this.#ask({ x: axis, time }, signal);
      this.x = answer.x;
    } catch {
      // The time is said all the same; only the line is missing, and the next look asks again.
    }
  }

  /** The time of the row of a metric that is nearest to a place on an axis. */
  async timeOf(metric: string, axis: string, at: number): Promise<number | null> {
    return (await this.#ask({ x: axis, metric, at })).time;
  }

  #ask(query: Record<string, string | number>, signal?: AbortSignal): Promise<Moment> {
    return this.api.get<Moment>(`/api/moment/${segment(this.run)}`, query, signal);
  }
}
