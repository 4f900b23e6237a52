/**
 * Where a text of any length stands in its window. The truth is a line number with a fraction; the browser's
 * scroll bar, whose height is limited, only shows it.
 */

/** Browsers stop laying out boxes at some ten million pixels; this is well below all of them. */
export const MAX_SCROLL_PX = 8_000_000;

export interface LineView {
  lines: number;
  line_px: number;
  view_px: number;
}

/** Height of the scrolled box. */
export function scrollHeight(view: LineView): number {
  return Math.min(MAX_SCROLL_PX, Math.max(view.view_px, view.lines * view.line_px));
}

/** The last line number that may stand at the top. */
export function lastTop(view: LineView): number {
  return Math.max(0, view.lines - view.view_px / view.line_px);
}

export function topToScroll(top: number, view: LineView): number {
  const last = lastTop(view);
  return last === 0 ? 0 : (clampTop(top, view) / last) * (scrollHeight(view) - view.view_px);
}

export function scrollToTop(scroll_px: number, view: LineView): number {
  const room = scrollHeight(view) - view.view_px;
  return room <= 0 ? 0 : clampTop((scroll_px / room) * lastTop(view), view);
}

export function clampTop(top: number, view: LineView): number {
  return Math.min(Math.max(0, top), lastTop(view));
}

/** True when a pixel of the scroll bar is a pixel of text, so that the browser may scroll by itself. */
export function isExact(view: LineView): boolean {
  return view.lines * view.line_px <= MAX_SCROLL_PX;
}

/** The top at which the last line stands at the foot, for lines of known heights. */
export function endTop(view: LineView, heightOf: (line: number) => number): number {
  let room = view.view_px;
  for (let line = view.lines - 1; line >= 0; line -= 1) {
    const height = heightOf(line);
    if (height >= room) return line + (height - room) / height;
    room -= height;
  }
  return 0;
}

/** Moves by pixels through lines of known heights (wrapped lines are taller), starting inside line `top`. */
export function moveByPixels(
  top: number,
  delta_px: number,
  heightOf: (line: number) => number,
  lines: number,
): number {
  let line = Math.floor(top);
  let offset = (top - line) * heightOf(line) + delta_px;
  while (offset < 0 && line > 0) {
    line -= 1;
    offset += heightOf(line);
  }
  while (line < lines - 1 && offset >= heightOf(line)) {
    offset -= heightOf(line);
    line += 1;
  }
  return Math.max(0, line + Math.max(0, offset) / heightOf(line));
}
