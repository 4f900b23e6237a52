/**
 * The line that stands out among many: drawn once more on a canvas of its own, over a veil on the others. Pointing from
 * line to line so costs one line, not all of them.
 */
import uPlot from "uplot";
import { fillBand } from "./bands";
import { strokeOf } from "./colours";
import { areaOf, type Places, traceLine } from "./line_path";
import type { Frame } from "./plot";
import type { LineSeries } from "./plot_data";

const VEIL_ALPHA = 0.82;
const WIDTH_PX = 2.4;
const RAW_WIDTH_PX = 1;
const RAW_ALPHA = 0.4;
const EDGE_PX = 4;
const DOT_PX = 3.5;

export class Front {
  #canvas: HTMLCanvasElement | null = null;

  constructor(readonly host: HTMLElement) {}

  clear(): void {
    this.#canvas?.remove();
    this.#canvas = null;
  }

  /** Draws a line of the plot over all others. */
  draw(plot: uPlot, frame: Frame, line: LineSeries): void {
    const canvas = this.#sized(plot);
    const ctx = canvas.getContext("2d");
    if (!ctx) return;
    const { left, top, width, height } = plot.bbox;
    ctx.clearRect(0, 0, canvas.width, canvas.height);
    ctx.globalAlpha = VEIL_ALPHA;
    ctx.fillStyle = frame.colours.ground;
    // A little over the edges: dots of the others reach beyond them.
    const over = EDGE_PX * uPlot.pxRatio;
    ctx.fillRect(left - over, top - over, width + 2 * over, height + over + 2 * uPlot.pxRatio);
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, width, height);
    ctx.clip();
    fillBand(ctx, plot.bbox, frame, line);
    for (const other of frame.series)
      if (other.under === line.id) this.#stroke(ctx, plot, frame, other, true);
    this.#stroke(ctx, plot, frame, line, false);
    ctx.restore();
  }

  #stroke(ctx: CanvasRenderingContext2D, plot: uPlot, frame: Frame, line: LineSeries, thin: boolean): void {
    const { stroke, dash } = strokeOf(frame.colours, line.colour);
    ctx.strokeStyle = stroke;
    ctx.fillStyle = stroke;
    ctx.lineJoin = "round";
    ctx.lineCap = dash.length === 0 ? "round" : "butt";
    ctx.setLineDash(dash.map((px) => px * uPlot.pxRatio));
    const smoothed = plot.series.length > 1 + frame.series.length;
    const per = smoothed ? 2 : 1;
    const first = 1 + frame.series.indexOf(line) * per;
    for (let at = first; at < first + per; at += 1) {
      const raw = smoothed && at === first;
      if (raw && thin && line.smooth) continue;
      ctx.globalAlpha = raw || thin ? RAW_ALPHA : 1;
      ctx.lineWidth = (raw || thin ? RAW_WIDTH_PX : WIDTH_PX) * uPlot.pxRatio;
      trace(ctx, plot, (plot.data[at] ?? []) as Places);
    }
  }

  #sized(plot: uPlot): HTMLCanvasElement {
    const { width, height } = plot.ctx.canvas;
    let canvas = this.#canvas;
    if (!canvas) {
      canvas = document.createElement("canvas");
      Object.assign(canvas.style, { position: "absolute", inset: "0 auto auto 0", pointerEvents: "none" });
      this.host.append(canvas);
      this.#canvas = canvas;
    }
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    canvas.style.width = `${width / uPlot.pxRatio}px`;
    canvas.style.height = `${height / uPlot.pxRatio}px`;
    return canvas;
  }
}

/** The line through all points of a column; a point that no line reaches is a dot. */
function trace(ctx: CanvasRenderingContext2D, plot: uPlot, ys: Places): void {
  const { left, top, width, height } = plot.bbox;
  const xs = plot.data[0] as Places;
  ctx.beginPath();
  const alone = traceLine(ctx, xs, ys, areaOf(plot.bbox), DOT_PX * uPlot.pxRatio);
  ctx.stroke();
  for (const at of alone) {
    ctx.beginPath();
    const [x, y] = [left + (xs[at] as number) * width, top + (1 - (ys[at] as number)) * height];
    ctx.arc(x, y, DOT_PX * uPlot.pxRatio, 0, 2 * Math.PI);
    ctx.fill();
  }
}
