/**
 * What runs recorded, for the columns of the table: asked for when rows come into view, again when a row has changed, and for
 * all rows when the table is sorted by it. The last value stays until the new one is there.
 */
import { untrack } from "svelte";
import type { Api } from "../../../api/client";
import type { ListedRun } from "../../../state/run_list.svelte";

/** Rows that come into view within this time are asked for together. */
const GATHER_MILLIS = 30;
/** Rows in one question. */
const TOGETHER = 1000;
/** While a whole table is read, the view follows this often. */
const REDRAW_MILLIS = 250;

interface Wanted {
  row: ListedRun;
  fields: Set<string>;
}

/** Asks a machine for fields of runs; `hear` gets each part as it comes: for each of its fields one value a run. */
export type AskFields<Value> = (
  api: Api,
  runs: readonly string[],
  fields: readonly string[],
  hear: (runs: readonly string[], fields: readonly string[], values: readonly (readonly Value[])[]) => void,
  signal: AbortSignal,
) => Promise<void>;

export class RowFeed<Value> {
  /** Counts what arrived. */
  #version = $state(0);
  /** Counts the tries: another one asks again for what is in view. */
  #tries = $state(0);
  /** Rows whose values are still to come, for a table that is sorted by them. */
  left = $state(0);
  fault = $state.raw<unknown>(null);

  readonly #values = new Map<string, Map<string, Value | null>>();
  /** The row objects that a field was asked for: a row that changed is another object. */
  readonly #asked = new Map<string, WeakSet<ListedRun>>();
  /** What is in view is asked for before what only decides the order. */
  #inView = new Map<string, Wanted>();
  #wanted = new Map<string, Wanted>();
  #flight = new AbortController();
  #gather: ReturnType<typeof setTimeout> | undefined;
  #redraw: ReturnType<typeof setTimeout> | undefined;
  #busy = false;

  constructor(readonly ask: AskFields<Value>) {}

  /** Undefined until the value is known, null when the run has none. */
  valueOf(row: ListedRun, field: string): Value | null | undefined {
    void this.#version;
    return this.#values.get(field)?.get(row.key);
  }

  /** Asks for the fields of these rows, unless that was done. */
  need(rows: readonly ListedRun[], fields: readonly string[], inView = true): void {
    const queue = inView ? this.#inView : this.#wanted;
    void this.#tries;
    for (const field of fields) {
      const asked = this.#asked.get(field) ?? new WeakSet<ListedRun>();
      this.#asked.set(field, asked);
      for (const row of rows) {
        // A machine that is away is not asked; it is once it is back, because its rows are new then.
        if (asked.has(row) || !row.origin.isReachable || row.origin.isRemembered) continue;
        asked.add(row);
        const wanted = queue.get(row.key) ?? { row, fields: new Set() };
        queue.set(row.key, { row, fields: wanted.fields.add(field) });
      }
    }
    if (this.#open > 0) this.#gather ??= setTimeout(() => void this.#ask(), GATHER_MILLIS);
    untrack(() => this.#count(0));
  }

  retry(): void {
    this.fault = null;
    this.#asked.clear();
    this.#tries += 1;
  }

  stop(): void {
    clearTimeout(this.#gather);
    clearTimeout(this.#redraw);
    this.#flight.abort();
  }

  async #ask(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    const { signal } = this.#flight;
    let wanted: Wanted[] = [];
    try {
      while (this.#open > 0 && !signal.aborted) {
        wanted = this.#next();
        let left = wanted.length;
        for (const machine of new Set(wanted.map(({ row }) => row.origin))) {
          const part = wanted.filter(({ row }) => row.origin === machine);
          const byId = new Map(part.map(({ row }) => [row.id, row.key]));
          const fields = [...new Set(part.flatMap((one) => [...one.fields]))];
          await this.ask(
            machine.api,
            [...byId.keys()],
            fields,
            (runs, names, columns) => {
              for (const [at, field] of names.entries()) this.#take(field, runs, byId, columns[at] ?? []);
              left -= runs.length;
              this.#count(Math.max(0, left));
              this.#show();
            },
            signal,
          );
        }
        this.fault = null;
      }
    } catch (error) {
      if (!signal.aborted) this.fault = error;
      // They are asked for again when they next come into view.
      for (const { row, fields } of wanted) for (const field of fields) this.#asked.get(field)?.delete(row);
    }
    this.#busy = false;
    this.#gather = undefined;
    this.#count(0);
    this.#show(0);
  }

  #take(
    field: string,
    runs: readonly string[],
    byId: ReadonlyMap<string, string>,
    values: readonly Value[],
  ): void {
    const column = this.#values.get(field) ?? new Map<string, Value | null>();
    this.#values.set(field, column);
    runs.forEach((run, at) => {
      const key = byId.get(run);
      if (key !== undefined) column.set(key, values[at] ?? null);
    });
  }

  get #open(): number {
    return this.#inView.size + this.#wanted.size;
  }

  /** What is in view, or else so many of the rest that what comes into view meanwhile need not wait long. */
  #next(): Wanted[] {
    const queue = this.#inView.size > 0 ? this.#inView : this.#wanted;
    const taken: Wanted[] = [];
    for (const [key, wanted] of queue) {
      if (taken.length === TOGETHER) break;
      taken.push(wanted);
      queue.delete(key);
    }
    return taken;
  }

  #count(inFlight: number): void {
    this.left = this.#open + inFlight;
  }

  #show(afterMillis = this.left > 1000 ? REDRAW_MILLIS : 0): void {
    if (this.#redraw !== undefined) return;
    this.#redraw = setTimeout(() => {
      this.#redraw = undefined;
      this.#version += 1;
    }, afterMillis);
  }
}
