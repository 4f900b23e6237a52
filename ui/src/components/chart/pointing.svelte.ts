/** What a person does with a chart: pointing, dragging, the wheel and keys. It changes no data: it asks for what is wanted. */
import type { Axis } from "./axis";
import type { Crosshair } from "./crosshair.svelte";
import type { PlotBox } from "./plot";
import { type LineSeries, nearestLine, nearestPoint, nearestX } from "./plot_data";
import { between, pan, type XWindow, zoomAround } from "./zoom";

/** How near to a line the pointer must be to mean it. */
const REACH_PX = 28;
/** A second click within this time makes a double click. */
const SECOND_CLICK_MILLIS = 300;
/** A shorter drag is a click. */
const LEAST_DRAG_PX = 5;

/** A line at the cross-hair: its value there, and how far from the top it stands. */
export interface NearPoint {
  line: LineSeries;
  y: number | null;
  top: number;
}

/** The chart as it is at the moment of the act. */
export interface Pointed {
  series: readonly LineSeries[];
  xAxis: Axis;
  /** All that the x axis can show. */
  whole: XWindow;
  /** The part that is shown, when it is not all. */
  shown: XWindow | null;
  box: PlotBox;
  crosshair: Crosshair;
  /** Lines at the cross-hair; null when it is not in this chart. */
  near: readonly NearPoint[] | null;
  front: string | null;
  wheelZooms: boolean;
  onwindow: ((window: XWindow | null) => void) | undefined;
  onfront: ((id: string | null) => void) | undefined;
  onmark: ((x: number) => void) | undefined;
  onlog: ((x: number) => void) | undefined;
}

export class Pointing {
  readonly me = Symbol("chart");
  /** The part that is being dragged over, in places of 0..1. */
  drag = $state<{ from: number; to: number } | null>(null);
  /** How far from the top the pointer is, 0..1. */
  top = $state(0.5);
  #marking: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly chart: () => Pointed) {}

