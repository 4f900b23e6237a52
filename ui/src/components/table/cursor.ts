/** The chosen row of a table, moved by keys and by the pointer: the table holds the focus, the choice moves in it. */
import { lineAfter, scrollTo } from "../window";
import type { TickedTable, Ticks } from "./ticks";

/** The table as it is at the moment. */
export interface FocusedTable<Row> extends TickedTable<Row> {
  element: HTMLElement | undefined;
  rowPx: number;
  /** Height of the rows that are in view. */
  bodyPx: number;
  selected: string | null;
  /** The line of the chosen row; -1 where it is not in the table. */
  at: number;
  onselect: (key: string) => void;
  onopen: (key: string) => void;
  onfold: (key: string, open: boolean) => void;
}

export class Cursor<Row> {
  constructor(
    readonly table: () => FocusedTable<Row>,
    readonly ticks: Ticks<Row>,
  ) {}

  /** Moves the choice to a line and scrolls no further than needed. */
  #moveTo(line: number): void {
    const { rows, rowKey, rowPx, bodyPx, element, onselect } = this.table();
    const row = rows[line];
    if (row === undefined) return;
    element?.scrollTo({ top: scrollTo(line, element.scrollTop, bodyPx, rowPx) });
    onselect(rowKey(row));
  }

  /** Right opens a head and goes in, left closes it or goes to it, Enter does the one or the other. */
  #fold(key: string): boolean {
    const { rows, rowKey, headOf, at, onfold } = this.table();
    const row = rows[at];
    if (headOf === null || row === undefined) return false;
    const heads = headOf(row);
    if (heads === null) {
      if (key !== "ArrowLeft") return false;
      this.#moveTo(rows.slice(0, at).findLastIndex((above) => headOf(above) !== null));
    } else if (
      key === "Enter" ||
      (key === "ArrowRight" && !heads.open) ||
      (key === "ArrowLeft" && heads.open)
    ) {
      onfold(rowKey(row), !heads.open);
    } else if (key === "ArrowRight") this.#moveTo(at + 1);
    else return false;
    return true;
  }

  press(event: KeyboardEvent): void {
    const { element, rows, at, selected, rowPx, bodyPx, ontick, onopen } = this.table();
    if (event.target !== element || event.altKey) return;
    const command = event.ctrlKey || event.metaKey;
    const pageLines = Math.max(1, Math.floor(bodyPx / rowPx) - 1);
    const line = command ? null : lineAfter(event.key, at, rows.length, pageLines);
    if (line !== null) {
      if (event.shiftKey && ontick !== null) this.ticks.extend(line, at);
      this.#moveTo(line);
    } else if (!command && !event.shiftKey && this.#fold(event.key)) {
      // Done.
    } else if (event.key === "Enter" && selected !== null) onopen(selected);
    else if (event.key === " " && at >= 0 && ontick !== null) this.ticks.toggle(at, event.shiftKey);
    else if (event.key === "a" && command && ontick !== null) this.ticks.setAll(true);
    else return;
    event.preventDefault();
  }

  click(event: MouseEvent, line: number): void {
    if ((event.target as Element).closest("a, button, input")) return;
    const { element, rows, rowKey, headOf, ontick, onfold } = this.table();
    // The row that was pressed has the focus now; the keys are the grid's.
    element?.focus({ preventScroll: true });
    if (ontick !== null && (event.shiftKey || event.ctrlKey || event.metaKey)) {
      this.ticks.toggle(line, event.shiftKey);
      return;
    }
    this.#moveTo(line);
    const row = rows[line];
    const heads = row === undefined ? null : headOf?.(row);
    if (row !== undefined && heads) onfold(rowKey(row), !heads.open);
  }
}
