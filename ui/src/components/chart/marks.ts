/** Marks for values that have no place on the axis: NaN at the foot, infinities at their end of the plot, open arrows for what lies beyond. */
import uPlot from "uplot";
import { strokeOf } from "./colours";
import type { Frame } from "./plot";
import type { NonFiniteWord } from "./plot_data";

const SIZE_PX = 3;
/** Marks nearer than this are drawn as one: they could not be told apart. */
const APART_PX = 3;
const ARROWS_APART_PX = 9;

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

/** Open arrows at the edge where a line runs out of the range. */
export function drawArrows(plot: uPlot, frame: Frame): void {
  const { ctx, bbox } = plot;
  const ratio = uPlot.pxRatio;
  const size = SIZE_PX * ratio;
  ctx.save();
  ctx.lineWidth = 1.5 * ratio;
  ctx.lineJoin = "round";
  for (const series of frame.series) {
    ctx.strokeStyle = strokeOf(frame.colours, series.colour).stroke;
    const drawn = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
    ctx.beginPath();
    for (let i = 0; i < series.x.length; i += 1) {
      const value = series.y[i];
      const across = frame.xAxis.at(series.x[i] as number);
      const up = value == null ? Number.NaN : frame.yAxis.at(value);
      if (!(across >= 0 && across <= 1) || !(up < 0 || up > 1)) continue;
      const side = up > 1 ? 1 : 0;
      const x = bbox.left + across * bbox.width;
      if (x - (drawn[side] ?? 0) < ARROWS_APART_PX * ratio) continue;
      drawn[side] = x;
      const tip = side ? bbox.top + ratio : bbox.top + bbox.height - ratio;
      const foot = side ? tip + size : tip - size;
      ctx.moveTo(x - size, foot);
      ctx.lineTo(x, tip);
      ctx.lineTo(x + size, foot);
    }
    ctx.stroke();
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
