/** Which rows are ticked. Order of ticking is kept: a comparison has the same. */

export class Selection {
  ids = $state.raw<readonly string[]>([]);
  readonly set: ReadonlySet<string> = $derived(new Set(this.ids));

  get count(): number {
    return this.ids.length;
  }

  has(id: string): boolean {
    return this.set.has(id);
  }

  toggle(id: string): void {
    this.ids = this.set.has(id) ? this.ids.filter((other) => other !== id) : [...this.ids, id];
  }

  add(ids: readonly string[]): void {
    this.ids = [...new Set([...this.ids, ...ids])];
  }

  drop(ids: readonly string[]): void {
    const gone = new Set(ids);
    this.ids = this.ids.filter((id) => !gone.has(id));
  }

  clear(): void {
    this.ids = [];
  }
}
