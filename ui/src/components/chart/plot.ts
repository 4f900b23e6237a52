/**
 * The one place that knows uPlot. It draws axes and lines of a frame into an element; everything that is
 * pointed at, dragged or read out loud stands beside it as ordinary elements.
 */
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Axis } from "./axis";
import { drawBands } from "./bands";
import { type ChartColours, strokeOf } from "./colours";
import { Front } from "./front";
import { areaOf, type Places, traceLine } from "./line_path";
import { drawArrows, drawMarks } from "./marks";
import { type LineSeries, type PlotColumn, plotData } from "./plot_data";
import type { Tick } from "./ticks";

/** All that a picture is made of. */
export interface Frame {
  series: readonly LineSeries[];
  xAxis: Axis;
  yAxis: Axis;
  /** Whether lines may run out of the y axis. */
  cut: boolean;
  colours: ChartColours;
  width_px: number;
  height_px: number;
}

/** Where the plotting area stands in the element, in CSS pixels. */
export interface PlotBox {
  left_px: number;
  top_px: number;
  width_px: number;
  height_px: number;
}

const LEAST_AXIS_PX = 44;
const RIGHT_PX = 14;
/** What most charts need beside the plotting area. */
export const BESIDE_PX = LEAST_AXIS_PX + RIGHT_PX;

const X_TICK_PX = 64;
const Y_TICK_PX = 34;
const ISOLATED_PX = 10;
const DOT_PX = 4;
const ONLY_DOT_PX = 7;

export class Plot {
  #plot: uPlot | null = null;
  #shape = "";
  #frame: Frame;
  #xTicks: Tick[] = [];
  #yTicks: Tick[] = [];
  #frontId: string | null = null;
  #fitted_px = 0;
  readonly #front: Front;
  /** Points of each column that no line reaches, with room for a dot. */
  readonly #alone = new Map<number, number[]>();
  /** Points that a logarithmic axis could not show in the last picture. */
  hidden = 0;

  constructor(
    readonly host: HTMLElement,
    frame: Frame,
    /** Told over how many device pixels the lines are drawn, when that changes. */
    readonly onfit: (width_px: number) => void = () => {},
  ) {
    this.#frame = frame;
    this.#front = new Front(host);
  }

  /** Draws a frame: new data and sizes are cheap, another number of lines or another theme starts afresh. */
  draw(frame: Frame): PlotBox {
    this.#frame = frame;
    this.#xTicks = frame.xAxis.ticks(Math.max(2, Math.floor(frame.width_px / X_TICK_PX)));
    this.#yTicks = frame.yAxis.ticks(Math.max(2, Math.floor(frame.height_px / Y_TICK_PX)));
    const { columns, hidden } = plotData(frame.series, frame.xAxis, frame.yAxis);
    this.hidden = hidden;
    const smoothed = columns.length > 1 + frame.series.length;
    const lines = frame.series.map((series) => [
      series.colour,
      series.x.length === 1,
      series.smooth !== null,
      series.weight,
    ]);
    const shape = JSON.stringify([smoothed, lines, frame.colours]);
    if (!this.#plot || shape !== this.#shape) {
      this.#shape = shape;
      this.#plot?.destroy();
      this.#plot = new uPlot(this.#options(smoothed), columns as uPlot.AlignedData, this.host);
    } else {
      this.#update(this.#plot, columns);
    }
    return this.#box(this.#plot);
  }

  /** Lets a line stand out among the others, or shows all alike; those are not drawn anew. */
  bringForward(id: string | null): void {
    if (id === this.#frontId) return;
    this.#frontId = id;
    this.#drawFront();
  }

  #drawFront(): void {
    const { series } = this.#frame;
    const line = series.length < 2 ? undefined : series.find((one) => one.id === this.#frontId);
    if (line && this.#plot) this.#front.draw(this.#plot, this.#frame, line);
    else this.#front.clear();
  }

  destroy(): void {
    this.#front.clear();
    this.#plot?.destroy();
    this.#plot = null;
  }

  #update(plot: uPlot, columns: PlotColumn[]): void {
    const { width_px, height_px } = this.#frame;
    plot.batch(() => {
      if (plot.width !== width_px || plot.height !== height_px)
        plot.setSize({ width: width_px, height: height_px });
      plot.setData(columns as uPlot.AlignedData, false);
      plot.redraw(true, true);
    });
  }

  #box(plot: uPlot): PlotBox {
    const ratio = uPlot.pxRatio;
    const { left, top, width, height } = plot.bbox;
    return { left_px: left / ratio, top_px: top / ratio, width_px: width / ratio, height_px: height / ratio };
  }

