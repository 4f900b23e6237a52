/** Values of many runs for columns: configuration, summary, metrics. */
import type { Api } from "./client";
import type { components } from "./schema";

/** The texts `NaN`, `Infinity` and `-Infinity` stand for numbers that are none. */
export type RecordedValue = string | number | boolean | null;

/** Names without their kind: `lr`, not `config:lr`. */
export type ValueNames = Record<(typeof KINDS)[number], string[]>;

const KINDS = ["config", "summary", "metrics"] as const;
type NamesAnswer = components["schemas"]["ValueNamesAnswer"];

type ValuesAnswer = Omit<components["schemas"]["ValuesAnswer"], "values"> & { values: RecordedValue[][] };

/** What the server takes in one question. */
const MOST_RUNS = 1000;
const MOST_FIELDS = 200;

/** Names of everything that these runs have. */
export async function valueNames(
  api: Api,
  runs: readonly string[],
  signal?: AbortSignal,
): Promise<ValueNames> {
  const found = { config: new Set<string>(), summary: new Set<string>(), metrics: new Set<string>() };
  let left = [...runs];
  while (left.length > 0) {
    const body = { runs: left.slice(0, MOST_RUNS) };
    const answer = await api.post<NamesAnswer>("/api/run-values/names", body, signal);
    for (const kind of KINDS) for (const name of answer[kind]) found[kind].add(name);
    left = [...answer.later, ...left.slice(MOST_RUNS)];
  }
  return { config: [...found.config], summary: [...found.summary], metrics: [...found.metrics] };
}

/**
 * Asks for fields such as `config:lr` or `last:loss` of runs. `hear` gets each part as it comes: the runs of that part and for each of the
 * fields asked with it one value a run. Runs that time did not suffice for are asked for again.
 */
export async function askValues(
  api: Api,
  runs: readonly string[],
  fields: readonly string[],
  hear: (runs: readonly string[], fields: readonly string[], values: readonly RecordedValue[][]) => void,
  signal?: AbortSignal,
): Promise<void> {
  for (let at = 0; at < fields.length; at += MOST_FIELDS) {
    const part = fields.slice(at, at + MOST_FIELDS);
    let left = [...runs];
    while (left.length > 0) {
      const body = { runs: left.slice(0, MOST_RUNS), fields: part };
      const answer = await api.post<ValuesAnswer>("/api/run-values", body, signal);
      hear(answer.runs, part, answer.values);
      left = [...answer.later, ...left.slice(MOST_RUNS)];
    }
  }
}
