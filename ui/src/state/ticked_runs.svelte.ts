/** The runs that are ticked in the list on screen, for deeds that are offered elsewhere too. */
import { compareHref } from "./places";

interface Ticked {
  id: string;
  origin: { machine: string };
}

/** Where these runs stand beside each other; null when they are too few or lie on several machines. */
export function comparisonOf(rows: readonly Ticked[]): string | null {
  const machine = rows[0]?.origin.machine ?? "";
  if (rows.length < 2 || rows.some((row) => row.origin.machine !== machine)) return null;
  return compareHref(
    rows.map((row) => row.id),
    machine,
  );
}

class TickedRuns {
  rows = $state.raw<readonly Ticked[]>([]);
  readonly comparison = $derived(comparisonOf(this.rows));
}

export const tickedRuns = new TickedRuns();
