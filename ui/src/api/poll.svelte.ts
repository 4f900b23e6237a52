/** A resource that loads, refreshes, rests while the window is hidden and backs off on errors. */
import { untrack } from "svelte";

export interface PollOptions {
  /** Time between two loads, in milliseconds; null loads only when asked. */
  everyMillis?: number | null;
}

const longestWaitMillis = 30_000;

/** Wait before the next load after `failures` failures in a row. */
export function backOffMillis(everyMillis: number, failures: number): number {
  return Math.min(longestWaitMillis, everyMillis * 2 ** Math.min(failures, 10));
}

/** Make it in a component's script or in an `$effect`, start it there and stop it when that ends. */
export class Poll<T> {
  value = $state.raw<T | undefined>(undefined);
  error = $state.raw<unknown>(null);
  /** True until the first answer or failure. */
  waiting = $state(true);
  loading = $state(false);

  #load: (signal: AbortSignal) => Promise<T>;
  #everyMillis: number | null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #flight: AbortController | null = null;
  #failures = 0;
  #running = false;

  constructor(load: (signal: AbortSignal) => Promise<T>, options: PollOptions = {}) {
    this.#load = load;
    this.#everyMillis = options.everyMillis ?? null;
  }

  start(): () => void {
    this.#running = true;
    document.addEventListener("visibilitychange", this.#seen);
    untrack(() => void this.refresh());
    return () => this.stop();
  }

  stop(): void {
    this.#running = false;
    clearTimeout(this.#timer);
    this.#flight?.abort();
    document.removeEventListener("visibilitychange", this.#seen);
  }

  /** Loads now; an older load still in flight is dropped. */
  async refresh(): Promise<void> {
    clearTimeout(this.#timer);
    this.#flight?.abort();
    const flight = new AbortController();
    this.#flight = flight;
    this.loading = true;
    try {
      const value = await this.#load(flight.signal);
      if (flight.signal.aborted) return;
      this.value = value;
      this.error = null;
      this.#failures = 0;
    } catch (error) {
      if (flight.signal.aborted) return;
      this.error = error;
      this.#failures += 1;
    }
    this.waiting = false;
    this.loading = false;
    this.#plan();
  }

  #plan(): void {
    if (!this.#running || this.#everyMillis === null || document.hidden) return;
    const wait = backOffMillis(this.#everyMillis, this.#failures);
    this.#timer = setTimeout(() => void this.refresh(), wait);
  }

  #seen = (): void => {
    clearTimeout(this.#timer);
    if (!document.hidden && this.#running && this.#everyMillis !== null) void this.refresh();
  };
}
