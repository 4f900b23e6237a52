/** What of a large grid is in view: where it is scrolled to, and how large its window is. */
import { type Slice, sliceInView } from "../../../components/window";

/** Lines beside those in view that exist too, so that a slow scroll finds them there. */
const SPARE = 1;

export interface GridSize {
  rows: number;
  columns: number;
  row_px: number;
  column_px: number;
  /** Height of the heads of the columns, width of the heads of the rows; 0: none. */
  head_px: number;
  side_px: number;
}

export class GridWindow {
  left_px = $state(0);
  top_px = $state(0);
  width_px = $state(0);
  height_px = $state(0);

  rowsInView({ rows, row_px, head_px }: GridSize): Slice {
    return sliceInView(this.top_px, this.height_px - head_px, row_px, rows, SPARE);
  }

  columnsInView({ columns, column_px, side_px }: GridSize): Slice {
    return sliceInView(this.left_px, this.width_px - side_px, column_px, columns, SPARE);
  }
}
