/** What all charts of the page share. */
import type { Crosshair } from "../../../components/chart/crosshair.svelte";
import type { XWindow } from "../../../components/chart/zoom";
import type { ChartOptions } from "../../charts/chart_options";
import type { SeriesFeed } from "../../charts/series_feed.svelte";
import type { Pins } from "./pins.svelte";
import type { TimeMarker } from "./time_marker.svelte";

export interface Look {
  options: ChartOptions;
  feed: SeriesFeed;
  crosshair: Crosshair;
  pins: Pins;
  marker: TimeMarker;
  height_px: number;
  live: boolean;
  onwindow: (window: XWindow | null) => void;
  /** Marks the moment of a place on the axis. */
  onmark: (metric: string, x: number) => void;
  /** Shows the log at the moment of a place on the axis. */
  onlog: (metric: string, x: number) => void;
  /** Marks a time, or shows the log at it. */
  ontime: (time: number, inLog: boolean) => void;
  onfull: (metric: string | null) => void;
}
