/** Which rows of a table are ticked: one by one, by ranges, and by the heads of groups. */

/** A row that heads others: it spans the table, folds, and is ticked with all of its own. */
export interface Head {
  open: boolean;
  keys: readonly string[];
}

export type Tick = "all" | "some" | "none";

type HeadOf<Row> = ((row: Row) => Head | null) | null;

function tickBy<One>(all: readonly One[], isOn: (one: One) => boolean): Tick {
  return all.every(isOn) ? "all" : all.some(isOn) ? "some" : "none";
}

/** Of some keys: a row's own, or those that it heads. */
export function tickOf(keys: readonly string[], ticked: ReadonlySet<string>): Tick {
  return ticked.size === 0 ? "none" : tickBy(keys, (key) => ticked.has(key));
}

/** What is ticked with these rows: an open head stands for nothing of its own, a closed one for all that it hides. */
function keysOf<Row>(rows: readonly Row[], rowKey: (row: Row) => string, headOf: HeadOf<Row>): string[] {
  if (headOf === null) return rows.map(rowKey);
  return rows.flatMap((row) => {
    const heads = headOf(row);
    return heads === null ? [rowKey(row)] : heads.open ? [] : heads.keys;
  });
}

/** Of a whole table. */
export function tickOfRows<Row>(
  rows: readonly Row[],
  rowKey: (row: Row) => string,
  headOf: HeadOf<Row>,
  ticked: ReadonlySet<string>,
): Tick {
  if (rows.length === 0 || ticked.size === 0) return "none";
  if (headOf === null) return tickBy(rows, (row) => ticked.has(rowKey(row)));
  return tickOf(keysOf(rows, rowKey, headOf), ticked);
}

/** The table as it is at the moment. */
export interface TickedTable<Row> {
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  headOf: HeadOf<Row>;
  ticked: ReadonlySet<string>;
  ontick: ((keys: string[], ticked: boolean) => void) | null;
}

export class Ticks<Row> {
  /** Where a range of ticks begins. */
  #anchor = -1;

  constructor(readonly table: () => TickedTable<Row>) {}

  setAll(on: boolean): void {
    const { rows, rowKey, headOf, ontick } = this.table();
    ontick?.(keysOf(rows, rowKey, headOf), on);
  }

  /** Ticks all from where a range begins, or else from line `at`, to `line`. */
  extend(line: number, at = line): void {
    if (this.#anchor < 0) this.#anchor = at;
    const start = this.#anchor < 0 ? line : this.#anchor;
    const [first, last] = start < line ? [start, line] : [line, start];
    const { rows, rowKey, headOf, ontick } = this.table();
    ontick?.(keysOf(rows.slice(first, last + 1), rowKey, headOf), true);
  }

  toggle(line: number, range: boolean): void {
    const { rows, rowKey, headOf, ticked, ontick } = this.table();
    const row = rows[line];
    if (row === undefined || ontick === null) return;
    const own = headOf?.(row)?.keys ?? [rowKey(row)];
    if (range && this.#anchor >= 0) this.extend(line);
    else ontick([...own], tickOf(own, ticked) !== "all");
    this.#anchor = line;
  }
}
