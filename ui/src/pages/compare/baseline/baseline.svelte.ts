/** The run that the others are held against, and by what. It is chosen in the address. */
import type { RunMetrics } from "../../../api/wire";
import type { ComparedRun } from "../compared_runs";
import {
  type Difference,
  differenceOf,
  type Measure,
  measured,
  measuresOf,
  measureText,
  modeOf,
  readMeasure,
} from "./difference";

export interface BaselineSource {
  runs: readonly ComparedRun[];
  metrics: ReadonlyMap<string, RunMetrics>;
  /** Id in the address; empty for none. */
  id: string;
  /** Measure in the address; empty where nobody chose. */
  measure: string;
}

export class Baseline {
  readonly #source: () => BaselineSource;

  constructor(source: () => BaselineSource) {
    this.#source = source;
  }

  readonly #byId: ReadonlyMap<string, ComparedRun> = $derived.by(
    () => new Map(this.#source().runs.map((run) => [run.id, run])),
  );
  /** Null where none is chosen. */
  readonly run: ComparedRun | null = $derived.by(() => this.#byId.get(this.#source().id) ?? null);
  readonly measures: readonly Measure[] = $derived.by(() =>
    this.run ? measuresOf(this.run, this.#source().metrics) : [],
  );
  readonly measure: Measure | null = $derived.by(() => {
    const wanted = readMeasure(this.#source().measure);
    const same = (one: Measure) => wanted !== null && measureText(one) === measureText(wanted);
    return this.measures.find(same) ?? this.measures[0] ?? null;
  });

  /** Of a run's measure from the baseline's; null for the baseline itself and where one has no number. */
  differenceOf(id: string): Difference | null {
    const run = this.#byId.get(id);
    if (!this.measure || !run) return null;
    return this.difference(this.measure, run);
  }

  difference(measure: Measure, run: ComparedRun): Difference | null {
    if (!this.run || run.id === this.run.id) return null;
    const { metrics } = this.#source();
    const base = measured(measure, this.run, metrics);
    return differenceOf(measured(measure, run, metrics), base, this.modeOf(measure.metric));
  }

  modeOf(metric: string): "max" | "min" | null {
    return modeOf(metric, this.#source().runs);
  }
}
