/** The order in which a list last showed its runs, and its address, for going on from one run to the next. */

class RunOrder {
  ids = $state.raw<readonly string[]>([]);
  /** Query of the list's address, to come back to the same view. */
  query = $state("");

  set(ids: readonly string[], query: string): void {
    this.ids = ids;
    this.query = query;
  }
}

export const runOrder = new RunOrder();
