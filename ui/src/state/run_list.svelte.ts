/** Every run of a machine's storage root, kept current by the live link: only what changed is fetched again. */
import { untrack } from "svelte";
import { type Api, here } from "../api/client";
import type { SeenList } from "../api/hosts";
import type { Live, LiveFrame } from "../api/live.svelte";
import { LiveQuestion } from "../api/live_question.svelte";
import type { RunListAnswer, RunRow, StorageInfo } from "../api/wire";

/** Time between two questions while the live link is down, in milliseconds. */
const fallbackMillis = 2_000;

/** Where a row comes from: whom to ask about it, and whether they answer. */
export interface RunOrigin {
  /** Its part of the address. */
  readonly machine: string;
  /** What people call it. */
  readonly name: string;
  readonly api: Api;
  readonly live: Live;
  readonly storage: StorageInfo | null;
  /** False while there is no link to it. */
  readonly isReachable: boolean;
  /** When it last said anything, in seconds. */
  readonly heardAtSecs: number;
  /** It is not connected at all: only what was last seen of it is known. */
  readonly isRemembered: boolean;
}

/** A run of a list: it knows whose it is. */
export interface ListedRun extends RunRow {
  /** Unique in its list, also where several machines see the same files. */
  key: string;
  origin: RunOrigin;
}

/** What pages show runs of: one machine's list, or that of all. */
export interface RunSource {
  readonly rows: readonly ListedRun[];
  readonly byKey: ReadonlyMap<string, ListedRun>;
  readonly storage: StorageInfo | null;
  readonly error: unknown;
  readonly waiting: boolean;
  refresh(): Promise<void>;
  switched(storage?: StorageInfo): Promise<void>;
}

const textOf = (value: unknown): string | null => (typeof value === "string" ? value : null);
const numberOf = (value: unknown): number | null =>
  typeof value === "number" && Number.isFinite(value) ? value : null;

/** Where the members of a row stand among its cells; -1 for those that the answer does not have. */
type Places = Record<keyof RunRow, number>;

function placesOf(fields: readonly string[]): Places {
  const at = (field: keyof RunRow): number => fields.indexOf(field);
  return {
    id: at("id"),
    path: at("path"),
    alias: at("alias"),
    status: at("status"),
    status_reason: at("status_reason"),
    created_at: at("created_at"),
    started_at: at("started_at"),
    ended_at: at("ended_at"),
    tags: at("tags"),
    best_metric_name: at("best_metric_name"),
    best_metric_value: at("best_metric_value"),
    best_metric_step: at("best_metric_step"),
    best_metric_mode: at("best_metric_mode"),
    assets_count: at("assets_count"),
    problem: at("problem"),
    last_write_at: at("last_write_at"),
  };
}

function tagsOf(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  return value.filter((tag): tag is string => typeof tag === "string");
}

/**
 * The compact rows of an answer as rows of a list. Another machine may send anything: what is no text, no number, no list
 * of texts is as if it were absent. A hundred thousand of them are made before the first frame: each is made once.
 */
export function rowsOf(
  answer: Pick<RunListAnswer, "fields" | "rows">,
  before: string,
  origin: RunOrigin,
): ListedRun[] {
  const at = placesOf(answer.fields);
  return answer.rows.map((cells) => {
    const id = textOf(cells[at.id]) ?? "";
    return {
      id,
      path: textOf(cells[at.path]),
      alias: textOf(cells[at.alias]),
      status: textOf(cells[at.status]) ?? "",
      status_reason: textOf(cells[at.status_reason]),
      created_at: numberOf(cells[at.created_at]),
      started_at: numberOf(cells[at.started_at]),
      ended_at: numberOf(cells[at.ended_at]),
      tags: tagsOf(cells[at.tags]),
      best_metric_name: textOf(cells[at.best_metric_name]),
      best_metric_value: numberOf(cells[at.best_metric_value]),
      best_metric_step: numberOf(cells[at.best_metric_step]),
      best_metric_mode: textOf(cells[at.best_metric_mode]),
      assets_count: numberOf(cells[at.assets_count]) ?? 0,
      problem: textOf(cells[at.problem]),
      last_write_at: numberOf(cells[at.last_write_at]),
      key: before + id,
      origin,
    };
  });
}

const madeAt = (row: RunRow): number => row.created_at ?? 0;

