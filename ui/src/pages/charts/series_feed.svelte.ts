/**
 * Feeds the charts on screen: what becomes visible is gathered into few requests, what is hidden costs nothing,
 * and a growing run sends only its new points.
 */
import { SvelteMap } from "svelte/reactivity";
import type { GroupSeries, Series, SeriesAnswer, SeriesRequest } from "../../api/wire";
import type { XWindow } from "../../components/chart/zoom";
import type { Smoothing, XChoice } from "./chart_options";
import { appendPoints, type Points } from "./delta";

/** What decides a curve, apart from its name. */
export interface FeedQuery {
  x: XChoice;
  logX: boolean;
  window: XWindow | null;
  smoothing: Smoothing | null;
  /** Device pixels that a chart is probably drawn over, until it has been drawn. */
  width_px: number;
  /** Of the feed's runs those that are drawn: the pixel columns are of their x axis. All when absent. */
  drawn?: readonly string[];
  /** Groups of which the mean is drawn; none when absent. */
  means?: Means;
}

export interface Means {
  groups: readonly { key: string; runs: readonly string[] }[];
  band: "range" | "standard_error";
  /** Whether the runs are drawn one by one too. */
  each: boolean;
}

export interface Curve extends Points {
  last: Series["last"];
  /** Points of the whole series, not only those drawn. */
  points: number;
  nonFinitePoints: number;
  /** The whole of the x axis. */
  extent: XWindow | null;
  exact: boolean;
  problem: string | null;
}

/** The mean of a group, with the edges of its band. */
export interface MeanCurve extends Curve {
  low: number[];
  high: number[];
  /** Runs of the group that have the metric. */
  runs: number;
}

export interface ChartState {
  /** In the order of the feed's runs; null for a run that has nothing of this chart yet. */
  curves: readonly (Curve | null)[];
  /** The first run's, which is all that a page of one run draws. */
  curve: Curve | null;
  /** By the keys of the groups. */
  means: ReadonlyMap<string, MeanCurve>;
  /** Why the last try brought nothing. */
  failure: string | null;
}

/** Charts that were asked for together: a cursor goes on only with the question that it answered. */
interface Batch {
  version: number;
  metrics: string[];
  /** Runs that were asked about. */
  runs: readonly string[];
  width_px: number;
  /** Null once the question failed: there is nothing to go on from. */
  cursor: string | null;
}

const BATCH = 32;
/** Curves in one request: with many runs fewer charts are asked for together, so that the first ones come soon. */
const CURVES_TOGETHER = 128;
const GATHER_MILLIS = 12;
/** A window being resized does not ask for every width on its way. */
const FIT_MILLIS = 120;
/** What the server draws at most. */
const MAX_WIDTH_PX = 8192;
/** Appended points may make a curve this much longer than a fresh one before it is fetched anew. */
const GROWTH = 2;
const FRESH_PER_PX = 4;

type Ask = (request: SeriesRequest, signal: AbortSignal) => Promise<SeriesAnswer>;

export class SeriesFeed {
  readonly charts = new SvelteMap<string, ChartState>();

  #query: FeedQuery;
  #drawn: readonly string[];
  #key: string;
  #version = 1;
  #held = new Map<string, Batch>();
  #visible = new Map<string, number>();
  #asked = new Set<string>();
  #flight = new AbortController();
  #gather: ReturnType<typeof setTimeout> | undefined;
  /** Over how many device pixels each chart is drawn. */
  #fits = new Map<string, number>();
  #fitting: ReturnType<typeof setTimeout> | undefined;
  #updating = false;
  #grewMeanwhile = false;
  /** A chart could not follow the growth, because its first answer was still on the way. */
  #missed = false;

  constructor(
    readonly runs: readonly string[],
    query: FeedQuery,
    readonly ask: Ask,
    readonly wordsOf: (error: unknown) => string,
  ) {
    this.#query = query;
    this.#drawn = drawnOf(query, runs);
    this.#key = keyOfLook(query);
  }

  /** Another window, axis or smoothing: what is visible is fetched anew, the old picture stays until then. */
  look(query: FeedQuery): void {
    const key = keyOfLook(query);
    this.#query = query;
    this.#drawn = sameList(this.#drawn, drawnOf(query, this.runs));
    if (key === this.#key) {
      // Other runs are drawn: charts whose columns are no longer those of the x axis are fetched anew.
      this.#plan();
      return;
    }
    this.#key = key;
    this.#version += 1;
    this.#flight.abort();
    this.#flight = new AbortController();
    this.#asked.clear();
    this.#plan();
  }

