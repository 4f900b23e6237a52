/**
 * The line of one series over whole device pixels. A point stands at the nearest pixel column, which is how the server
 * counts columns too; of each column the first, lowest, highest and last value are drawn, so the drawing reaches exactly as far
 * as the data does. Pure but for the pen.
 */

export type Places = ArrayLike<number | null | undefined>;

/** Where the lines are drawn, in whole device pixels. */
export interface Area {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Half pixels of a plot's box, which fractional pixel ratios leave, belong to nobody. */
export function areaOf(box: Area): Area {
  const { left, top, width, height } = box;
  return {
    left: Math.round(left),
    top: Math.round(top),
    width: Math.round(width),
    height: Math.round(height),
  };
}

/** A path or a canvas. */
export interface Pen {
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
}

/** The nearest pixel to a place of 0..1; ends in the same column as in the server's arithmetic. */
export function pixelOf(place: number, length_px: number): number {
  return Math.floor(place * length_px + 0.5);
}

/** Beyond this many lengths of the area nothing is told apart any more; it keeps sums finite. */
const FAR = 1e6;
/** A canvas counts in 32 bits: what runs far out is cut off here, beyond all that is seen. */
const OUTSIDE = 4;
/** Strokes of odd width are sharp when they run through the middle of pixels. */
const MIDDLE_PX = 0.5;

interface Lone {
  index: number;
  column: number;
  down: number;
  /** Columns to the point before it. */
  apart: number;
}

/**
 * Draws the line through all points (`undefined`: the line goes on, `null`: it breaks). The answer tells points that
 * no line reaches and that stand further than `dot_px` from all others: they have room for a dot. Without room they are a pixel.
 */
export function traceLine(pen: Pen, xs: Places, ys: Places, area: Area, dot_px: number): number[] {
  const dots: number[] = [];
  const stroke = new Stroke(pen, area);
  let lone: Lone | null = null;
  /** Column of the point before the one at hand, and of the one before the line began. */
  let [before, beforeLine] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  let column = Number.NaN;
  let [first, low, high, last] = [0, 0, 0, 0];
  let index = -1;
  const flush = () => {
    if (Number.isNaN(column)) return;
    stroke.to(column, first);
    if (low < Math.min(first, last)) stroke.to(column, low);
    if (high > Math.max(first, last)) stroke.to(column, high);
    stroke.to(column, last);
    before = column;
    column = Number.NaN;
  };
  const end = () => {
    flush();
    if (stroke.isPoint) lone = { index, column: before, down: last, apart: before - beforeLine };
    stroke.end();
  };
  const settle = (next: number) => {
    if (!lone) return;
    if (Math.min(lone.apart, next - lone.column) > dot_px) dots.push(lone.index);
    else stroke.pixel(lone.column, lone.down);
    lone = null;
  };
  for (let i = 0; i < ys.length; i += 1) {
    const y = ys[i];
    if (y === undefined) continue;
    if (y === null) {
      end();
      continue;
    }
    const x = pixelOf(near(xs[i] as number), area.width);
    const down = pixelOf(1 - near(y), area.height);
    if (lone) settle(x);
    if (x !== column) {
      flush();
      if (!stroke.isStarted) beforeLine = before;
      column = x;
      first = low = high = down;
    } else if (down < low) low = down;
    else if (down > high) high = down;
    last = down;
    index = i;
  }
  end();
  settle(Number.POSITIVE_INFINITY);
  return dots;
}

function near(place: number): number {
  return Math.min(FAR, Math.max(-FAR, place));
}

/** One line from break to break, cut off well outside of the area. */
class Stroke {
  isStarted = false;
  #moved = false;
  #x = 0;
  #y = 0;
  /** Whether all of it so far is one pixel. */
  isPoint = false;

  constructor(
    readonly pen: Pen,
    readonly area: Area,
  ) {}

  end(): void {
    this.isStarted = false;
    this.#moved = false;
    this.isPoint = false;
  }

  to(x: number, y: number): void {
    if (!this.isStarted) {
      this.isStarted = true;
      this.isPoint = true;
    } else if (x !== this.#x || y !== this.#y) {
      this.isPoint = false;
      this.#segment(this.#x, this.#y, x, y);
    }
    this.#x = x;
    this.#y = y;
  }

  pixel(x: number, y: number): void {
    const { left, top } = this.area;
    this.pen.moveTo(left + x, top + y + MIDDLE_PX);
    this.pen.lineTo(left + x + 1, top + y + MIDDLE_PX);
  }

  #segment(x0: number, y0: number, x1: number, y1: number): void {
    const { left, top, width, height } = this.area;
    const [from, to] = insideOf(x0, x1, width, insideOf(y0, y1, height, [0, 1]));
    if (from >= to) {
      this.#moved = false;
      return;
    }
    const at = (share: number, one: number, other: number) =>
      share === 0 ? one : share === 1 ? other : one + share * (other - one);
    const [dx, dy] = [left + MIDDLE_PX, top + MIDDLE_PX];
    if (!this.#moved || from > 0) this.pen.moveTo(dx + at(from, x0, x1), dy + at(from, y0, y1));
    this.pen.lineTo(dx + at(to, x0, x1), dy + at(to, y0, y1));
    this.#moved = to === 1;
  }
}

/** The part of a segment, as shares of its length, that is no further out than some lengths of the area. */
function insideOf(
  one: number,
  other: number,
  length_px: number,
  [from, to]: [number, number],
): [number, number] {
  const low = -OUTSIDE * length_px;
  const high = (OUTSIDE + 1) * length_px;
  if (one >= low && one <= high && other >= low && other <= high) return [from, to];
  const run = other - one;
  if (run === 0) return [1, 0];
  const a = (low - one) / run;
  const b = (high - one) / run;
  return [Math.max(from, Math.min(a, b)), Math.min(to, Math.max(a, b))];
}
