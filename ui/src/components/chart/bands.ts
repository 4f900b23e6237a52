/** Bands around lines: filled between their edges, below all lines. A band breaks where its line does. */
import uPlot from "uplot";
import { strokeOf } from "./colours";
import type { Frame } from "./plot";
import type { LineSeries } from "./plot_data";

const BAND_ALPHA = 0.16;

export function drawBands(plot: uPlot, frame: Frame, only?: LineSeries): void {
  if (!frame.series.some((line) => line.band)) return;
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (const line of only ? [only] : frame.series) fillBand(ctx, bbox, frame, line);
  ctx.restore();
}

/** Fills a line's band, if it has one, on any canvas that lies over the plot. */
export function fillBand(
  ctx: CanvasRenderingContext2D,
  bbox: uPlot["bbox"],
  frame: Frame,
  line: LineSeries,
): void {
  const { x, y, band, nonFinite } = line;
  if (!band) return;
  ctx.fillStyle = strokeOf(frame.colours, line.colour).stroke;
  ctx.globalAlpha = BAND_ALPHA;
  let gap = 0;
  let part: number[] = [];
  const close = () => {
    if (part.length > 0) fillPart(ctx, bbox, frame, line, part);
    part = [];
  };
  for (let at = 0; at < x.length; at += 1) {
    while ((nonFinite[gap]?.[0] ?? Number.POSITIVE_INFINITY) < (x[at] as number)) {
      close();
      gap += 1;
    }
    if (y[at] == null) close();
    else part.push(at);
  }
  close();
  ctx.globalAlpha = 1;
}

/** A point alone is a short upright stroke. */
const ALONE_PX = 1.5;

function fillPart(
  ctx: CanvasRenderingContext2D,
  bbox: uPlot["bbox"],
  { xAxis, yAxis }: Frame,
  { x, band }: LineSeries,
  part: readonly number[],
): void {
  if (!band) return;
  const left = (at: number) => bbox.left + xAxis.at(x[at] as number) * bbox.width;
  const top = (value: number | undefined) => {
    const place = yAxis.at(value ?? Number.NaN);
    // What a logarithmic axis cannot show lies below its foot.
    return bbox.top + (1 - (Number.isFinite(place) ? Math.max(-1, Math.min(2, place)) : -1)) * bbox.height;
  };
  const shown = part.filter((at) => Number.isFinite(left(at)));
  const half = shown.length === 1 ? ALONE_PX * uPlot.pxRatio : 0;
  ctx.beginPath();
  for (const at of shown) ctx.lineTo(left(at) - half, top(band.high[at]));
  if (half > 0) ctx.lineTo(left(shown[0] as number) + half, top(band.high[shown[0] as number]));
  if (half > 0) ctx.lineTo(left(shown[0] as number) + half, top(band.low[shown[0] as number]));
  for (const at of shown.toReversed()) ctx.lineTo(left(at) - half, top(band.low[at]));
  ctx.closePath();
  ctx.fill();
}
