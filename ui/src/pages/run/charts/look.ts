/** What all charts of the page share. */
import type { Crosshair } from "../../../components/chart/crosshair.svelte";
import type { XWindow } from "../../../components/chart/zoom";
import type { ChartOptions } from "../../charts/chart_options";
import type { SeriesFeed } from "../../charts/series_feed.svelte";
import type { Pins } from "./pins.svelte";

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
