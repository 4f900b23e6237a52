/** What the server knows of one line of a log: its level and its time; and which line is nearest to a time. */
import { type Api, segment } from "../../../api/client";
import type { FilteredLine, FilteredLines, NearestLine } from "../../../api/wire";

export class LineMoment {
  line = $state<number | null>(null);
  facts = $state.raw<FilteredLine | null>(null);
  failure = $state.raw<unknown>(null);
  /** A time that no line could be found for, in Unix seconds. */
  lost = $state<number | null>(null);

  #flight: AbortController | null = null;

  constructor(
    readonly api: Api,
    readonly run: string,
  ) {}

  /** Null asks for nothing. */
  async ask(line: number | null): Promise<void> {
    if (line === this.line) return;
    this.#flight?.abort();
    this.line = line;
    this.facts = null;
    this.failure = null;
    if (line === null) return;
    this.lost = null;
    const flight = new AbortController();
    this.#flight = flight;
    const { signal } = flight;
    const path = `/api/log-filter/${segment(this.run)}`;
    try {
      // The times of a long log are read in steps.
      for (;;) {
        const answer = await this.api.get<FilteredLines>(path, { line, count: 1 }, signal);
        this.facts = answer.lines.find((one) => one.line === line) ?? null;
        if (this.facts !== null || answer.complete) return;
      }
    } catch (error) {
      if (!signal.aborted) this.failure = error;
    }
  }

  /** The number of the line nearest to a time; null when no line has one. */
  async nearest(time: number): Promise<number | null> {
    const path = `/api/log-nearest/${segment(this.run)}`;
    const { line } = await this.api.get<NearestLine>(path, { time });
    this.lost = line === null ? time : null;
    return line;
  }

  stop(): void {
    this.#flight?.abort();
  }
}
