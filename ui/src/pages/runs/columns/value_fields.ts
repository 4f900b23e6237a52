/** Columns of what runs recorded: which there are, what they are called, how they sort. Pure. */
import type { RecordedValue, ValueNames } from "../../../api/run_values";
import type { Text } from "../../../text/languages";
import type { Direction } from "./best_direction";

/** What of a name is shown: a value of the configuration or the summary, or of a metric's points. */
export const KINDS = ["config", "summary", "last", "best", "min", "max", "curve"] as const;
export type FieldKind = (typeof KINDS)[number];

export interface Field {
  kind: FieldKind;
  name: string;
}

/** `last:loss` → the last value of `loss`; null for a column of another kind. */
export function fieldOf(key: string): Field | null {
  const colon = key.indexOf(":");
  const kind = KINDS.find((known) => known === key.slice(0, colon));
  return kind && colon + 1 < key.length ? { kind, name: key.slice(colon + 1) } : null;
}

/** Whether the column's values are asked for by `POST /api/run-values`. */
export const isValue = (key: string): boolean => {
  const kind = fieldOf(key)?.kind;
  return kind !== undefined && kind !== "curve";
};

/** The recorded value behind a column: the best of a metric is its smallest or its largest. Null where nobody knows which. */
export function recordedField(key: string, directions: ReadonlyMap<string, Direction>): string | null {
  const field = fieldOf(key);
  if (field?.kind !== "best") return key;
  const direction = directions.get(field.name);
  return direction === undefined ? null : `${direction}:${field.name}`;
}

/** Whether a distance from the baseline means anything: of what was measured it does, of what was set it does not. */
export const isCompared = ({ kind }: Field): boolean => kind !== "config" && kind !== "curve";

/** `loss last`; a name alone where it says all. */
export function fieldLabel(field: Field, text: Text): string {
  const word = text.runs.columnPanel.kind[field.kind];
  return field.kind === "config" || field.kind === "summary" ? field.name : `${field.name} ${word}`;
}

/** Every column that these names can give, by kind; the best only of metrics that get better in a known direction. */
export function fieldsOf(
  names: ValueNames,
  directions: ReadonlyMap<string, Direction>,
): { kind: FieldKind; keys: string[] }[] {
  const of = (kind: FieldKind, found: readonly string[]) => ({
    kind,
    keys: found.map((name) => `${kind}:${name}`),
  });
  return [
    of("last", names.metrics),
    of(
      "best",
      names.metrics.filter((name) => directions.has(name)),
    ),
    of("min", names.metrics),
    of("max", names.metrics),
    of("curve", names.metrics),
    of("config", names.config),
    of("summary", names.summary),
  ].filter(({ keys }) => keys.length > 0);
}

/** A value to sort by: numbers by size, everything else by its text. Infinities are numbers, NaN is none. */
export function sortKey(value: RecordedValue | undefined): number | string | null {
  if (value === null || value === undefined || value === "NaN") return null;
  if (value === "Infinity") return Number.POSITIVE_INFINITY;
  if (value === "-Infinity") return Number.NEGATIVE_INFINITY;
  return typeof value === "number" ? value : String(value);
}

/** The value as a number; null where it is none. */
export function numberOf(value: RecordedValue | undefined): number | null {
  const key = sortKey(value);
  return typeof key === "number" ? key : null;
}