  stop(): void {
    clearTimeout(this.#marking);
  }

  readonly down = (event: PointerEvent): void => {
    if (event.button !== 0 || !this.chart().onwindow) return;
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    const place = this.#placeOf(event);
    this.drag = { from: place, to: place };
  };

  readonly move = (event: PointerEvent): void => {
    this.#pointTo(this.#placeOf(event));
    this.#meanLine(event);
    if (this.drag) this.drag = { ...this.drag, to: this.#placeOf(event) };
  };

  readonly up = (): void => {
    const dragged = this.drag;
    this.drag = null;
    if (!dragged) return;
    const { box, xAxis, whole, onwindow } = this.chart();
    if (Math.abs(dragged.to - dragged.from) * box.width_px < LEAST_DRAG_PX) this.#clicked();
    else onwindow?.(between(xAxis, whole, dragged.from, dragged.to));
  };

  readonly cancel = (): void => {
    this.drag = null;
  };

  readonly leave = (): void => {
    const { crosshair, series, onfront } = this.chart();
    crosshair.leave(this.me);
    if (series.length > 1) onfront?.(null);
  };

  readonly clickedTwice = (): void => {
    clearTimeout(this.#marking);
    this.chart().onwindow?.(null);
  };

  /** Svelte's own wheel handlers are passive; this one may have to hold the page still. */
  readonly wheeled = (node: HTMLElement): (() => void) => {
    node.addEventListener("wheel", this.#wheel, { passive: false });
    return () => node.removeEventListener("wheel", this.#wheel);
  };

  readonly keys = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") this.#giveUp(event);
    const acts = this.#acts(event.shiftKey);
    const act = acts[event.key] ?? acts[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };

  /** The chart that is pointed at need not have the focus. */
  readonly pageKeys = (event: KeyboardEvent): void => {
    const { crosshair, near, onlog } = this.chart();
    const isPointed = crosshair.owner === this.me && near !== null;
    if (!isPointed || !onlog || crosshair.x === null || event.key.toLowerCase() !== "l") return;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if ((event.target as HTMLElement).closest("input:not([type=checkbox]), textarea, select")) return;
    event.preventDefault();
    onlog(crosshair.x);
  };

  #acts(isShifted: boolean): Record<string, () => void> {
    const { series, xAxis, whole, crosshair, onwindow, onfront, onmark, onlog } = this.chart();
    const { x } = crosshair;
    const centre = x === null ? 0.5 : Math.min(1, Math.max(0, xAxis.at(x)));
    const points = series.reduce((sum, line) => sum + line.x.length, 0);
    const leap = Math.max(1, Math.round(points / 20));
    const zoom = (factor: number) => () => onwindow?.(zoomAround(xAxis, whole, centre, factor));
    const shift = (share: number) => () => onwindow?.(pan(xAxis, whole, share));
    const step = (by: number) => () => this.#step(by);
    return {
      ArrowRight: isShifted ? shift(0.2) : step(1),
      ArrowLeft: isShifted ? shift(-0.2) : step(-1),
      ...(onfront && series.length > 1
        ? { ArrowUp: () => this.#climb(-1), ArrowDown: () => this.#climb(1) }
        : {}),
      PageDown: step(leap),
      PageUp: step(-leap),
      Home: step(Number.NEGATIVE_INFINITY),
      End: step(Number.POSITIVE_INFINITY),
      "+": zoom(0.5),
      "=": zoom(0.5),
      "-": zoom(2),
      "0": () => onwindow?.(null),
      ...(onmark && x !== null ? { Enter: () => onmark(x) } : {}),
      ...(onlog && x !== null ? { l: () => onlog(x) } : {}),
    };
  }

  #placeOf(event: PointerEvent | WheelEvent): number {
    const edge = (event.currentTarget as HTMLElement).getBoundingClientRect().left;
    return Math.min(1, Math.max(0, (event.clientX - edge) / Math.max(1, this.chart().box.width_px)));
  }

  #pointTo(place: number): void {
    const { series, xAxis, crosshair } = this.chart();
    const x = xAxis.value(place);
    const snapped = nearestX(series, x, xAxis);
    const at = xAxis.at(snapped);
    crosshair.point(this.me, at >= 0 && at <= 1 ? snapped : x);
  }

  /** The line under the pointer stands out, here and wherever else it is drawn. */
  #meanLine(event: PointerEvent): void {
    const { series, box, near, onfront } = this.chart();
    if (!onfront || series.length < 2) return;
    const edge = (event.currentTarget as HTMLElement).getBoundingClientRect().top;
    this.top = (event.clientY - edge) / Math.max(1, box.height_px);
    const tops = near?.map(({ top }) => top) ?? [];
    const at = nearestLine(tops, this.top, REACH_PX / Math.max(1, box.height_px));
    onfront(series[at]?.id ?? null);
  }

  /** The next line up or down at the cross-hair. */
  #climb(by: number): void {
    const { series, near, front, onfront } = this.chart();
    if (!onfront || !near || series.length < 2) return;
    const tops = near.filter(({ y }) => y !== null).sort((a, b) => a.top - b.top);
    const here = tops.findIndex(({ line }) => line.id === front);
    const next =
      here < 0 ? (by > 0 ? 0 : tops.length - 1) : Math.min(tops.length - 1, Math.max(0, here + by));
    onfront(tops[next]?.line.id ?? null);
  }

  /** Marks the place, unless a second click follows and means something else. */
  #clicked(): void {
    const { crosshair, onmark } = this.chart();
    const { x } = crosshair;
    clearTimeout(this.#marking);
    if (x !== null) this.#marking = setTimeout(() => onmark?.(x), SECOND_CLICK_MILLIS);
  }

  readonly #wheel = (event: WheelEvent): void => {
    const { xAxis, whole, wheelZooms, onwindow } = this.chart();
    if (!onwindow || !(wheelZooms || event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    const amount = Math.abs(event.deltaY) > Math.abs(event.deltaX) ? event.deltaY : event.deltaX;
    if (event.shiftKey) onwindow(pan(xAxis, whole, Math.sign(amount) * 0.1));
    else onwindow(zoomAround(xAxis, whole, this.#placeOf(event), amount > 0 ? 1.25 : 0.8));
  };

  #step(by: number): void {
    const { series, front, xAxis, crosshair } = this.chart();
    const line = series.find((one) => one.id === front) ?? series[0];
    if (!line || line.x.length === 0) return;
    const last = line.x.length - 1;
    const here = crosshair.x === null ? -1 : nearestPoint(line.x, crosshair.x, xAxis);
    const start = here < 0 && by === -1 ? last + 1 : here;
    let next = Math.min(last, Math.max(0, start + by));
    // Several points of one step are one place of the cross-hair.
    while (by < 0 && next > 0 && line.x[next] === line.x[here]) next -= 1;
    crosshair.point(this.me, line.x[next] as number);
  }

  /** Gives up what is under way, innermost first; the page's own Escape comes only after that. */
  #giveUp(event: KeyboardEvent): void {
    const { shown, onwindow } = this.chart();
    if (!this.drag && !shown) return;
    event.stopPropagation();
    event.preventDefault();
    if (this.drag) this.drag = null;
    else onwindow?.(null);
  }
}
