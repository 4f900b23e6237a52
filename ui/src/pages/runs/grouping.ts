/** Rows under heads: by a field of the run or a recorded value, each head with what its runs have in sum. */
import type { RunRow } from "../../api/wire";
import type { Reader, Row } from "./filter/terms";
import { durationOf, startOf } from "./view";

/** What the list itself knows to group by; any other name is a recorded one. */
export type GroupField = "state" | "path" | "tag" | "day" | "host" | "metric";
export const groupFields: readonly GroupField[] = ["state", "path", "tag", "day", "metric", "host"];

/** The recorded name that this groups by, as a list; empty for a field of the list itself. */
export const recordedGroup = (by: string): string[] =>
  by === "" || (groupFields as readonly string[]).includes(by) ? [] : [by];

export interface MetricSpan {
  name: string;
  min: number;
  mean: number;
  max: number;
}

export interface Group<Listed> {
  isGroup: true;
  key: string;
  /** What its runs have in common; empty when they have none of it. A day is told in seconds. */
  value: string;
  rows: readonly Listed[];
  /** Their keys, for ticking them. */
  keys: readonly string[];
  running: number;
  failed: number;
  /** Length of all of them together. */
  secs: number;
  /** Of the best metric that most of them have. */
  metric: MetricSpan | null;
}

export type Line<Listed> = Listed | Group<Listed>;

export const isGroup = <Listed extends object>(line: Line<Listed>): line is Group<Listed> =>
  "isGroup" in line;

/** Local days begin on a quarter of an hour everywhere: each quarter is asked once. */
const quarterSecs = 900;

function dayOf(): (row: Row) => string {
  const days = new Map<number, string>();
  return (row) => {
    const start = startOf(row);
    if (start === null) return "";
    const quarter = Math.floor(start / quarterSecs);
    let day = days.get(quarter);
    if (day === undefined) {
      day = String(new Date(quarter * quarterSecs * 1000).setHours(0, 0, 0, 0) / 1000);
      days.set(quarter, day);
    }
    return day;
  };
}

/** Tags in any order are the same tags; how they stand in rows is sorted once. */
function tagsOf(): (row: Row) => string {
  const sorted = new Map<string, string>();
  return ({ tags }) => {
    if (tags.length < 2) return tags[0] ?? "";
    const text = tags.join(", ");
    let told = sorted.get(text);
    if (told === undefined) {
      told = [...tags].sort().join(", ");
      sorted.set(text, told);
    }
    return told;
  };
}

function readerOf(by: string, reader: Reader): (row: Row) => string {
  switch (by as GroupField) {
    case "state":
      return (row) => row.status;
    case "path":
      return (row) => row.path ?? "";
    case "tag":
      return tagsOf();
    case "day":
      return dayOf();
    case "host":
      return (row) => row.origin?.name ?? "";
    case "metric":
      return (row) => row.best_metric_name ?? "";
  }
  const read = reader(by);
  return (row) => String(read(row) ?? "");
}

/** Runs with the same value under one head, in the order of the rows: the first run brings its group first. */
export function grouped<Listed extends Row & { key: string }>(
  rows: readonly Listed[],
  by: string,
  reader: Reader,
  nowSecs: number,
): Group<Listed>[] {
  const value = readerOf(by, reader);
  const found = new Map<string, Listed[]>();
  for (const row of rows) {
    const of = value(row);
    const group = found.get(of);
    if (group) group.push(row);
    else found.set(of, [row]);
  }
  return [...found].map(([of, members]) => summed(`group/${by}/${of}`, of, members, nowSecs));
}

function summed<Listed extends Row & { key: string }>(
  key: string,
  value: string,
  rows: readonly Listed[],
  nowSecs: number,
): Group<Listed> {
  let running = 0;
  let failed = 0;
  let secs = 0;
  for (const row of rows) {
    if (row.status === "running") running += 1;
    else if (row.status === "failed") failed += 1;
    secs += durationOf(row, nowSecs) ?? 0;
  }
  const keys = rows.map((row) => row.key);
  return { isGroup: true, key, value, rows, keys, running, failed, secs, metric: spanOf(rows) };
}

/** Values of different metrics are never mixed: the one that most runs have is told. */
function spanOf(rows: readonly RunRow[]): MetricSpan | null {
  const spans = new Map<string, MetricSpan & { runs: number }>();
  for (const { best_metric_name: name, best_metric_value: value } of rows) {
    if (name === null || value === null) continue;
    const span = spans.get(name);
    if (span) {
      span.min = Math.min(span.min, value);
      span.max = Math.max(span.max, value);
      span.mean += (value - span.mean) / (span.runs + 1);
      span.runs += 1;
    } else spans.set(name, { name, min: value, mean: value, max: value, runs: 1 });
  }
  let most: (MetricSpan & { runs: number }) | null = null;
  for (const span of spans.values()) if (most === null || span.runs > most.runs) most = span;
  return most && { name: most.name, min: most.min, mean: most.mean, max: most.max };
}

/** The lines to draw: every head, and the runs of those that are open. */
export function linesOf<Listed>(
  groups: readonly Group<Listed>[],
  closed: ReadonlySet<string>,
): readonly Line<Listed>[] {
  const lines: Line<Listed>[] = [];
  for (const group of groups) {
    lines.push(group);
    if (!closed.has(group.key)) for (const row of group.rows) lines.push(row);
  }
  return lines;
}
