/** What a search is made of: its terms, the fields of a run that they may name, and what can be wrong with them. */
import type { RunRow } from "../../../api/wire";

/** A run, and where it lies when that is told apart. */
export type Row = RunRow & { origin?: { name: string } };
export type RowTest = (row: Row) => boolean;

export type Sign = ":" | "=" | "!=" | "<" | "<=" | ">" | ">=";

/** One term as it was typed. */
export interface Term {
  /** Where it stands in the search, its negation included. */
  from: number;
  to: number;
  negated: boolean;
  /** The word itself, with its field and without its negation. */
  text: string;
  /** What stands before the sign; empty for a free word. */
  name: string;
  /** The field of a run that the name means; null for a recorded name, which a name in quotes always is. */
  field: Field | null;
  sign: Sign | "";
  value: string;
  /** Where the value begins in the search; the end of the term without one. */
  valueFrom: number;
}

export type TextField = "name" | "alias" | "id" | "path" | "tag" | "status" | "host";
export type NumberField = "best" | "duration" | "started" | "assets";
export type Field = TextField | NumberField;

export const textFields: readonly TextField[] = ["name", "tag", "path", "status", "host", "id", "alias"];
export const numberFields: readonly NumberField[] = ["best", "started", "duration", "assets"];

const otherNames: Readonly<Record<string, Field>> = { tags: "tag", state: "status", folder: "path" };
const known = new Map<string, Field>([
  ...[...textFields, ...numberFields].map((field) => [field, field] as const),
  ...Object.entries(otherNames),
]);

/** The field of a run that a name means; null for what a run may have recorded under that name. */
export const fieldOf = (name: string): Field | null => known.get(name.toLowerCase()) ?? null;
export const isText = (field: Field): field is TextField => (textFields as readonly Field[]).includes(field);

/** What is missing: a value, one of a kind, an end. */
export type Fault = "value" | "number" | "length" | "time" | "compare" | "term" | "quote";

export interface Issue {
  fault: Fault;
  /** The term as typed, and where it begins in the search. */
  text: string;
  from: number;
  sign: string;
  /** It may still be typed: nothing stands behind it. */
  unfinished: boolean;
}

/** `(row) => value` for a name under which runs record something; the value of the best metric has its name too. */
export type Recorded = string | number | boolean | null;
export type Reader = (name: string) => (row: Row) => Recorded;

/** What the list itself knows of recorded values. */
export const bestByName: Reader = (name) => {
  const wanted = name.toLowerCase();
  return (row) => (row.best_metric_name?.toLowerCase() === wanted ? row.best_metric_value : null);
};
