/**
 * Only some lines of a run's log, chosen by the server: how many there are, those looked at, and how far the reading has come.
 * A long log is read in steps, each of which can be the last.
 */
import { type Api, segment } from "../../../api/client";
import type { FilteredLines } from "../../../api/wire";
import { PAGE_LINES, PlacePages } from "./line_pages";
import { filterQuery, type LogFilter, WHOLE } from "./log_filter";

/** How often a growing log is counted anew. */
const GROWTH_MILLIS = 300;

interface ShownLine {
  line: number;
  text: string;
  cut: boolean;
}

export class FilteredLog {
  /** Lines that are shown, as far as the log was read. */
  total = $state(0);
  readBytes = $state(0);
  totalBytes = $state(0);
  complete = $state(false);
  busy = $state(false);
  /** The reader ended the reading. */
  stopped = $state(false);
  hasTimes = $state(false);
  hasLevels = $state(false);
  failure = $state.raw<unknown>(null);
  /** Counts what changed in the pages, which are not reactive themselves. */
  version = $state(0);

  #filter: LogFilter = WHOLE;
  #pages = new PlacePages<ShownLine>();
  #asked = new Set<number>();
  #wanted = 0;
  #flight = new AbortController();
  #growing: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly api: Api,
    readonly run: string,
  ) {}

  /** Another choice of lines; resolves when the log was read or the reading was ended. */
  async begin(filter: LogFilter): Promise<void> {
    this.clear();
    this.#filter = filter;
    this.busy = true;
    await this.#read();
  }

  clear(): void {
    this.#flight.abort();
    this.#flight = new AbortController();
    clearTimeout(this.#growing);
    this.#growing = undefined;
    this.#pages.clear();
    this.#asked.clear();
    this.total = 0;
    this.readBytes = 0;
    this.totalBytes = 0;
    this.complete = false;
    this.busy = false;
    this.stopped = false;
    this.failure = null;
    this.version += 1;
  }

  /** Ends the reading; what was found stays. */
  cancel(): void {
    this.#flight.abort();
    this.#flight = new AbortController();
    this.#asked.clear();
    this.busy = false;
    this.stopped = true;
  }

  async goOn(): Promise<void> {
    this.stopped = false;
    this.busy = true;
    await this.#read();
  }

  /** The run wrote more. */
  grew(): void {
    if (this.busy || this.stopped || this.#growing !== undefined) return;
    this.#growing = setTimeout(() => {
      this.#growing = undefined;
      void this.#read();
    }, GROWTH_MILLIS);
  }

  line(place: number): string | undefined {
    void this.version;
    return this.#pages.get(place)?.text;
  }

  /** The number of a shown line in the whole log. */
  number(place: number): number | undefined {
    void this.version;
    return this.#pages.get(place)?.line;
  }

  isCut(place: number): boolean {
    return this.#pages.get(place)?.cut ?? false;
  }

  /** Fetches what is missing of these lines. */
  need(from: number, to: number): void {
    this.#wanted = Math.max(0, from);
    if (this.busy) return;
    const { signal } = this.#flight;
    for (const range of this.#pages.missing(from, to, this.total)) {
      if (this.#asked.has(range.from)) continue;
      this.#asked.add(range.from);
      this.#ask({ from: range.from, count: range.count }, signal)
        .then((answer) => this.#take(answer))
        .catch((error) => {
          if (!signal.aborted) this.failure = error;
        })
        .finally(() => this.#asked.delete(range.from));
    }
  }

  /** The place of the first shown line at or after a line of the log. */
  async locate(line: number): Promise<number> {
    const answer = await this.#ask({ line, count: 1 }, this.#flight.signal);
    this.#take(answer);
    return Math.min(answer.first, Math.max(0, answer.shown_lines - 1));
  }

  /** The texts of shown lines, fetched where they are not here. */
  async read(from: number, to: number): Promise<string[]> {
    const found: string[] = [];
    while (found.length < to - from) {
      const at = from + found.length;
      const answer = await this.#ask({ from: at, count: Math.min(5000, to - at) }, this.#flight.signal);
      if (answer.lines.length === 0) break;
      found.push(...answer.lines.map(({ text }) => text));
    }
    return found;
  }

  /** Step by step to the end of the log; what is looked at comes along. */
  async #read(): Promise<void> {
    const { signal } = this.#flight;
    try {
      do {
        const from = Math.floor(this.#wanted / PAGE_LINES) * PAGE_LINES;
        this.#take(await this.#ask({ from, count: PAGE_LINES }, signal));
      } while (!this.complete);
    } catch (error) {
      if (signal.aborted) return;
      this.failure = error;
    }
    this.busy = false;
  }

  #ask(query: Record<string, number>, signal: AbortSignal): Promise<FilteredLines> {
    const path = `/api/log-filter/${segment(this.run)}`;
    return this.api.get<FilteredLines>(path, { ...filterQuery(this.#filter), ...query }, signal);
  }

  #take(answer: FilteredLines): void {
    // A log that was replaced has other lines at the same places.
    if (answer.read_bytes < this.readBytes) this.#pages.clear();
    this.failure = null;
    this.total = answer.shown_lines;
    this.readBytes = answer.read_bytes;
    this.totalBytes = answer.total_bytes;
    this.complete = answer.complete;
    this.hasTimes = answer.has_times;
    this.hasLevels = answer.has_levels;
    this.#pages.put(answer.first, answer.lines);
    this.version += 1;
  }
}
