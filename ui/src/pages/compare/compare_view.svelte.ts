/** The runs of a comparison as the page holds them: their metrics, what they recorded, what of them is not here. */
import { type Api, ApiError, segment } from "../../api/client";
import type { LiveFrame } from "../../api/live.svelte";
import type { RunDetail, RunMetrics, RunMetricsOfMany } from "../../api/wire";

import { NOT_REACHABLE } from "./hosts/many_api";
import type { Following } from "./hosts/many_live";

/** Times between two looks at runs that grow. */
const CALM_MILLIS = 1_000;
const BLIND_MILLIS = 4_000;

/** The run's own absence, not that of the machine that was asked. */
export const isGone = (error: unknown): boolean =>
  error instanceof ApiError && error.status === 404 && error.code !== "SESSION_NOT_FOUND";

/** Its machine is not connected. */
export const isAway = (error: unknown): boolean => error instanceof ApiError && error.code === NOT_REACHABLE;

export class CompareView {
  metrics = $state.raw<ReadonlyMap<string, RunMetrics>>(new Map());
  details = $state.raw<ReadonlyMap<string, RunDetail>>(new Map());
  /** What `assets.json` of the runs says; they come with the details. */
  assets = $state.raw<ReadonlyMap<string, unknown>>(new Map());
  /** Why a run is not shown. */
  faults = $state.raw<ReadonlyMap<string, unknown>>(new Map());
  /** True until every run has answered or failed. */
  waiting = $state(true);
  waitingForDetails = $state(true);
  /** Counts what the runs wrote while they were watched; the charts follow it. */
  growth = $state(0);
  /** The run that is pointed at, in a chart or in the list. */
  pointed = $state<string | null>(null);

  /** Runs that are here, in the order of the address. */
  readonly present = $derived.by(() => this.ids.filter((id) => this.metrics.has(id)));

  #grown = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #flight = new AbortController();

  constructor(
    readonly api: Api,
    readonly ids: readonly string[],
    readonly live: Following,
  ) {}

  start(): () => void {
    void this.load(this.ids);
    const silence = this.live.listen((frame) => this.#hear(frame));
    const unwatch = this.live.watch(this.ids);
    const blind = setInterval(() => {
      if (this.live.state !== "live") this.#stir(this.#running());
    }, BLIND_MILLIS);
    return () => {
      silence();
      unwatch();
      clearInterval(blind);
      clearTimeout(this.#timer);
      this.#flight.abort();
    };
  }

  /** Asks for the metrics of these runs; the others stay as they are. */
  async load(ids: readonly string[]): Promise<void> {
    const faults = new Map<string, unknown>();
    try {
      const body = { runs: ids };
      const answer = await this.api.post<RunMetricsOfMany>("/api/run-metrics", body, this.#flight.signal);
      for (const id of answer.missing) faults.set(id, new ApiError(404, "RUN_NOT_FOUND", id));
      for (const [id, error] of answer.failed ?? []) faults.set(id, error);
      if (answer.runs.length > 0)
        this.metrics = new Map([...this.metrics, ...answer.runs.map((one) => [one.run, one] as const)]);
    } catch (error) {
      for (const id of ids) faults.set(id, error);
    }
    if (this.#flight.signal.aborted) return;
    this.#fault(ids, faults);
    this.waiting = false;
  }

  /** What the runs recorded of themselves, asked for when it is first looked at. */
  async loadDetails(): Promise<void> {
    const missing = this.present.filter((id) => !this.details.has(id) || !this.assets.has(id));
    const [details, assets] = await Promise.all([
      this.#ask<RunDetail>(missing, (id) => `/api/run-detail/${segment(id)}`),
      this.#ask<{ assets?: unknown }>(missing, (id) => `/api/runs/${segment(id)}/assets`),
    ]);
    if (this.#flight.signal.aborted) return;
    this.assets = new Map([
      ...this.assets,
      ...[...assets.found].map(([id, one]) => [id, one.assets] as const),
    ]);
    this.details = new Map([...this.details, ...details.found]);
    this.#fault(missing, new Map([...assets.faults, ...details.faults]));
    this.waitingForDetails = false;
  }

  /** A machine may be there again. */
  async retryAway(): Promise<void> {
    const away = [...this.faults].filter(([, fault]) => isAway(fault)).map(([id]) => id);
    if (away.length > 0) await this.load(away);
  }

  async retry(id: string): Promise<void> {
    await this.load([id]);
    if (!this.waitingForDetails) await this.loadDetails();
  }

  async #ask<Answer>(ids: readonly string[], path: (id: string) => string) {
    const found = new Map<string, Answer>();
    const faults = new Map<string, unknown>();
    const one = async (id: string) => {
      try {
        found.set(id, await this.api.get<Answer>(path(id), {}, this.#flight.signal));
      } catch (error) {
        faults.set(id, error);
      }
    };
    await Promise.all(ids.map(one));
    return { found, faults };
  }

  /** A run that is known already stays on screen when a later question about it fails. */
  #fault(asked: readonly string[], faults: ReadonlyMap<string, unknown>): void {
    const next = new Map(this.faults);
    for (const id of asked) {
      if (faults.has(id)) next.set(id, faults.get(id));
      else next.delete(id);
    }
    if (next.size > 0 || this.faults.size > 0) this.faults = next;
  }

  #running(): string[] {
    return this.present.filter((id) => this.metrics.get(id)?.live);
  }

  #hear(frame: LiveFrame): void {
    if (frame.type === "hello") this.#stir(this.#running());
    else if (frame.type === "run" && this.ids.includes(String(frame.run))) this.#stir([String(frame.run)]);
  }

  /** Curves follow at once; new metrics are looked for at a calmer pace. */
  #stir(ids: readonly string[]): void {
    if (ids.length === 0 || this.waiting) return;
    this.growth += 1;
    for (const id of ids) this.#grown.add(id);
    this.#timer ??= setTimeout(() => void this.#settle(), CALM_MILLIS);
  }

  async #settle(): Promise<void> {
    const grown = [...this.#grown];
    this.#grown.clear();
    await this.load(grown);
    this.#timer = undefined;
    if (this.#grown.size > 0) this.#timer = setTimeout(() => void this.#settle(), CALM_MILLIS);
  }
}
