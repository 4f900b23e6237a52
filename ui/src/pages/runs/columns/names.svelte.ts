/** The names of what runs recorded, for choosing columns: asked for when somebody looks. */
import { type ValueNames, valueNames } from "../../../api/run_values";
import type { ListedRun, RunOrigin } from "../../../state/run_list.svelte";

/** Names of so many runs are enough to choose from. */
const MOST_RUNS = 300;

export class RecordedNames {
  names = $state.raw<ValueNames | null>(null);
  fault = $state.raw<unknown>(null);
  #flight = new AbortController();

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
