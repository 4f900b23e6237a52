/** What of a run the preview shows: pure choices. */
import type { MetricInfo } from "../../api/wire";
import { formatValue } from "../../format/numbers";

const chartCount = 3;

/** The best metric first, then in the order of the file; those without any number last. */
export function firstMetrics(metrics: readonly MetricInfo[], best: string | null): string[] {
  const drawn = metrics.filter((metric) => metric.last !== null);
  const names = drawn.map((metric) => metric.name);
  const first = best !== null && names.includes(best) ? [best] : [];
  return [...first, ...names.filter((name) => name !== best)].slice(0, chartCount);
}

const summaryCount = 6;

/** The first plain members of a summary; lists and objects wait for the run's own page. */
export function summaryLines(summary: Record<string, unknown>): [string, string][] {
  const lines: [string, string][] = [];
  // The best metric stands in the head already.
  const members = Object.entries(summary).filter(([name]) => !name.startsWith("best_metric_"));
  for (const [name, value] of members) {
    if (lines.length === summaryCount) break;
    if (typeof value === "number") lines.push([name, formatValue(value)]);
    else if (typeof value === "string" || typeof value === "boolean") lines.push([name, String(value)]);
  }
  return lines;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with a control character
const escapes = /\u001b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\^_])/g;

/** A log line as plain text: colours dropped, what a carriage return overwrote left out. */
export function plainLine(line: string): string {
  return line.replace(escapes, "").replace(/\r+$/, "").split("\r").at(-1) ?? "";
}