  #drawn(plot: uPlot): void {
    drawMarks(plot, this.#frame);
    if (this.#frame.cut) drawArrows(plot, this.#frame);
    this.#drawFront();
    const { width } = areaOf(plot.bbox);
    if (width === this.#fitted_px || width <= 0) return;
    this.#fitted_px = width;
    this.onfit(width);
  }

  #options(smoothed: boolean): uPlot.Options {
    const { colours, width_px, height_px } = this.#frame;
    const lines = this.#frame.series.flatMap((series) => this.#lines(series, smoothed));
    return {
      width: width_px,
      height: height_px,
      padding: [8, RIGHT_PX, 0, 0],
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: false, auto: false, range: [0, 1] },
        y: { auto: false, range: [0, 1] },
      },
      series: [{}, ...lines],
      axes: [
        {
          ...this.#look(colours),
          size: 24,
          gap: 4,
          grid: { show: false },
          ticks: { show: false },
          splits: () => this.#xTicks.map((tick) => this.#frame.xAxis.at(tick.value)),
          values: () => this.#xTicks.map((tick) => tick.label),
        },
        {
          ...this.#look(colours),
          size: () => this.#yWidth(),
          gap: 6,
          grid: { stroke: colours.grid, width: 1 },
          ticks: { show: false },
          splits: () => this.#yTicks.map((tick) => this.#frame.yAxis.at(tick.value)),
          values: () => this.#yTicks.map((tick) => tick.label),
        },
      ],
      hooks: { drawAxes: [(plot) => drawBands(plot, this.#frame)], draw: [(plot) => this.#drawn(plot)] },
    };
  }

  #look(colours: ChartColours): uPlot.Axis {
    return { stroke: colours.words, font: colours.font };
  }

  /** Room for the longest label, and at least as much as most charts need, so that neighbours line up. */
  #yWidth(): number {
    const longest = Math.max(0, ...this.#yTicks.map((tick) => tick.label.length));
    return Math.max(LEAST_AXIS_PX, Math.ceil(14 + longest * 6.4));
  }

  #lines(series: LineSeries, smoothed: boolean): uPlot.Series[] {
    const { stroke, dash } = strokeOf(this.#frame.colours, series.colour);
    // The last pixel of a line counts as much as the others; between dashes round ends would leave no room.
    const cap = dash.length === 0 ? "round" : "butt";
    const paths: uPlot.Series.PathBuilder = (plot, index) => this.#path(plot, index);
    const drawn = { stroke, dash, cap, pxAlign: 0, paths } as const;
    if (series.weight === "faint") {
      const faint: uPlot.Series = { ...drawn, width: 1, alpha: 0.3, points: { show: false } };
      // Of a smoothed line that stands back the raw one would only be noise.
      return smoothed ? [{ ...faint, alpha: series.smooth ? 0 : 0.3 }, faint] : [faint];
    }
    const bold = series.weight === "strong" ? 1.2 : 0;
    const size = series.x.length === 1 ? ONLY_DOT_PX : DOT_PX;
    const points: uPlot.Series.Points = {
      show: true,
      size,
      width: 0,
      fill: stroke,
      filter: (plot, index) => this.#dots(plot, index),
    };
    const raw: uPlot.Series = { ...drawn, width: 1.3 + bold, points };
    if (!smoothed) return [raw];
    const none: uPlot.Series.Points = { show: false };
    return [
      { ...raw, width: 1, alpha: 0.3 },
      { ...raw, width: 1.8 + bold, points: series.smooth ? points : none },
    ];
  }

  #path(plot: uPlot, index: number): uPlot.Series.Paths {
    const stroke = new Path2D();
    const [xs, ys] = [plot.data[0] as Places, (plot.data[index] ?? []) as Places];
    this.#alone.set(index, traceLine(stroke, xs, ys, areaOf(plot.bbox), DOT_PX * uPlot.pxRatio));
    return { stroke, fill: null, clip: null, band: null, flags: 0 };
  }

  /** Which points get a dot: those that no line reaches, and all of them while they are few. */
  #dots(plot: uPlot, index: number): number[] {
    const values = (plot.data[index] ?? []) as Places;
    const most = plot.bbox.width / uPlot.pxRatio / ISOLATED_PX;
    const found: number[] = [];
    for (let i = 0; i < values.length && found.length < most; i += 1) if (values[i] != null) found.push(i);
    return found.length < most ? found : (this.#alone.get(index) ?? []);
  }
}
