/** What a chart says about itself, and the line it draws. Pure. */
import type { MetricInfo } from "../../api/wire";
import type { LineSeries } from "../../components/chart/plot_data";
import { shortNumber } from "../../components/chart/ticks";
import type { XWindow } from "../../components/chart/zoom";
import { formatCount, formatValue } from "../../format/numbers";
import { counted } from "../../text/counted";
import { fill } from "../../text/languages";
import type { RunText } from "../../text/run";
import type { ChartOptions } from "./chart_options";
import type { Curve } from "./series_feed.svelte";

export function chartLine(metric: string, curve: Curve): LineSeries {
  const { x, y, smooth, nonFinite } = curve;
  return { id: metric, label: metric, x, y, smooth, nonFinite, colour: 0 };
}

export function xWords(x: string, words: RunText): string {
  return x.startsWith("metric:") ? x.slice("metric:".length) : (words.charts.xChoice[x] ?? x);
}

/** How a chart is looked at: axis, scale, smoothing. */
export function lookFacts(options: ChartOptions, words: RunText): string[] {
  const c = words.charts;
  const facts = [xWords(options.x, words)];
  if (options.logX) facts.push(c.logX);
  if (options.logY) facts.push(c.logY);
  if (options.range === "robust") facts.push(c.ranges.robust ?? "");
  if (options.smoothing) {
    facts.push(`${c.smoothingKind[options.smoothing.kind] ?? ""} ${shortNumber(options.smoothing.amount)}`);
  }
  return facts;
}

/** The faint line beside a chart's name: how it is looked at, and how much there is. */
export function chartFacts(options: ChartOptions, curve: Curve, words: RunText): string {
  const facts = lookFacts(options, words);
  facts.push(counted(words.charts.points, curve.points, { n: formatCount(curve.points) }));
  if (curve.nonFinitePoints > 0) {
    facts.push(fill(words.charts.nonFinite, { n: formatCount(curve.nonFinitePoints) }));
  }
  return facts.join(" · ");
}

/** The last value that was logged, NaN and infinities included when they came last. */
export function lastWords(curve: Curve | null, info: MetricInfo | undefined): string {
  if (curve?.last)
    return curve.last.y === null ? nonFiniteAt(curve, curve.last.x) : formatValue(curve.last.y);
  return info?.last == null ? "" : formatValue(info.last);
}

function nonFiniteAt(curve: Curve, x: number): string {
  const word = curve.nonFinite.findLast(([at]) => at === x)?.[1] ?? "nan";
  return formatValue(
    { nan: Number.NaN, inf: Number.POSITIVE_INFINITY, "-inf": Number.NEGATIVE_INFINITY }[word],
  );
}

/** The whole of the x axis, when the points at hand are only a part of it. */
export function extentOf(curve: Curve, options: ChartOptions): XWindow | null {
  return options.window === null ? null : curve.extent;
}
