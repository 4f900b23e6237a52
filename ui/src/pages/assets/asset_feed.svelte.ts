/** The assets of the shown root, kept current by the live link. */
import { untrack } from "svelte";
import { type AssetList, listAssets } from "../../api/assets";
import type { Api } from "../../api/client";
import type { Live, LiveFrame } from "../../api/live.svelte";

/** Runs change in crowds, and assets are saved seldom: they are asked about together. */
const gatherMillis = 1000;

export class AssetFeed {
  list = $state.raw<AssetList | null>(null);
  error = $state.raw<unknown>(null);

  #flight: AbortController | null = null;
  #again = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly api: Api,
    readonly live: Live,
  ) {}

  /** True until the first answer or failure. */
  get waiting(): boolean {
    return this.list === null && this.error === null;
  }

  /** Loads and follows until the returned function is called; begins with nothing, because the root may be another one. */
  start(): () => void {
    this.list = null;
    this.error = null;
    const deaf = this.live.listen((frame) => this.#hear(frame));
    const wake = () => document.hidden || void this.refresh();
    document.addEventListener("visibilitychange", wake);
    untrack(() => void this.refresh());
    return () => {
      deaf();
      document.removeEventListener("visibilitychange", wake);
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#flight?.abort();
      this.#flight = null;
    };
  }

  /** Asks now. Calls during a question become one more question after it: of a busy root none would ever be answered otherwise. */
  async refresh(): Promise<void> {
    if (this.#flight) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const flight = new AbortController();
    this.#flight = flight;
    try {
      do {
        this.#again = false;
        const list = await listAssets(this.api, flight.signal);
        if (flight.signal.aborted) return;
        this.list = list;
      } while (this.#again);
      this.error = null;
    } catch (error) {
      if (flight.signal.aborted) return;
      this.error = error;
    }
    this.#flight = null;
    if (this.list?.complete === false) this.#soon();
  }

  #hear(frame: LiveFrame): void {
    if (!document.hidden && ["runs", "storage", "hello"].includes(frame.type)) this.#soon();
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => void this.refresh(), gatherMillis);
  }
}
