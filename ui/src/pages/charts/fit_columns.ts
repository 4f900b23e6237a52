/** How many charts stand in a row when the page may choose: as many as fit, or one more where that saves rows and holes. Pure. */

const LEAST_PX = 290;
const FEW_CHARTS = 60;

export function fitColumns(width_px: number, card_px: number, groupSizes: readonly number[]): number {
  const fitting = Math.max(1, Math.floor(width_px / card_px));
  const more = fitting + 1;
  const charts = groupSizes.reduce((sum, size) => sum + size, 0);
  if (charts <= fitting || charts > FEW_CHARTS || width_px / more < LEAST_PX) return fitting;
  const [rows, fewer] = [rowsOf(fitting, groupSizes), rowsOf(more, groupSizes)];
  return fewer < rows && fewer * more < rows * fitting ? more : fitting;
}

/** Rows of charts when groups stand side by side without being broken up. */
function rowsOf(columns: number, groupSizes: readonly number[]): number {
  let rows = 1;
  let used = 0;
  for (const size of groupSizes) {
    const span = Math.min(size, columns);
    if (used + span > columns) {
      rows += 1;
      used = 0;
    }
    used += span;
    rows += Math.ceil(size / columns) - 1;
  }
  return rows;
}
