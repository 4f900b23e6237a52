/** Lines of a log that have been fetched, in pages, so that a log of a million lines costs what is looked at. */

export const PAGE_LINES = 500;
const MAX_PAGES = 80;

export class PlacePages<Line> {
  #pages = new Map<number, (Line | undefined)[]>();

  /** The line when it is here. */
  get(line: number): Line | undefined {
    return this.#pages.get(Math.floor(line / PAGE_LINES))?.[line % PAGE_LINES];
  }

  put(first: number, lines: readonly Line[]): void {
    lines.forEach((text, i) => {
      const line = first + i;
      const index = Math.floor(line / PAGE_LINES);
      const page = this.#pages.get(index) ?? [];
      page[line % PAGE_LINES] = text;
      // Last touched goes last: the map's order is the order of eviction.
      if (i === 0 || line % PAGE_LINES === 0) this.#pages.delete(index);
      this.#pages.set(index, page);
    });
    while (this.#pages.size > MAX_PAGES) this.#pages.delete(this.#pages.keys().next().value as number);
  }

  clear(): void {
    this.#pages.clear();
  }

  /** Ranges of whole pages that hold a missing line of `from..to` (end excluded), at most `limit` lines long each. */
  missing(from: number, to: number, total: number): { from: number; count: number }[] {
    const found: { from: number; count: number }[] = [];
    for (
      let index = Math.floor(Math.max(0, from) / PAGE_LINES);
      index * PAGE_LINES < Math.min(to, total);
      index += 1
    ) {
      const first = index * PAGE_LINES;
      const last = Math.min(first + PAGE_LINES, total);
      if (this.#holds(Math.max(first, from), Math.min(last, to))) continue;
      const before = found[found.length - 1];
      if (before && before.from + before.count === first) before.count += last - first;
      else found.push({ from: first, count: last - first });
    }
    return found;
  }

  #holds(from: number, to: number): boolean {
    for (let line = from; line < to; line += 1) if (this.get(line) === undefined) return false;
    return true;
  }
}

/** Lines of a whole log: their texts. */
export class LinePages extends PlacePages<string> {}
