/** The axes of recorded values: where a value of a run stands, and which runs lie within the chosen ranges. Pure. */
import type { RecordedValue } from "../../../api/run_values";

/** A column: `config:<name>`, `summary:<name>` or `last:<metric>`. */
export type ValueName = string;

export interface ValueAxis {
  field: ValueName;
  kind: "number" | "category";
  /** Whether equal ratios are equal distances. */
  log: boolean;
  /** Ends of the axis, as numbers; of a category axis the places of its first and last word. */
  low: number;
  high: number;
  /** The words of a category axis, from the low end. */
  words: readonly string[];
}

/** More words than this are no categories any more. */
const MOST_WORDS = 40;
/** From this ratio on a number axis is logarithmic. */
const WIDE_RATIO = 1000;

const words = new Intl.Collator("en", { numeric: true });

export const titleOf = (field: ValueName): string => field.slice(field.indexOf(":") + 1);

export function axisOf(field: ValueName, values: readonly RecordedValue[]): ValueAxis | null {
  const present = values.filter((value) => value !== null);
  if (present.length === 0) return null;
  const numbers = present.filter((value): value is number => typeof value === "number");
  const others = present.filter((value) => typeof value !== "number" && !isNoNumber(value));
  if (others.length === 0 && numbers.length > 0) return numberAxis(field, numbers);
  const found = [...new Set(present.map(String))].sort(words.compare);
  if (found.length > MOST_WORDS) return null;
  return { field, kind: "category", log: false, low: 0, high: Math.max(1, found.length - 1), words: found };
}

function numberAxis(field: ValueName, numbers: readonly number[]): ValueAxis {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of numbers) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const log = low > 0 && high / low >= WIDE_RATIO;
  if (low === high) {
    const room = Math.abs(low) > 0 ? Math.abs(low) / 2 : 1;
    return { field, kind: "number", log: false, low: low - room, high: high + room, words: [] };
  }
  return { field, kind: "number", log, low, high, words: [] };
}

const isNoNumber = (value: RecordedValue): boolean =>
  value === "NaN" || value === "Infinity" || value === "-Infinity";

/** Where a value stands, 0 at the low end and 1 at the high one; null where the run has none. */
export function placeOf(axis: ValueAxis, value: RecordedValue): number | null {
  if (value === null) return null;
  if (axis.kind === "category") {
    const at = axis.words.indexOf(String(value));
    if (at < 0) return null;
    return axis.words.length === 1 ? 0.5 : at / (axis.words.length - 1);
  }
  if (typeof value !== "number") return null;
  if (!axis.log) return (value - axis.low) / (axis.high - axis.low);
  return Math.log(value / axis.low) / Math.log(axis.high / axis.low);
}

/** What stands at a place of a number axis. */
export function numberAt(axis: ValueAxis, place: number): number {
  return axis.log ? axis.low * (axis.high / axis.low) ** place : axis.low + place * (axis.high - axis.low);
}

/** A chosen stretch of an axis, by places from 0 to 1, low before high. */
export interface Brush {
  from: number;
  to: number;
}

export type Brushes = ReadonlyMap<ValueName, Brush>;

/** Half the width of a line: what stands on an edge is inside. */
const SLACK = 1e-6;

/** Whether a run lies within every brush; a run without the value does not. */
export function isWithin(
  brushes: Brushes,
  axes: readonly ValueAxis[],
  value: (field: ValueName) => RecordedValue,
): boolean {
  for (const axis of axes) {
    const brush = brushes.get(axis.field);
    if (!brush) continue;
    const place = placeOf(axis, value(axis.field));
    if (place === null || place < brush.from - SLACK || place > brush.to + SLACK) return false;
  }
  return true;
}

/** The brushes as they stand in the address: `config:lr~0.1~0.5`, one after the other. */
export function brushesText(brushes: Brushes): string | null {
  const parts = [...brushes].map(([field, { from, to }]) => `${escaped(field)}~${round(from)}~${round(to)}`);
  return parts.length === 0 ? null : parts.join(";");
}

/** Names may hold what parts the members. */
const escaped = (field: ValueName): string =>
  field.replace(/[%;~]/g, encodeURIComponent).replaceAll("~", "%7E");

function unescaped(text: string): ValueName {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

const round = (place: number): number => Math.round(place * 1e4) / 1e4;

export function readBrushes(text: string): Brushes {
  const found = new Map<ValueName, Brush>();
  for (const part of text.split(";")) {
    const [field = "", from = "", to = ""] = part.split("~");
    const brush = { from: Number(from), to: Number(to) };
    const name = unescaped(field);
    const good = name !== "" && from !== "" && to !== "" && brush.from <= brush.to;
    if (good && brush.from >= 0 && brush.to <= 1) found.set(name, brush);
  }
  return found;
}

/** How many columns are shown when nobody has chosen any. */
const FIRST_AXES = 7;

/** Columns that differ between the runs, configuration before results; a few results come last. */
export function firstFields(
  fields: readonly ValueName[],
  valuesOf: (field: ValueName) => readonly RecordedValue[],
): ValueName[] {
  const telling = fields.filter((field) => {
    const values = valuesOf(field).filter((value) => value !== null);
    return new Set(values.map(String)).size > 1 && axisOf(field, values) !== null;
  });
  const causes = telling.filter((field) => field.startsWith("config:"));
  const results = telling.filter(
    (field) => !field.startsWith("config:") && !field.startsWith("summary:best_metric"),
  );
  const ends = results.slice(0, Math.max(2, FIRST_AXES - causes.length));
  return [...causes.slice(0, FIRST_AXES - Math.min(2, ends.length)), ...ends].slice(0, FIRST_AXES);
}
