/** One run as the page holds it: its detail and its metrics, kept fresh by live events. */
import { type Api, ApiError, segment } from "../../api/client";
import type { Live, LiveFrame } from "../../api/live.svelte";
import type { RunDetail, RunMetrics } from "../../api/wire";

/** Times between two loads that only confirm what live events said already. */
const CALM_MILLIS = 1_000;
const BLIND_MILLIS = 4_000;

export class RunView {
  detail = $state.raw<RunDetail | null>(null);
  metrics = $state.raw<RunMetrics | null>(null);
  failure = $state.raw<unknown>(null);
  metricsFailure = $state.raw<unknown>(null);
  /** Counts what the run wrote while it was watched; charts and images follow it. */
  growth = $state(0);

  /** Nothing here has this id. */
  readonly gone = $derived(
    this.failure instanceof ApiError &&
      this.failure.status === 404 &&
      this.failure.code !== "SESSION_NOT_FOUND",
  );
  readonly isLive = $derived(this.detail?.run.status === "running" && !this.detail.deleted);

  #flights = new Map<string, AbortController>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #due: "none" | "state" | "all" = "none";
  #stopped = false;

  constructor(
    readonly api: Api,
    readonly id: string,
    readonly live: Live,
  ) {}

  start(): () => void {
    void this.load();
    const silence = this.live.listen((frame) => this.#hear(frame));
    const unwatch = this.live.watch([this.id]);
    const blind = setInterval(() => {
      if (this.isLive && this.live.state !== "live") this.#stir("all");
    }, BLIND_MILLIS);
    return () => {
      this.#stopped = true;
      silence();
      unwatch();
      clearInterval(blind);
      clearTimeout(this.#timer);
      for (const flight of this.#flights.values()) flight.abort();
    };
  }

  async load(): Promise<void> {
    await Promise.all([this.loadDetail(), this.loadMetrics()]);
  }

  async loadDetail(): Promise<void> {
    try {
      const detail = await this.#get<RunDetail>("detail", `/api/run-detail/${segment(this.id)}`);
      if (detail === undefined) return;
      this.detail = detail;
      this.failure = null;
    } catch (error) {
      this.failure = error;
    }
  }

  async loadMetrics(): Promise<void> {
    try {
      const metrics = await this.#get<RunMetrics>("metrics", `/api/run-metrics/${segment(this.id)}`);
      if (metrics === undefined) return;
      this.metrics = metrics;
      this.metricsFailure = null;
    } catch (error) {
      this.metricsFailure = error;
    }
  }

  #hear(frame: LiveFrame): void {
    if (frame.type === "hello" || (frame.type === "run" && frame.run === this.id)) this.#stir("all");
    // Some run changed its state or its row; whether it was this one only the detail tells.
    else if (frame.type === "runs") this.#stir("state");
  }

  /** The curves follow at once; names, states and sizes follow at a calmer pace. */
  #stir(what: "state" | "all"): void {
    if (what === "all") this.growth += 1;
    if (this.#due !== "all") this.#due = what;
    this.#timer ??= setTimeout(() => void this.#settle(), 0);
  }

  async #settle(): Promise<void> {
    const all = this.#due === "all";
    this.#due = "none";
    const began = performance.now();
    await (all ? this.load() : this.loadDetail());
    if (this.#stopped) return;
    // A run of thousands of metrics has a long answer: it is asked for less often.
    const rest = Math.max(CALM_MILLIS, 5 * (performance.now() - began));
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#due !== "none") this.#timer = setTimeout(() => void this.#settle(), 0);
    }, rest);
  }

  /** The answer, or undefined when a newer question took its place. */
  async #get<Answer>(name: string, path: string): Promise<Answer | undefined> {
    this.#flights.get(name)?.abort();
    const flight = new AbortController();
    this.#flights.set(name, flight);
    try {
      return await this.api.get<Answer>(path, {}, flight.signal);
    } catch (error) {
      if (flight.signal.aborted) return undefined;
      throw error;
    }
  }
}
