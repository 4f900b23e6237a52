/** A search through a run's log by the server, and where in its hits one stands. */
import { type Api, segment } from "../../../api/client";
import { filterQuery, type LogFilter } from "./log_filter";

export interface LogHit {
  line: number;
  /** Among the lines that are shown. */
  place: number;
  text: string;
  spans: [number, number][];
}

interface LogSearchAnswer {
  hits: LogHit[];
  total_hits: number;
  complete: boolean;
  scanned_bytes: number;
}

export interface LogQuestion {
  pattern: string;
  regex: boolean;
  matchCase: boolean;
  /** Only these lines are searched. */
  filter: LogFilter;
}

const LIMIT = 2000;
const TYPING_MILLIS = 180;

export class LogSearch {
  hits = $state.raw<LogHit[]>([]);
  total = $state(0);
  complete = $state(true);
  busy = $state(false);
  failure = $state.raw<unknown>(null);
  /** Place among the hits, -1 before the first step. */
  at = $state(-1);
  /** The hits belong to this question. */
  answered = $state("");
  readonly lines = $derived(new Set(this.hits.map((hit) => hit.line)));

  #timer: ReturnType<typeof setTimeout> | undefined;
  #flight: AbortController | null = null;

  constructor(
    readonly api: Api,
    readonly run: string,
  ) {}

  /** Asks once the typing rests; `then` gets the place of the first hit at or after `near`. */
  ask(question: LogQuestion, near: number, then: (place: number) => void): void {
    clearTimeout(this.#timer);
    this.#flight?.abort();
    if (question.pattern === "") {
      this.clear();
      return;
    }
    this.busy = true;
    this.#timer = setTimeout(() => void this.#ask(question, near, then), TYPING_MILLIS);
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#flight?.abort();
    this.hits = [];
    this.total = 0;
    this.at = -1;
    this.busy = false;
    this.failure = null;
    this.answered = "";
  }

  /** The place of the next hit in a direction, round the ends. */
  step(by: 1 | -1): number | null {
    if (this.hits.length === 0) return null;
    this.at = (this.at + by + this.hits.length) % this.hits.length;
    return this.hits[this.at]?.place ?? null;
  }

  async #ask(question: LogQuestion, near: number, then: (place: number) => void): Promise<void> {
    const flight = new AbortController();
    this.#flight = flight;
    const { pattern, regex, matchCase, filter } = question;
    try {
      const query = { ...filterQuery(filter), pattern, regex, case: matchCase, limit: LIMIT };
      const answer = await this.api.get<LogSearchAnswer>(
        `/api/log-search/${segment(this.run)}`,
        query,
        flight.signal,
      );
      this.hits = answer.hits;
      this.total = answer.total_hits;
      this.complete = answer.complete;
      this.failure = null;
      this.answered = pattern;
      const next = this.hits.findIndex((hit) => hit.place >= near);
      this.at = this.hits.length === 0 ? -1 : Math.max(0, next);
      const hit = this.hits[this.at];
      if (hit) then(hit.place);
    } catch (error) {
      if (flight.signal.aborted) return;
      this.failure = error;
      this.hits = [];
      this.total = 0;
      this.at = -1;
    }
    if (!flight.signal.aborted) this.busy = false;
  }
}
