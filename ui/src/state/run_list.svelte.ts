/** Every run of the storage root, kept current by the live link: only what changed is fetched again. */
import { untrack } from "svelte";
import { get } from "../api/client";
import type { Live, LiveFrame } from "../api/live.svelte";
import type { RunListAnswer, RunRow, StorageInfo } from "../api/wire";

/** Time between two questions while the live link is down, in milliseconds. */
const fallbackMillis = 2_000;

/** Turns the compact rows of an answer into objects named by its `fields`. */
export function rowsOf(answer: Pick<RunListAnswer, "fields" | "rows">): RunRow[] {
  const { fields } = answer;
  return answer.rows.map((cells) => {
    const row: Record<string, unknown> = {};
    for (let at = 0; at < fields.length; at += 1) row[fields[at] as string] = cells[at];
    return row as unknown as RunRow;
  });
}

const madeAt = (row: RunRow): number => row.created_at ?? 0;

/** Newest first; equal times by id, so that the order never depends on the way here. */
export function newerFirst(a: RunRow, b: RunRow): number {
  return madeAt(b) - madeAt(a) || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
}

/** The list after a partial answer: changed rows replaced, new ones put in their place, gone ones dropped. */
export function merged(
  rows: readonly RunRow[],
  changed: readonly RunRow[],
  removed: readonly string[],
): RunRow[] {
  const touched = new Set([...changed.map((row) => row.id), ...removed]);
  const kept = rows.filter((row) => !touched.has(row.id));
  const fresh = [...changed].sort(newerFirst);
  const result: RunRow[] = [];
  let at = 0;
  for (const row of kept) {
    for (let next = fresh[at]; next && newerFirst(next, row) < 0; next = fresh[at]) {
      result.push(next);
      at += 1;
    }
    result.push(row);
  }
  return result.concat(fresh.slice(at));
}

export class RunList {
  rows = $state.raw<readonly RunRow[]>([]);
  storage = $state.raw<StorageInfo | null>(null);
  error = $state.raw<unknown>(null);
  /** True until the first answer or failure. */
  waiting = $state(true);
  readonly byId = $derived(new Map(this.rows.map((row) => [row.id, row])));

  readonly #live: Live;
  #cursor = "";
  #flight: AbortController | null = null;
  #again = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(live: Live) {
    this.#live = live;
  }

  /** Loads and follows until the returned function is called. */
  start(): () => void {
    const deaf = this.#live.listen((frame) => this.#hear(frame));
    const wake = () => document.hidden || void this.refresh();
    document.addEventListener("visibilitychange", wake);
    untrack(() => void this.refresh());
    return () => {
      deaf();
      document.removeEventListener("visibilitychange", wake);
      clearTimeout(this.#timer);
      this.#flight?.abort();
      this.#flight = null;
    };
  }

  /** Fetches what changed. Calls during a fetch become one more fetch after it. */
  async refresh(): Promise<void> {
    if (this.#flight) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#timer);
    const flight = new AbortController();
    this.#flight = flight;
    try {
      do {
        this.#again = false;
        const since = this.#cursor === "" ? null : this.#cursor;
        const answer = await get<RunListAnswer>("/api/run-list", { since }, flight.signal);
        if (flight.signal.aborted) return;
        this.#take(answer);
      } while (this.#again);
      this.error = null;
    } catch (error) {
      if (flight.signal.aborted) return;
      this.error = error;
    }
    this.#flight = null;
    this.waiting = false;
    if (this.#live.state !== "live" || this.error !== null) {
      this.#timer = setTimeout(() => void this.refresh(), fallbackMillis);
    }
  }

  /** Shows another root: nothing of the old one may stay on screen. */
  async switched(storage?: StorageInfo): Promise<void> {
    this.#flight?.abort();
    this.#flight = null;
    this.#cursor = "";
    this.rows = [];
    if (storage) this.storage = storage;
    this.waiting = true;
    await this.refresh();
  }

  #take(answer: RunListAnswer): void {
    const rows = rowsOf(answer);
    if (answer.full) this.rows = rows;
    else if (rows.length > 0 || answer.removed.length > 0) {
      this.rows = merged(this.rows, rows, answer.removed);
    }
    this.storage = answer.storage;
    this.#cursor = answer.cursor;
  }

  #hear(frame: LiveFrame): void {
    switch (frame.type) {
      case "hello":
      case "runs":
        if (frame.cursor !== this.#cursor || this.error !== null) void this.refresh();
        break;
      case "storage":
        void this.refresh();
        break;
      case "indexing":
        this.#indexing(Number(frame.done), Number(frame.total));
        break;
    }
  }

  #indexing(done: number, total: number): void {
    if (this.storage === null || !Number.isFinite(done) || !Number.isFinite(total)) return;
    this.storage = { ...this.storage, indexing: done < total ? { done, total } : null };
  }
}
