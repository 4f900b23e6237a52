/** The questions of a comparison to several machines at once: each is asked for its own runs, and their answers are put together. */
import { Api, ApiError, type CallOptions, type Query } from "../../../api/client";
import type { RecordedValue } from "../../../api/run_values";
import type { RunMetricsOfMany, SeriesAnswer, SeriesRequest } from "../../../api/wire";
import { seriesOfMany } from "./many_series";
import { byMachine, keyOf, partsOf } from "./run_key";

/** Code of the fault of a machine that is not connected. */
export const NOT_REACHABLE = "NOT_REACHABLE";

interface RunsBody {
  runs: string[];
}
interface NamesAnswer {
  config: string[];
  summary: string[];
  metrics: string[];
  later: string[];
}
interface ValuesAnswer {
  runs: string[];
  values: RecordedValue[][];
  later: string[];
}

/** What one machine answered, or why it did not. */
type Told<Answer> = { machine: string; answer: Answer } | { machine: string; error: unknown };

const ofRun =
  /^(\/api\/(?:run-detail|run-code|run-images|run-file|run-thumbnail|log-search|runs)\/)([^/]+)(\/.*)?$/;

export class ManyApi extends Api {
  readonly #apiOf: (machine: string) => Api | null;

  /** `apiOf` says how a machine is reached now; null while it is not connected. */
  constructor(apiOf: (machine: string) => Api | null) {
    super();
    this.#apiOf = apiOf;
  }

  override async call<Answer>(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const run = pathOf(path);
    if (run) return this.#reach(run.machine).call(method, run.path, options);
    const { signal } = options;
    if (path === "/api/series") return (await this.#series(options.body as SeriesRequest, signal)) as Answer;
    const body = options.body as RunsBody;
    const ask = <Part>() =>
      this.#all(byMachine(body.runs), (api, runs) => api.post<Part>(path, { ...body, runs }, signal));
    if (path === "/api/run-metrics") return metricsOf(body.runs, await ask()) as Answer;
    if (path === "/api/run-values/names") return namesOf(answered(await ask())) as Answer;
    return valuesOf(answered(await ask())) as Answer;
  }

  /** A file of a run has its address on the run's machine; none while that is not connected. */
  override address(path: string, query: Query = {}): string {
    const run = pathOf(path);
    return run ? (this.#apiOf(run.machine)?.address(run.path, query) ?? "") : super.address(path, query);
  }

  override reaches(key: string): boolean {
    return this.#apiOf(partsOf(key).machine) !== null;
  }

  #reach(machine: string): Api {
    const api = this.#apiOf(machine);
    if (!api) throw new ApiError(0, NOT_REACHABLE, "");
    return api;
  }

  async #all<Answer>(
    ids: ReadonlyMap<string, string[]>,
    ask: (api: Api, ids: string[], machine: string) => Promise<Answer>,
  ): Promise<Told<Answer>[]> {
    const one = async ([machine, own]: [string, string[]]): Promise<Told<Answer>> => {
      try {
        return { machine, answer: await ask(this.#reach(machine), own, machine) };
      } catch (error) {
        return { machine, error };
      }
    };
    return Promise.all([...ids].map(one));
  }

  #series(request: SeriesRequest, signal?: AbortSignal): Promise<SeriesAnswer> {
    return seriesOfMany(request, async (questions) => {
      const bodies = new Map(questions.map(({ machine, body }) => [machine, body]));
      const machines = new Map(questions.map(({ machine, body }) => [machine, body.runs]));
      const ask = (api: Api, _: unknown, machine: string) =>
        api.post<SeriesAnswer>("/api/series", bodies.get(machine), signal);
      return answered(await this.#all(machines, ask));
    });
  }
}

/** Where a question about one run goes, under the run's own id; null where it is about several. */
function pathOf(path: string): { machine: string; path: string } | null {
  const run = ofRun.exec(path);
  if (!run) return null;
  const { machine, id } = partsOf(decodeURIComponent(run[2] ?? ""));
  return { machine, path: `${run[1]}${encodeURIComponent(id)}${run[3] ?? ""}` };
}

/** The answers that came; the first fault where none did. */
function answered<Answer>(told: readonly Told<Answer>[]): { machine: string; answer: Answer }[] {
  const parts = told.filter((one) => "answer" in one);
  const [first] = told;
  if (parts.length === 0 && first && "error" in first) throw first.error;
  return parts;
}

function metricsOf(keys: readonly string[], told: readonly Told<RunMetricsOfMany>[]): RunMetricsOfMany {
  const merged: Required<RunMetricsOfMany> = { runs: [], missing: [], failed: new Map() };
  for (const one of told) {
    const key = (id: string) => keyOf(one.machine, id);
    if ("answer" in one) {
      merged.runs.push(...one.answer.runs.map((run) => ({ ...run, run: key(run.run) })));
      merged.missing.push(...one.answer.missing.map(key));
      continue;
    }
    for (const own of keys) if (partsOf(own).machine === one.machine) merged.failed.set(own, one.error);
  }
  return merged;
}

function namesOf(parts: readonly { machine: string; answer: NamesAnswer }[]): NamesAnswer {
  const all = (kind: "config" | "summary" | "metrics") => [
    ...new Set(parts.flatMap(({ answer }) => answer[kind])),
  ];
  const later = parts.flatMap(({ machine, answer }) => answer.later.map((id) => keyOf(machine, id)));
  return { config: all("config"), summary: all("summary"), metrics: all("metrics"), later };
}

function valuesOf(parts: readonly { machine: string; answer: ValuesAnswer }[]): ValuesAnswer {
  const fields = Math.max(0, ...parts.map(({ answer }) => answer.values.length));
  const keys = (pick: (answer: ValuesAnswer) => string[]) =>
    parts.flatMap(({ machine, answer }) => pick(answer).map((id) => keyOf(machine, id)));
  return {
    runs: keys((answer) => answer.runs),
    values: Array.from({ length: fields }, (_, at) =>
      parts.flatMap(({ answer }) => answer.runs.map((_, row) => answer.values[at]?.[row] ?? null)),
    ),
    later: keys((answer) => answer.later),
  };
}