/** Newest first; equal times by id, so that the order never depends on the way here. */
export function newerFirst(a: RunRow, b: RunRow): number {
  return madeAt(b) - madeAt(a) || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
}

/** The list after a partial answer: changed rows replaced, new ones put in their place, gone ones dropped. */
export function merged<Row extends RunRow>(
  rows: readonly Row[],
  changed: readonly Row[],
  removed: readonly string[],
): Row[] {
  const touched = new Set([...changed.map((row) => row.id), ...removed]);
  const kept = rows.filter((row) => !touched.has(row.id));
  const fresh = [...changed].sort(newerFirst);
  const result: Row[] = [];
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

export interface RunListOptions {
  machine?: string;
  name?: string;
  /** Its rows stand among those of others: their keys name the machine too. */
  among?: boolean;
  api?: Api;
  /** It is not connected: nobody is asked, only what was last seen is shown. */
  remembered?: boolean;
  /** Whether there is a link to the machine, as far as is known. */
  isReachable?: () => boolean;
  /** The last list that was seen of it, for the time that it does not answer. */
  lastSeen?: () => Promise<SeenList>;
}

export class RunList extends LiveQuestion implements RunSource, RunOrigin {
  rows = $state.raw<readonly ListedRun[]>([]);
  storage = $state.raw<StorageInfo | null>(null);
  heardAtSecs = $state(0);
  readonly byKey = $derived(new Map(this.rows.map((row) => [row.key, row])));

  readonly machine: string;
  readonly name: string;
  readonly api: Api;
  readonly isRemembered: boolean;
  /** In front of the ids of its rows: nothing when it stands alone, its name among the rows of others. */
  readonly #before: string;
  readonly #reachable: () => boolean;
  readonly #lastSeen: (() => Promise<SeenList>) | null;
  #cursor = "";

  constructor(live: Live, options: RunListOptions = {}) {
    super(live);
    this.machine = options.machine ?? "";
    this.name = options.name ?? "";
    this.api = options.api ?? here;
    this.isRemembered = options.remembered ?? false;
    this.#before = options.among ? `${this.machine} ` : "";
    this.#reachable = options.isReachable ?? (() => true);
    this.#lastSeen = options.lastSeen ?? null;
  }

  get isReachable(): boolean {
    return !this.isRemembered && this.#reachable();
  }

  /** Fetches what changed. */
  protected async ask(signal: AbortSignal): Promise<void> {
    if (!untrack(() => this.isReachable)) await this.#recall(signal);
    if (this.isRemembered) return;
    const since = this.#cursor === "" ? null : this.#cursor;
    try {
      const answer = await this.api.get<RunListAnswer>("/api/run-list", { since }, signal);
      if (!signal.aborted) this.#take(answer);
    } catch (error) {
      await this.#recall(signal);
      throw error;
    }
  }

  protected override restMillis(): number | null {
    if (this.isRemembered) return null;
    return this.live.state !== "live" || this.error !== null ? fallbackMillis : null;
  }

  /** Shows another root: nothing of the old one may stay on screen. */
  async switched(storage?: StorageInfo): Promise<void> {
    this.forget();
    this.#cursor = "";
    this.rows = [];
    if (storage) this.storage = storage;
    this.waiting = true;
    await this.refresh();
  }

  /** Shows what was last seen of a machine that does not answer, when nothing newer is on screen. */
  async #recall(signal: AbortSignal): Promise<void> {
    if (this.#lastSeen === null || this.rows.length > 0) return;
    const seen = await this.#lastSeen().catch(() => null);
    if (seen === null || signal.aborted || this.rows.length > 0) return;
    this.rows = rowsOf(seen.answer, this.#before, this);
    this.storage = seen.answer.storage;
    this.heardAtSecs = Date.now() / 1000 - seen.age_secs;
    this.waiting = false;
  }

  #take(answer: RunListAnswer): void {
    const rows = rowsOf(answer, this.#before, this);
    this.heardAtSecs = Date.now() / 1000;
    if (answer.full) this.rows = rows;
    else if (rows.length > 0 || answer.removed.length > 0) {
      this.rows = merged(this.rows, rows, answer.removed);
    }
    this.storage = answer.storage;
    this.#cursor = answer.cursor;
  }

  protected hear(frame: LiveFrame): void {
    this.heardAtSecs = Date.now() / 1000;
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
