/** The recorded values of the compared runs, asked for when they are first looked at and again when a run grows. */
import type { Api } from "../../../api/client";
import { askValues, type RecordedValue, valueNames } from "../../../api/run_values";
import type { ValueName } from "./value_axes";

/** Time between two looks at runs that grow. */
const CALM_MILLIS = 2_000;

export class ValuesFeed {
  /** Columns that any of the runs has a value in. */
  fields = $state.raw<readonly ValueName[]>([]);
  /** Values by column and run. */
  values = $state.raw<ReadonlyMap<ValueName, ReadonlyMap<string, RecordedValue>>>(new Map());
  fault = $state.raw<unknown>(null);
  waiting = $state(true);

  #flight = new AbortController();
  #asked = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly api: Api,
    readonly runs: readonly string[],
  ) {}

  /** Asks once, however often it is called. */
  need(): void {
    if (this.#asked) return;
    this.#asked = true;
    void this.load();
  }

  /** A run wrote more. */
  grew(): void {
    if (!this.#asked || this.waiting) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.load();
    }, CALM_MILLIS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#flight.abort();
  }

  async load(): Promise<void> {
    const { signal } = this.#flight;
    try {
      const names = await valueNames(this.api, this.runs, signal);
      const fields = [
        ...names.config.map((name) => `config:${name}`),
        ...names.summary.map((name) => `summary:${name}`),
        ...names.metrics.map((name) => `last:${name}`),
      ];
      const values = new Map<ValueName, Map<string, RecordedValue>>();
      await askValues(
        this.api,
        this.runs,
        fields,
        (runs, part, columns) => {
          part.forEach((field, at) => {
            const column = values.get(field) ?? new Map<string, RecordedValue>();
            values.set(field, column);
            runs.forEach((run, row) => {
              const value = columns[at]?.[row] ?? null;
              if (value !== null) column.set(run, value);
            });
          });
        },
        signal,
      );
      this.values = values;
      this.fields = fields.filter((field) => (values.get(field)?.size ?? 0) > 0);
      this.fault = null;
    } catch (error) {
      if (signal.aborted) return;
      this.fault = error;
    }
    this.waiting = false;
  }

  valueOf(field: ValueName, run: string): RecordedValue {
    return this.values.get(field)?.get(run) ?? null;
  }

  valuesOf(field: ValueName): RecordedValue[] {
    return this.runs.map((run) => this.valueOf(field, run));
  }
}
