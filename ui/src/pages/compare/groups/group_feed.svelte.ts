/** The configuration values that runs can be grouped by: their names when they are first asked for, the values of the one that is chosen. */
import type { Api } from "../../../api/client";
import { askValues, type RecordedValue, valueNames } from "../../../api/run_values";

export class GroupFeed {
  /** Null until they were asked for and came. */
  names = $state.raw<readonly string[] | null>(null);
  fault = $state.raw<unknown>(null);
  /** The field whose values are here. */
  field = $state.raw<string | null>(null);
  #values = $state.raw<ReadonlyMap<string, RecordedValue>>(new Map());

  #flight = new AbortController();
  #wanted: string | null = null;
  #asking = false;

  constructor(
    readonly api: Api,
    readonly runs: readonly string[],
  ) {}

  stop(): void {
    this.#flight.abort();
  }

  async needNames(): Promise<void> {
    if (this.names !== null || this.#asking) return;
    this.#asking = true;
    try {
      this.names = (await valueNames(this.api, this.runs, this.#flight.signal)).config;
      this.fault = null;
    } catch (error) {
      if (!this.#flight.signal.aborted) this.fault = error;
    }
    this.#asking = false;
  }

  /** Asks for the values of a field, unless they are here or on their way. */
  async need(field: string): Promise<void> {
    if (this.#wanted === field) return;
    this.#wanted = field;
    const found = new Map<string, RecordedValue>();
    const hear = (runs: readonly string[], _: unknown, columns: readonly RecordedValue[][]) =>
      runs.forEach((run, at) => {
        found.set(run, columns[0]?.[at] ?? null);
      });
    try {
      await askValues(this.api, this.runs, [field], hear, this.#flight.signal);
      if (this.#wanted !== field) return;
      this.#values = found;
      this.field = field;
      this.fault = null;
    } catch (error) {
      if (this.#flight.signal.aborted || this.#wanted !== field) return;
      this.fault = error;
      this.#wanted = null;
    }
  }

  /** Another machine can be asked now. */
  again(): void {
    const field = this.#wanted;
    this.#wanted = null;
    if (field !== null) void this.need(field);
  }

  valueOf(run: string): RecordedValue {
    return this.#values.get(run) ?? null;
  }
}
