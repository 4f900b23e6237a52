/** What many runs logged, asked for run by run as they come into view: a thousand lists are never wanted at once. */
import { type Api, segment } from "../../api/client";
import { addressOf, type MediaItem, type MediaRow, mediaRows } from "./media_items";

/** Questions to one machine that are on their way at once. */
const MOST_FLIGHTS = 4;
/** Answers are shown together, and runs that grow are asked again no sooner than this. */
const GATHER_MILLIS = 40;
const CALM_MILLIS = 1_500;

export type RunRows = ReadonlyMap<string, MediaRow>;

const order = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

export class RunMedia {
  /** The rows of each run that has answered, by key. */
  lists = $state.raw<ReadonlyMap<string, RunRows>>(new Map());
  faults = $state.raw<ReadonlyMap<string, unknown>>(new Map());
  /** Every key that some run has, sorted. */
  keys = $state.raw<readonly string[]>([]);

  #wanted: readonly string[] = [];
  #asked = new Set<string>();
  /** By machine: one that is slow to answer holds up no other. */
  #flights = new Map<string, number>();
  #flight = new AbortController();
  /** What the last answer of each run was, in short. */
  #marks = new Map<string, string>();
  #arrived = new Map<string, RunRows>();
  #failed = new Map<string, unknown>();
  #gather: ReturnType<typeof setTimeout> | undefined;
  #calm: ReturnType<typeof setTimeout> | undefined;
  #grown = new Set<string>();
  #waiters: { id: string; done: () => void }[] = [];
  /** Steps of each key over all runs, and sorted as of how many there were. */
  #steps = new Map<string | null, Set<number>>();
  #sorted = new Map<string | null, number[]>();

  constructor(
    readonly api: Api,
    readonly machineOf: (run: string) => string = () => "",
  ) {}

  /** These runs are in view. Those that were wanted before and have not been asked for yet are forgotten. */
  need(ids: readonly string[]): void {
    this.#wanted = ids.filter((id) => !this.#asked.has(id));
    this.#pump();
  }

  /** Resolves once this run has answered or failed. */
  load(id: string): Promise<void> {
    if (this.lists.has(id)) return Promise.resolve();
    const shown = new Promise<void>((done) => this.#waiters.push({ id, done }));
    this.#asked.delete(id);
    this.#wanted = [id, ...this.#wanted];
    this.#pump();
    return shown;
  }

  retry(id: string): void {
    const faults = new Map(this.faults);
    faults.delete(id);
    this.faults = faults;
    this.#asked.delete(id);
    this.#wanted = [id, ...this.#wanted];
    this.#pump();
  }

  /** These runs have grown: those that were asked for before are asked again, at a calm pace. */
  grew(ids: readonly string[]): void {
    for (const id of ids) if (this.#asked.has(id)) this.#grown.add(id);
    if (this.#grown.size === 0) return;
    this.#calm ??= setTimeout(() => {
      this.#calm = undefined;
      for (const id of this.#grown) this.#asked.delete(id);
      this.#wanted = [...this.#wanted, ...this.#grown];
      this.#grown.clear();
      this.#pump();
    }, CALM_MILLIS);
  }

  stop(): void {
    this.#flight.abort();
    clearTimeout(this.#gather);
    clearTimeout(this.#calm);
  }

  /** Every step at which some run has this key (null: any key), rising. Grows with the lists. */
  stepsOf(key: string | null): readonly number[] {
    void this.lists;
    const steps = this.#steps.get(key);
    if (!steps) return [];
    let sorted = this.#sorted.get(key) ?? [];
    if (sorted.length !== steps.size) {
      sorted = [...steps].sort((one, other) => one - other);
      this.#sorted.set(key, sorted);
    }
    return sorted;
  }

  address(run: string, item: MediaItem, side_px?: number): string {
    return addressOf(this.api, run, item, side_px);
  }

  #pump(): void {
    if (this.#flight.signal.aborted) return;
    const later: string[] = [];
    for (const id of this.#wanted) {
      if (this.#asked.has(id)) continue;
      if ((this.#flights.get(this.machineOf(id)) ?? 0) >= MOST_FLIGHTS) {
        later.push(id);
        continue;
      }
      this.#asked.add(id);
      this.#count(id, 1);
      void this.#ask(id);
    }
    this.#wanted = later;
  }

  #count(id: string, by: 1 | -1): void {
    const machine = this.machineOf(id);
    this.#flights.set(machine, (this.#flights.get(machine) ?? 0) + by);
  }

  async #ask(id: string): Promise<void> {
    try {
      const path = `/api/run-images/${segment(id)}`;
      const { images } = await this.api.get<{ images: MediaItem[] }>(path, {}, this.#flight.signal);
      const mark = markOf(JSON.stringify(images));
      // An unchanged list keeps its identity, so that nothing on screen is built anew.
      if (mark !== this.#marks.get(id)) {
        this.#marks.set(id, mark);
        this.#arrived.set(id, new Map(mediaRows(images).map((row) => [row.key, row])));
      }
    } catch (error) {
      // A list that is known already stays.
      if (!this.#marks.has(id)) this.#failed.set(id, error);
    }
    this.#count(id, -1);
    if (this.#flight.signal.aborted) return;
    this.#gather ??= setTimeout(() => this.#show(), GATHER_MILLIS);
    this.#pump();
  }

  #show(): void {
    this.#gather = undefined;
    if (this.#failed.size > 0) this.faults = new Map([...this.faults, ...this.#failed]);
    this.#failed.clear();
    if (this.#arrived.size > 0) this.#takeArrived();
    const isKnown = (id: string) => this.lists.has(id) || this.faults.has(id);
    for (const { id, done } of this.#waiters) if (isKnown(id)) done();
    this.#waiters = this.#waiters.filter(({ id }) => !isKnown(id));
  }

  #takeArrived(): void {
    for (const rows of this.#arrived.values()) {
      for (const row of rows.values()) this.#take(row);
    }
    const keys = [...this.#steps.keys()].filter((key) => key !== null);
    if (keys.length !== this.keys.length) this.keys = keys.sort(order.compare);
    this.lists = new Map([...this.lists, ...this.#arrived]);
    this.#arrived.clear();
  }

  #take(row: MediaRow): void {
    const own = this.#steps.get(row.key) ?? new Set();
    const all = this.#steps.get(null) ?? new Set();
    this.#steps.set(row.key, own).set(null, all);
    for (const step of row.steps) {
      if (step === null) continue;
      own.add(step);
      all.add(step);
    }
  }
}

/** Length and hash (FNV-1a) of a text: enough to see that it is another one. */
function markOf(text: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return `${text.length}:${hash >>> 0}`;
}
