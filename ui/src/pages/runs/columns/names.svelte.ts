/** The names of what runs recorded, for choosing columns: asked for when somebody looks. */
import { type ValueNames, valueNames } from "../../../api/run_values";
import type { ListedRun, RunOrigin } from "../../../state/run_list.svelte";

/** Names of so many runs are enough to choose from. */
const MOST_RUNS = 300;

export class RecordedNames {
  names = $state.raw<ValueNames | null>(null);
  fault = $state.raw<unknown>(null);
  #flight = new AbortController();

  #asked = false;

  /** Asks once; the names of later runs are not waited for. */
  need(rows: readonly ListedRun[]): void {
    if (this.#asked || rows.length === 0) return;
    this.#asked = true;
    void this.load(rows);
  }

  /** The column of a recorded name, in whatever letters: what was configured before what came of it. */
  fieldOf(name: string): string | null {
    const { names } = this;
    if (names === null) return null;
    const wanted = name.toLowerCase();
    const among = (kind: string, found: readonly string[]) => {
      const exact = found.find((one) => one === name) ?? found.find((one) => one.toLowerCase() === wanted);
      return exact === undefined ? null : `${kind}:${exact}`;
    };
    return among("config", names.config) ?? among("summary", names.summary) ?? among("last", names.metrics);
  }

  async load(rows: readonly ListedRun[]): Promise<void> {
    this.#flight.abort();
    const flight = new AbortController();
    this.#flight = flight;
    this.fault = null;
    const looked = rows
      .filter((row) => row.origin.isReachable && !row.origin.isRemembered)
      .slice(0, MOST_RUNS);
    const byMachine = new Map<RunOrigin, string[]>();
    for (const row of looked) byMachine.set(row.origin, [...(byMachine.get(row.origin) ?? []), row.id]);
    try {
      const found = await Promise.all(
        [...byMachine].map(([machine, runs]) => valueNames(machine.api, runs, flight.signal)),
      );
      const all = (kind: keyof ValueNames) => [...new Set(found.flatMap((names) => names[kind]))].sort();
      this.names = { config: all("config"), summary: all("summary"), metrics: all("metrics") };
    } catch (error) {
      if (!flight.signal.aborted) this.fault = error;
    }
  }

  stop(): void {
    this.#flight.abort();
  }
}
