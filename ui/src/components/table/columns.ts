/** The columns of a table: how wide each one is, which stay at the left, and which way the rows are sorted by them. */

export interface Column {
  key: string;
  label: string;
  /** Width in pixels; the least width of a column that grows. */
  width: number;
  /** Share of the room that is left over. */
  grows?: number;
  align?: "end";
  sortable?: boolean;
  /** Stays at the left while the others move; such columns stand first. */
  pinned?: boolean;
}

export interface SortOrder {
  key: string;
  descending: boolean;
}

/** Widths that a reader has set, in pixels. */
export type Widths = Readonly<Record<string, number>>;

const narrowestPx = 48;
const tickPx = 34;

export const widthOf = (column: Column, widths: Widths): number =>
  Math.max(narrowestPx, widths[column.key] ?? column.width);

function track(column: Column, widths: Widths): string {
  const px = widthOf(column, widths);
  return column.grows && widths[column.key] === undefined ? `minmax(${px}px, ${column.grows}fr)` : `${px}px`;
}

/** How far from the left each pinned column stays, the ticks before them. */
function pinsOf(columns: readonly Column[], widths: Widths, boxPx: number): Map<string, number> {
  const found = new Map<string, number>();
  let left = boxPx;
  for (const column of columns) {
    if (!column.pinned) break;
    found.set(column.key, left);
    left += widthOf(column, widths);
  }
  return found;
}

export interface Tracks {
  /** What the grid of each line is made of. */
  template: string;
  totalPx: number;
  pins: ReadonlyMap<string, number>;
  lastPin: string | undefined;
}

export function tracksOf(columns: readonly Column[], widths: Widths, hasTicks: boolean): Tracks {
  const boxPx = hasTicks ? tickPx : 0;
  const pins = pinsOf(columns, widths, boxPx);
  return {
    template: [...(hasTicks ? [`${boxPx}px`] : []), ...columns.map((column) => track(column, widths))].join(
      " ",
    ),
    totalPx: columns.reduce((sum, column) => sum + widthOf(column, widths), boxPx),
    pins,
    lastPin: [...pins.keys()].at(-1),
  };
}

/** The column that one may move to, on the same side of the pinned ones' edge. */
export function neighbourOf(columns: readonly Column[], key: string, by: number): string | undefined {
  const pinned = columns.find((column) => column.key === key)?.pinned;
  const same = columns.filter((column) => column.pinned === pinned);
  return same[same.findIndex((column) => column.key === key) + by]?.key;
}
