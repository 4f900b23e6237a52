/** The rows that a list last showed, in its order, and its address, for going on from one run to the next and back. */
import { runHref } from "./places";

interface Placed {
  id: string;
  origin: { machine: string };
}

/** Addresses of the runs of a list. */
export const hrefsOf = (rows: readonly Placed[]): string[] =>
  rows.map((row) => runHref(row.id, row.origin.machine));

class RunOrder {
  rows = $state.raw<readonly Placed[]>([]);
  /** Address of the list; empty when none was seen. */
  href = $state("");

  set(rows: readonly Placed[], href: string): void {
    this.rows = rows;
    this.href = href;
  }
}

export const runOrder = new RunOrder();
