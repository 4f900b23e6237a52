/** How this reader likes a table: column widths and hidden columns, kept in the browser. */

interface Kept {
  widths: Record<string, number>;
  hidden: string[];
}

/** Stored text is someone else's: only whole positive widths and plain names are taken. */
export function readLayout(text: string | null): Kept {
  const kept: Kept = { widths: {}, hidden: [] };
  try {
    const found = JSON.parse(text ?? "null") as { widths?: unknown; hidden?: unknown } | null;
    for (const [name, px] of Object.entries(found?.widths ?? {})) {
      if (typeof px === "number" && px > 0 && px < 5000) kept.widths[name] = px;
    }
    if (Array.isArray(found?.hidden)) {
      kept.hidden = found.hidden.filter((name): name is string => typeof name === "string");
    }
  } catch {
    // Unreadable: as if nothing had been kept.
  }
  return kept;
}

export class TableLayout {
  widths = $state.raw<Readonly<Record<string, number>>>({});
  hidden = $state.raw<readonly string[]>([]);
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

  toggle(column: string): void {
    this.hidden = this.hidden.includes(column)
      ? this.hidden.filter((other) => other !== column)
      : [...this.hidden, column];
    this.#keep();
  }

  reset(): void {
    this.widths = {};
    this.hidden = [];
    this.#keep();
  }

  #keep(): void {
    localStorage.setItem(this.#key, JSON.stringify({ widths: this.widths, hidden: this.hidden }));
  }
}
