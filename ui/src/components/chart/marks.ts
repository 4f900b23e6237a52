/** Marks for values that have no place on the axis: NaN at the foot, infinities at their end of the plot. */
import uPlot from "uplot";
import { strokeOf } from "./colours";
import type { Frame } from "./plot";
import type { NonFiniteWord } from "./plot_data";

const SIZE_PX = 3;
/** Marks nearer than this are drawn as one: they could not be told apart. */
const APART_PX = 3;

export function drawMarks(plot: uPlot, frame: Frame): void {
  const { ctx, bbox } = plot;
  const ratio = uPlot.pxRatio;
  const size = SIZE_PX * ratio;
  ctx.save();
  ctx.lineWidth = 1.5 * ratio;
  for (const series of frame.series) {
    const drawn = new Map<NonFiniteWord, number>();
    const own = frame.series.length > 1 ? strokeOf(frame.colours, series.colour).stroke : frame.colours.mark;
    for (const [x, word] of series.nonFinite) {
      const place = frame.xAxis.at(x);
      if (!(place >= 0 && place <= 1)) continue;
      const left = bbox.left + place * bbox.width;
      if (left - (drawn.get(word) ?? Number.NEGATIVE_INFINITY) < APART_PX * ratio) continue;
      drawn.set(word, left);
      ctx.strokeStyle = own;
      ctx.fillStyle = own;
      drawMark(
        ctx,
        word,
        left,
        word === "inf" ? bbox.top + size + ratio : bbox.top + bbox.height - size - ratio,
        size,
      );
    }
  }
  ctx.restore();
}

function drawMark(
  ctx: CanvasRenderingContext2D,
  word: NonFiniteWord,
  x: number,
  y: number,
  size: number,
): void {
  ctx.beginPath();
  if (word === "nan") {
    ctx.moveTo(x - size, y - size);
    ctx.lineTo(x + size, y + size);
    ctx.moveTo(x + size, y - size);
    ctx.lineTo(x - size, y + size);
    ctx.stroke();
    return;
  }
  const tip = word === "inf" ? -size : size;
  ctx.moveTo(x, y + tip);
  ctx.lineTo(x + size, y - tip);
  ctx.lineTo(x - size, y - tip);
  ctx.closePath();
  ctx.fill();
}
