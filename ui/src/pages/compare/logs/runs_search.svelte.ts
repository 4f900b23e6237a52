/** One search through the logs of several runs: a few are asked at a time, and each tells what it holds as soon as it is read. */
import { SvelteMap } from "svelte/reactivity";
import { type Api, segment } from "../../../api/client";
import type { LogSearchAnswer } from "../../../api/wire";

export interface RunsQuestion {
  pattern: string;
  regex: boolean;
  matchCase: boolean;
}

/** What the log of one run holds; `failure` in place of an answer. */
export interface RunHits {
  answer: LogSearchAnswer | null;
  failure: unknown;
}

/** Lines that one run gives; more are only counted. */
export const HITS_PER_RUN = 100;
/** Logs of one machine that are read at the same time: more would only wait for the same disk. */
const TOGETHER = 3;
const TYPING_MILLIS = 250;

export class RunsSearch {
  /** Runs that were searched, in no order. */
  readonly found = new SvelteMap<string, RunHits>();
  /** Runs that are still to be searched. */
  left = $state(0);
  /** The reader ended the search. */
  stopped = $state(false);

  #key = "";
  #question: RunsQuestion | null = null;
  #queue: string[] = [];
  #asked = new Set<string>();
  /** Searches under way, by machine: one that is slow to answer holds up no other. */
  #running = new Map<string, number>();
  #flight = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly api: Api,
    readonly machineOf: (run: string) => string = () => "",
  ) {}

  get busy(): boolean {
    return this.left > 0;
  }

  /** Another question begins anew; more runs are asked the same one. */
  ask(question: RunsQuestion, runs: readonly string[]): void {
    const key = JSON.stringify(question);
    if (key !== this.#key) {
      this.clear();
      this.#key = key;
      this.#question = question.pattern === "" ? null : question;
    }
    if (this.#question === null || this.stopped) return;
    const fresh = runs.filter((run) => !this.#asked.has(run));
    for (const run of fresh) this.#asked.add(run);
    this.#queue.push(...fresh);
    this.left += fresh.length;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#next(), TYPING_MILLIS);
  }

  /** Ends the search; what was found stays. */
  cancel(): void {
    clearTimeout(this.#timer);
    this.#flight.abort();
    this.#flight = new AbortController();
    this.#running = new Map();
    for (const run of this.#asked) if (!this.found.has(run)) this.#asked.delete(run);
    this.#queue = [];
    this.left = 0;
    this.stopped = true;
  }

  goOn(runs: readonly string[]): void {
    this.stopped = false;
    if (this.#question) this.ask(this.#question, runs);
  }

  /** These runs may answer now where they did not before. */
  again(runs: readonly string[]): void {
    if (runs.length === 0 || this.#question === null) return;
    for (const run of runs) {
      this.found.delete(run);
      this.#asked.delete(run);
    }
    this.ask(this.#question, runs);
  }

  clear(): void {
    this.cancel();
    this.found.clear();
    this.#asked.clear();
    this.#key = "";
    this.stopped = false;
  }

  #next(): void {
    const isFree = (run: string) => (this.#running.get(this.machineOf(run)) ?? 0) < TOGETHER;
    for (let at = this.#queue.findIndex(isFree); at >= 0; at = this.#queue.findIndex(isFree)) {
      const [run] = this.#queue.splice(at, 1);
      if (run === undefined || this.#question === null) return;
      this.#count(run, 1);
      void this.#search(run, this.#question, this.#flight.signal);
    }
  }

  #count(run: string, by: 1 | -1): void {
    const machine = this.machineOf(run);
    this.#running.set(machine, (this.#running.get(machine) ?? 0) + by);
  }

  async #search(run: string, question: RunsQuestion, signal: AbortSignal): Promise<void> {
    const { pattern, regex, matchCase } = question;
    const query = { pattern, regex, case: matchCase, limit: HITS_PER_RUN };
    let hits: RunHits;
    try {
      const path = `/api/log-search/${segment(run)}`;
      hits = { answer: await this.api.get<LogSearchAnswer>(path, query, signal), failure: null };
    } catch (failure) {
      hits = { answer: null, failure };
    }
    // A search that was given up has begun anew or ended meanwhile.
    if (signal.aborted) return;
    this.found.set(run, hits);
    this.left -= 1;
    this.#count(run, -1);
    this.#next();
  }
}
