/** A question whose answer changes with what the live link tells: asked at once, and again when that says so. */
import { untrack } from "svelte";
import type { Live, LiveFrame } from "./live.svelte";

const tell = (waiters: readonly (() => void)[]): void => {
  for (const answered of waiters) answered();
};

/** Start it in a component or an `$effect` and stop it when that ends. The last answer stays while it is asked again. */
export abstract class LiveQuestion {
  /** Why the last question has no answer; null when it has. */
  error = $state.raw<unknown>(null);
  /** True until the first answer or failure. */
  waiting = $state(true);

  #flight: AbortController | null = null;
  /** Those who asked during a question: they wait for the one after it. */
  #later: (() => void)[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running = false;

  constructor(readonly live: Live) {}

  /** Asks once and keeps the answer, unless the signal was aborted meanwhile. */
  protected abstract ask(signal: AbortSignal): Promise<void>;

  protected abstract hear(frame: LiveFrame): void;

  /** Time after which it is asked again unless the link says so sooner, in milliseconds; null: never. */
  protected restMillis(): number | null {
    return null;
  }

  /** Asks and follows until the returned function is called. */
  start(): () => void {
    this.#running = true;
    const deaf = this.live.listen((frame) => this.hear(frame));
    const wake = () => document.hidden || void this.refresh();
    document.addEventListener("visibilitychange", wake);
    untrack(() => void this.refresh());
    return () => {
      this.#running = false;
      deaf();
      document.removeEventListener("visibilitychange", wake);
      this.#rest(null);
      this.forget();
    };
  }

  /** Asks now. Calls during a question become one more after it; resolves when one that began after the call is answered. */
  refresh(): Promise<void> {
    if (this.#flight === null) return this.#askNow();
    return new Promise((answered) => this.#later.push(answered));
  }

  /** Asks within some time; until then all calls are one. */
  protected askWithin(millis: number): void {
    if (this.#running) this.#timer ??= setTimeout(() => void this.refresh(), millis);
  }

  /** Nobody waits for the question under way any more. */
  protected forget(): void {
    this.#flight?.abort();
    this.#flight = null;
    tell(this.#later.splice(0));
  }

  /** What `restMillis` reads has changed. */
  protected plan(): void {
    this.#rest(this.restMillis());
  }

  async #askNow(): Promise<void> {
    this.#rest(null);
    const flight = new AbortController();
    this.#flight = flight;
    let failure: unknown = null;
    try {
      await this.ask(flight.signal);
    } catch (error) {
      failure = error;
    }
    if (flight.signal.aborted) return;
    this.#flight = null;
    this.error = failure;
    this.waiting = false;
    const later = this.#later.splice(0);
    if (later.length === 0) this.plan();
    else void this.#askNow().then(() => tell(later));
  }

  #rest(millis: number | null): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (millis !== null) this.askWithin(millis);
  }
}
