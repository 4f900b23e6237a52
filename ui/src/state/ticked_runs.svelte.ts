/** The runs that are ticked in the list on screen, for deeds that are offered elsewhere too. */
import { ALL, compareHref } from "./places";

interface Ticked {
  id: string;
  origin: { machine: string };
}

/** Where these runs stand beside each other; null when they are too few. Of several machines each names its own. */
export function comparisonOf(rows: readonly Ticked[]): string | null {
  const machine = rows[0]?.origin.machine ?? "";
  if (rows.length < 2) return null;
  if (rows.some((row) => row.origin.machine !== machine))
    return compareHref(
      rows.map((row) => `${row.origin.machine}/${row.id}`),
      ALL,
    );
  return compareHref(
    rows.map((row) => row.id),
    machine,
  );
}

class TickedRuns {
  rows = $state.raw<readonly Ticked[]>([]);
  readonly comparison = $derived(comparisonOf(this.rows));
  #brought: readonly string[] = [];

  /** Has the list that is opened next begin with these ticked, so that others can be added to them. */
  bring(ids: readonly string[]): void {
    this.#brought = ids;
  }

  /** What was brought, once. */
  take(): readonly string[] {
    const ids = this.#brought;
    this.#brought = [];
    return ids;
  }
}

export const tickedRuns = new TickedRuns();