  /** A chart came on screen; call the answer when it leaves. */
  show(metric: string): () => void {
    this.#visible.set(metric, (this.#visible.get(metric) ?? 0) + 1);
    this.#plan();
    return () => {
      const count = (this.#visible.get(metric) ?? 1) - 1;
      if (count > 0) this.#visible.set(metric, count);
      else this.#visible.delete(metric);
    };
  }

  /** A chart is drawn over so many device pixels: unless every point is at hand, its columns must be these. */
  fit(metric: string, width_px: number): void {
    const width = Math.min(MAX_WIDTH_PX, Math.max(1, Math.round(width_px)));
    if (this.#fits.get(metric) === width) return;
    this.#fits.set(metric, width);
    if (!this.#isMissing(metric)) return;
    clearTimeout(this.#fitting);
    this.#fitting = setTimeout(() => this.#fetchMissing(), FIT_MILLIS);
  }

  retry(metric: string): void {
    this.#held.delete(metric);
    this.#plan();
  }

  /** The run wrote more: fetches what was added to the charts on screen. One update is under way at a time. */
  async grew(): Promise<void> {
    this.#grewMeanwhile = true;
    if (this.#updating) return;
    this.#updating = true;
    try {
      while (this.#grewMeanwhile) {
        this.#grewMeanwhile = false;
        await this.#update();
      }
    } finally {
      this.#updating = false;
    }
  }

  stop(): void {
    clearTimeout(this.#gather);
    clearTimeout(this.#fitting);
    this.#flight.abort();
    this.#grewMeanwhile = false;
    this.#missed = false;
  }

  #plan(): void {
    // Not begun anew by each chart that scrolls by: a long scroll is fed on its way.
    // The first charts of a page come on screen together.
    this.#gather ??= setTimeout(() => this.#fetchMissing(), this.charts.size === 0 ? 0 : GATHER_MILLIS);
  }

  #fetchMissing(): void {
    this.#gather = undefined;
    const byWidth = new Map<number, string[]>();
    for (const metric of this.#visible.keys()) {
      if (this.#asked.has(metric) || !this.#isMissing(metric)) continue;
      const width_px = this.#widthOf(metric);
      const alike = byWidth.get(width_px);
      if (alike) alike.push(metric);
      else byWidth.set(width_px, [metric]);
    }
    const together = Math.max(1, Math.min(BATCH, Math.floor(CURVES_TOGETHER / this.#curves())));
    const version = this.#version;
    for (const [width_px, missing] of byWidth) {
      for (let i = 0; i < missing.length; i += together) {
        const metrics = missing.slice(i, i + together);
        void this.#fetch({ version, metrics, runs: this.#drawn, width_px, cursor: null });
      }
    }
  }

  #widthOf(metric: string): number {
    return this.#fits.get(metric) ?? Math.min(MAX_WIDTH_PX, Math.max(1, Math.round(this.#query.width_px)));
  }

  /** Whether what is held of a chart answers another question, or is in other columns than those drawn. */
  #isMissing(metric: string): boolean {
    const batch = this.#held.get(metric);
    if (batch?.version !== this.#version) return true;
    if (batch.cursor === null) return false;
    const asked = batch.runs === this.#drawn ? null : new Set(batch.runs);
    if (asked && !this.#drawn.every((run) => asked.has(run))) return true;
    // A window is its own x axis, whatever is drawn in it.
    const inColumns =
      batch.width_px === this.#widthOf(metric) && (asked === null || this.#query.window !== null);
    return !inColumns && !this.#isWhole(metric);
  }

  /** Whether every point of all that is drawn of a chart is at hand. */
  #isWhole(metric: string): boolean {
    const held = this.charts.get(metric);
    const drawn = new Set(this.#drawn);
    const curves = (held?.curves ?? []).filter((_, at) => drawn.has(this.runs[at] as string));
    return [...curves, ...(held?.means.values() ?? [])].every((curve) => curve === null || curve.exact);
  }

  /** Curves that are gone through for one chart. */
  #curves(): number {
    const { means } = this.#query;
    const members = means?.groups.reduce((sum, group) => sum + group.runs.length, 0) ?? 0;
    return Math.max(1, members + (means && !means.each ? 0 : this.#drawn.length));
  }

  async #update(): Promise<void> {
    const batches = new Set<Batch>();
    for (const metric of this.#visible.keys()) {
      const batch = this.#held.get(metric);
      if (this.#asked.has(metric)) this.#missed = true;
      else if (batch?.version === this.#version && batch.cursor !== null) batches.add(batch);
    }
    await Promise.all([...batches].map((batch) => this.#fetch(batch)));
  }

  async #fetch(batch: Batch): Promise<void> {
    const { metrics, cursor, version, width_px } = batch;
    const { signal } = this.#flight;
    for (const metric of metrics) this.#asked.add(metric);
    try {
      const answer = await this.ask(this.#request(batch), signal);
      if (version === this.#version) this.#take(batch, answer);
    } catch (error) {
      // A lost update comes with the next one; only a chart that has nothing says so.
      const current = version === this.#version && !signal.aborted;
      if (current && cursor === null) this.#fail(batch, this.wordsOf(error));
    } finally {
      if (version === this.#version) for (const metric of metrics) this.#asked.delete(metric);
      // Drawn over another width, or with other runs, meanwhile.
      const isOther = (metric: string) => this.#widthOf(metric) !== width_px || batch.runs !== this.#drawn;
      const refits = (metric: string) => isOther(metric) && this.#isMissing(metric);
      if (!signal.aborted && metrics.some(refits)) this.#plan();
      if (this.#missed && this.#asked.size === 0) {
        this.#missed = false;
        void this.grew();
      }
    }
  }

  #request({ metrics, runs: asked, cursor, width_px }: Batch): SeriesRequest {
    const { x, logX, window, smoothing, means } = this.#query;
    const from = window?.from ?? null;
    const to = window?.to ?? null;
    const runs = means && !means.each ? [] : [...asked];
    const look = { x, from, to, width_px, log_x: logX, smoothing, cursor };
    if (!means) return { runs, metrics, ...look };
    return { runs, metrics, ...look, groups: means.groups.map((group) => [...group.runs]), band: means.band };
  }

  #take(batch: Batch, answer: SeriesAnswer): void {
    const fresh = batch.cursor === null;
    batch.cursor = answer.cursor;
    const found = new Map(answer.series.map((series) => [keyOf(series.run, series.metric), series]));
    let grown = false;
    for (const metric of batch.metrics) {
      // A chart that was fetched again meanwhile belongs to another batch.
      if (!fresh && this.#held.get(metric) !== batch) continue;
      this.#held.set(metric, batch);
      const old = this.charts.get(metric)?.curves ?? [];
      const curves = this.runs.map((run, at) =>
        nextCurve(old[at] ?? null, found.get(keyOf(run, metric)), answer.delta),
      );
      if (!answer.delta || curves.some((curve, at) => curve !== (old[at] ?? null))) {
        const means = answer.delta
          ? (this.charts.get(metric)?.means ?? NO_MEANS)
          : meansOf(metric, answer.groups ?? [], this.#query.means);
        this.charts.set(metric, { curves, curve: curves[0] ?? null, means, failure: null });
      }
      const most = GROWTH * FRESH_PER_PX * (batch.width_px + 1);
      if (curves.some((curve) => curve !== null && curve.x.length > most)) {
        this.#held.delete(metric);
        grown = true;
      }
    }
    if (grown) this.#plan();
  }

  #fail(batch: Batch, failure: string): void {
    for (const metric of batch.metrics) {
      const { curves = [], curve = null, means = NO_MEANS } = this.charts.get(metric) ?? {};
      this.charts.set(metric, { curves, curve, means, failure });
      this.#held.set(metric, batch);
    }
  }
}

const NO_MEANS: ReadonlyMap<string, MeanCurve> = new Map();

function meansOf(
  metric: string,
  series: readonly GroupSeries[],
  asked: Means | undefined,
): ReadonlyMap<string, MeanCurve> {
  const found = new Map<string, MeanCurve>();
  for (const one of series) {
    const key = asked?.groups[one.group]?.key;
    if (key === undefined || one.metric !== metric) continue;
    found.set(key, { ...curveOf(one), low: one.low, high: one.high, runs: one.runs });
  }
  return found;
}

/** What an answer depends on, apart from the width. */
function keyOfLook({ x, logX, window, smoothing, means }: FeedQuery): string {
  return JSON.stringify([x, logX, window, smoothing, means]);
}

/** Where nothing is drawn nothing decides: then all runs are asked about. */
const drawnOf = ({ drawn = [] }: FeedQuery, runs: readonly string[]) => (drawn.length > 0 ? drawn : runs);

/** The list that is held already, where the other one says the same. */
const sameList = (held: readonly string[], next: readonly string[]): readonly string[] =>
  held.length === next.length && held.every((run, at) => run === next[at]) ? held : next;

const keyOf = (run: string, metric: string): string => `${run}\n${metric}`;

/** The curve after an answer; the very same one when nothing was added to it. */
function nextCurve(old: Curve | null, series: Series | undefined, isDelta: boolean): Curve | null {
  if (!series) return isDelta ? old : null;
  const added = curveOf(series);
  if (!isDelta || !old) return added;
  return changed(old, added) ? joined(old, added) : old;
}

function curveOf(series: Omit<Series, "run" | "metric">): Curve {
  return {
    x: series.x,
    y: series.y,
    smooth: series.smooth,
    nonFinite: series.non_finite,
    last: series.last,
    points: series.points,
    nonFinitePoints: series.non_finite_points,
    extent: series.x_from === null || series.x_to === null ? null : { from: series.x_from, to: series.x_to },
    exact: series.exact,
    problem: series.problem,
  };
}

function changed(old: Curve, fresh: Curve): boolean {
  return fresh.x.length > 0 || fresh.nonFinite.length > 0 || fresh.points !== old.points;
}

function joined(old: Curve, added: Curve): Curve {
  return {
    ...appendPoints(old, added),
    last: added.last ?? old.last,
    points: added.points,
    nonFinitePoints: added.nonFinitePoints,
    extent: wider(old.extent, added.extent),
    exact: old.exact && added.exact,
    problem: added.problem,
  };
}

function wider(one: XWindow | null, other: XWindow | null): XWindow | null {
  if (!one || !other) return one ?? other;
  return { from: Math.min(one.from, other.from), to: Math.max(one.to, other.to) };
}
