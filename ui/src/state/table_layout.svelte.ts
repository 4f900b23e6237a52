/** How this reader likes a table: column widths, and which columns in which order, kept in the browser. */

interface Kept {
  widths: Record<string, number>;
  /** As in the address; null for the table's own. */
  columns: string | null;
}

/** Stored text is someone else's: only positive widths and a text are taken. */
export function readLayout(text: string | null): Kept {
  const kept: Kept = { widths: {}, columns: null };
  try {
    const found = JSON.parse(text ?? "null") as { widths?: unknown; columns?: unknown } | null;
    for (const [name, px] of Object.entries(found?.widths ?? {})) {
      if (typeof px === "number" && px > 0 && px < 5000) kept.widths[name] = px;
    }
    if (typeof found?.columns === "string") kept.columns = found.columns;
  } catch {
    // Unreadable: as if nothing had been kept.
  }
  return kept;
}

export class TableLayout {
  widths = $state.raw<Readonly<Record<string, number>>>({});
  columns = $state<string | null>(null);
  readonly #key: string;

  constructor(table: string) {
    this.#key = `runicorn.table.${table}`;
    Object.assign(this, readLayout(localStorage.getItem(this.#key)));
  }

  setWidth(column: string, px: number | null): void {
    const { [column]: _, ...others } = this.widths;
    this.widths = px === null ? others : { ...others, [column]: Math.max(48, Math.min(px, 1200)) };
    this.#keep();
  }

  choose(columns: string | null): void {
    this.columns = columns;
    this.#keep();
  }

  reset(): void {
    this.widths = {};
    this.columns = null;
    this.#keep();
  }

  #keep(): void {
    localStorage.setItem(this.#key, JSON.stringify({ widths: this.widths, columns: this.columns }));
  }
}
