/** What all charts of the page share. */
import type { Crosshair } from "../../../components/chart/crosshair.svelte";
import type { XWindow } from "../../../components/chart/zoom";
import type { ChartOptions } from "./chart_options";
import type { Pins } from "./pins.svelte";
import type { SeriesFeed } from "./series_feed.svelte";

export interface Look {
  options: ChartOptions;
  feed: SeriesFeed;
  crosshair: Crosshair;
  pins: Pins;
  height_px: number;
  live: boolean;
  onwindow: (window: XWindow | null) => void;
  onfull: (metric: string | null) => void;
}
