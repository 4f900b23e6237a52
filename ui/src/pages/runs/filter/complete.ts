/** What may stand where the caret is in a search: names of fields first, then values that the rows have. */
import type { Counts, Known } from "./known";
import { parse, quoted, unquoted } from "./parse";
import { type Field, fieldOf, isText, numberFields, type Sign, type Term, textFields } from "./terms";

export interface Suggestion {
  /** What is put in place of the typed. */
  insert: string;
  /** Runs that have it; null where that says nothing. */
  runs: number | null;
  /** The field that it names or compares; null for a recorded name and for values. */
  about: Field | "metric" | null;
  /** It begins as what was typed does. */
  begins: boolean;
  /** Nothing has to follow. */
  ends: boolean;
}

export interface Completion {
  /** What is replaced. */
  from: number;
  to: number;
  /** What was typed of it so far. */
  typed: string;
  suggestions: readonly Suggestion[];
}

const most = 60;
/** So many values of each field for a free word. */
const mostOfField = 4;
const signs: readonly Sign[] = ["<", "<=", ">", ">=", "=", "!="];
const equals: readonly Sign[] = [":", "=", "!="];
const ages = ["today", "yesterday", "1d", "7d", "30d"];

/** Names that fit what was typed, those that begin with it first. */
function fitting(names: Iterable<string>, typed: string): { name: string; begins: boolean }[] {
  const begin: { name: string; begins: boolean }[] = [];
  const others: { name: string; begins: boolean }[] = [];
  for (const name of names) {
    const low = name.toLowerCase();
    if (low.startsWith(typed)) begin.push({ name, begins: true });
    else if (low.includes(typed)) others.push({ name, begins: false });
  }
  return [...begin, ...others];
}

const poolOf = (field: Field, known: Known): Counts | null =>
  field === "status" || field === "tag" || field === "host" || field === "path" ? known[field] : null;

/** A folder with folders in it stands for all of them. */
const folderText = (folder: string, known: Known): string =>
  known.parents.has(folder) ? `${folder}/**` : folder;

const valueText = (field: Field, value: string, known: Known): string =>
  quoted(field === "path" ? folderText(value, known) : value);

function values(field: Field, typed: string, known: Known): Suggestion[] {
  if (field === "started") {
    return fitting(ages, typed).map(({ name, begins }) => ({
      insert: name,
      runs: null,
      about: null,
      begins,
      ends: true,
    }));
  }
  const pool = poolOf(field, known);
  return fitting(pool?.keys() ?? [], typed).map(({ name, begins }) => ({
    insert: valueText(field, name, known),
    runs: pool?.get(name) ?? null,
    about: null,
    begins,
    ends: true,
  }));
}

/** A recorded name so that it is not taken for a field of the run or cut at a sign. */
function recordedText(name: string): string {
  const isPlain = !/[\s"<>=!：]|^[-!]/.test(name) && fieldOf(name.split(":")[0] ?? "") === null;
  return isPlain ? name : `"${name.replace(/["\\]/g, "\\$&")}"`;
}

function fieldNames(typed: string, known: Known): Suggestion[] {
  const texts = textFields.filter((field) => field !== "host" || known.host.size > 0);
  const begins = (name: string) => name.toLowerCase().startsWith(typed);
  const named = (insert: string, about: Suggestion["about"], runs: number | null = null): Suggestion => ({
    insert,
    runs,
    about,
    begins: true,
    ends: false,
  });
  return [
    ...texts.filter(begins).map((field) => named(`${field}:`, field)),
    ...numberFields.filter(begins).map((field) => named(field, field)),
    ...[...known.metrics]
      .filter(([name]) => begins(name))
      .map(([name, runs]) => named(recordedText(name), "metric", runs)),
    ...known.recorded.filter(begins).map((name) => named(recordedText(name), null)),
  ];
}

function isRecorded(name: string, known: Known): boolean {
  const low = name.toLowerCase();
  return [...known.metrics.keys(), ...known.recorded].some((other) => other.toLowerCase() === low);
}

/** Whether a word is the whole name of something that is compared. */
function isCompared(word: string, known: Known): boolean {
  const field = word.startsWith('"') ? null : fieldOf(word);
  return field === null ? isRecorded(unquoted(word), known) : !isText(field);
}

function comparisons(word: string, known: Known): Suggestion[] {
  const plain = { runs: null, about: null, begins: true, ends: false };
  return isCompared(word, known) ? signs.map((sign) => ({ ...plain, insert: word + sign })) : [];
}

function forWord(word: string, known: Known): Suggestion[] {
  const typed = word.toLowerCase();
  const names = fieldNames(typed, known).filter(({ insert }) => insert.toLowerCase() !== typed);
  if (typed === "") return names;
  const found = (["status", "tag", "path", "host"] as const).flatMap((field) =>
    values(field, typed, known)
      .slice(0, mostOfField)
      .map((value) => ({ ...value, insert: `${field}:${value.insert}`, begins: false })),
  );
  return [...comparisons(word, known), ...names, ...found];
}

function termAt(query: string, caret: number): Term | null {
  const { terms, faults } = parse(query);
  const all = [...terms, ...faults.map(({ term }) => term)];
  return all.find((term) => caret >= term.to - term.text.length && caret <= term.to) ?? null;
}

/** The suggestions at a place of the search; null when there are none or what stands there is one of them. */
export function complete(query: string, caret: number, known: Known): Completion | null {
  const term = termAt(query, caret);
  if (term === null) return made(caret, caret, "", forWord("", known));
  if (/^[-!]$/.test(term.text)) return made(term.to, term.to, "", forWord("", known));
  if (term.sign === "") return inWord(query, caret, term, known);
  if (term.field === null || caret < term.valueFrom) return null;
  if (isText(term.field) && !equals.includes(term.sign)) return null;
  const typed = query.slice(term.valueFrom, caret).replace(/^"/, "").toLowerCase();
  return made(term.valueFrom, term.to, typed, values(term.field, typed, known));
}

function inWord(query: string, caret: number, term: Term, known: Known): Completion | null {
  const from = term.to - term.text.length;
  const word = query.slice(from, caret);
  if (/^not$/i.test(word)) return null;
  const found = word.startsWith('"') ? comparisons(word, known) : forWord(word, known);
  return made(from, term.to, word, found);
}

function made(from: number, to: number, typed: string, all: readonly Suggestion[]): Completion | null {
  const low = typed.toLowerCase();
  const isWhole = all.some(({ insert, ends }) => ends && [low, `${low}/**`].includes(insert.toLowerCase()));
  if (all.length === 0 || (low !== "" && isWhole)) return null;
  return { from, to, typed, suggestions: all.slice(0, most) };
}

/** The search with a suggestion in its place, and where the caret stands then. */
export function completed(
  query: string,
  { from, to }: Completion,
  { insert, ends }: Suggestion,
): { query: string; caret: number } {
  const rest = query.slice(to);
  const gap = ends && !/^\s/.test(rest) ? " " : "";
  const caret = from + insert.length + (ends ? 1 : 0);
  return { query: query.slice(0, from) + insert + gap + rest, caret };
}
