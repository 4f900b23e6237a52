/** Keeps the cross-hair of charts by time beside that of charts by another axis: each follows the other one, as soon as the row is known. */
import type { Crosshair } from "../../../components/chart/crosshair.svelte";
import type { RunClock } from "./run_clock.svelte";

/** A moving pointer asks for no more rows than this. */
const PAUSE_MILLIS = 60;

export class CrossBridge {
  /** Stands as the owner of what was carried over, so that it is not carried back. */
  readonly #me = Symbol("bridge");
  #flight: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly clock: RunClock,
    readonly charts: Crosshair,
    readonly times: Crosshair,
  ) {}

  /** Call when one of the two moved; `axis` is that of the charts. */
  follow(from: "charts" | "times", axis: string): void {
    const [source, target] = from === "charts" ? [this.charts, this.times] : [this.times, this.charts];
    if (source.owner === this.#me) return;
    this.stop();
    const { x } = source;
    if (x === null) {
      target.leave(this.#me);
      return;
    }
    this.#timer = setTimeout(() => void this.#carry(from, axis, x), PAUSE_MILLIS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#flight?.abort();
  }

  async #carry(from: "charts" | "times", axis: string, x: number): Promise<void> {
    const flight = new AbortController();
    this.#flight = flight;
    const toTimes = from === "charts";
    const asked = toTimes
      ? this.clock.timeAt(axis, x, flight.signal)
      : this.clock.placeAt(axis, x, flight.signal);
    // Without an answer the other side has no cross-hair: it is a help and no value.
    const place = await asked.catch(() => null);
    if (flight.signal.aborted) return;
    const target = toTimes ? this.times : this.charts;
    if (place === null) target.leave(this.#me);
    else target.point(this.#me, place);
  }
}
