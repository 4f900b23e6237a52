/** What a table is told, and what it tells. */
import type { Snippet } from "svelte";
import type { Column, SortOrder, Widths } from "./columns";
import type { Head } from "./ticks";

export interface TableProps<Row> {
  label: string;
  columns: readonly Column[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  rowPx: number;
  cell: Snippet<[row: Row, column: string]>;
  selected: string | null;
  onselect: (key: string) => void;
  onopen: (key: string) => void;
  ticked?: ReadonlySet<string>;
  /** Absent: rows cannot be ticked. */
  ontick?: ((keys: string[], ticked: boolean) => void) | null;
  tickLabel?: (row: Row) => string;
  tickAllLabel?: string;
  /** One, or several in the order of their weight. */
  sort: SortOrder | readonly SortOrder[];
  /** `add`: beside the ones that there are, which Shift asks for. */
  onsort: (key: string, add: boolean) => void;
  /** How the table is sorted by a column, the weightiest being number 1; null: not by this one. */
  sortWords?: (order: SortOrder | null, place: number) => string;
  widths?: Widths;
  onwidth?: (key: string, px: number | null) => void;
  /** Asked to move a column to where another one stands. Absent: columns stay in their order. */
  onmove?: (key: string, to: string) => void;
  /** The lines in view, from one to before another. */
  onview?: (from: number, to: number) => void;
  element?: HTMLElement;
  /** Shown in place of the rows when there are none. */
  empty?: Snippet;
  /** Absent: no row heads others. Null: this one does not. */
  headOf?: ((row: Row) => Head | null) | null;
  onfold?: (key: string, open: boolean) => void;
  /** What stands in a row that heads others. */
  head?: Snippet<[row: Row]>;
  /** So many rows from the first stand in the page, in view or not: for paper. Null: those in view. */
  whole?: number | null;
}
