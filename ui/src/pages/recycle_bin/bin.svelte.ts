/** What lies in the recycle bin of the shown root, kept current by the live link. */
import { untrack } from "svelte";
import type { Api } from "../../api/client";
import type { Live, LiveFrame } from "../../api/live.svelte";
import { type BinRun, listBin } from "../../api/recycle_bin";

/** Deletions come in crowds: they are asked about together. */
const gatherMillis = 150;

export class Bin {
  runs = $state.raw<readonly BinRun[]>([]);
  error = $state.raw<unknown>(null);
  /** True until the first answer or failure. */
  waiting = $state(true);
  readonly byId: ReadonlyMap<string, BinRun> = $derived(new Map(this.runs.map((run) => [run.id, run])));

  #flight: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly api: Api,
    readonly live: Live,
  ) {}

  /** Loads and follows until the returned function is called. */
  start(): () => void {
    const deaf = this.live.listen((frame) => this.#hear(frame));
    const wake = () => document.hidden || void this.refresh();
    document.addEventListener("visibilitychange", wake);
    untrack(() => void this.refresh());
    return () => {
      deaf();
      document.removeEventListener("visibilitychange", wake);
      clearTimeout(this.#timer);
      this.#flight?.abort();
    };
  }

  /** Asks now; an older question is dropped. */
  async refresh(): Promise<void> {
    this.#flight?.abort();
    const flight = new AbortController();
    this.#flight = flight;
    try {
      const runs = await listBin(this.api, flight.signal);
      if (flight.signal.aborted) return;
      this.runs = runs;
      this.error = null;
    } catch (error) {
      if (flight.signal.aborted) return;
      this.error = error;
    }
    this.waiting = false;
  }

  /** A run that goes into the bin, or out of it, leaves or joins the list of runs. */
  #hear(frame: LiveFrame): void {
    if (document.hidden || !["runs", "storage", "hello"].includes(frame.type)) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.refresh(), gatherMillis);
  }
}
