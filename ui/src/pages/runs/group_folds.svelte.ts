/** Which groups of the table are closed, and on which head the choice stands. */

export class GroupFolds {
  closed = $state.raw<ReadonlySet<string>>(new Set());
  /** Key of the head that is chosen; null while a run is. */
  at = $state<string | null>(null);

  fold(key: string, open: boolean): void {
    this.foldAll([key], open);
  }

  foldAll(keys: readonly string[], open: boolean): void {
    const closed = new Set(this.closed);
    for (const key of keys) {
      if (open) closed.delete(key);
      else closed.add(key);
    }
    this.closed = closed;
  }
}
