/** Turns a search into one test of a row. Compiled once for each search; what many rows share is asked once. */
import { durationOf, startOf } from "../view";
import { isGlob, pathGlob, wildcard } from "./glob";
import { parse } from "./parse";
import {
  type Fault,
  type Issue,
  isText,
  type NumberField,
  type Reader,
  type Recorded,
  type Row,
  type RowTest,
  type Sign,
  type Term,
  type TextField,
} from "./terms";
import { readLength, readNumber, readTime, type Span } from "./values";

export interface Filter {
  test: RowTest;
  /** The terms that were understood, as they stand in the search. */
  terms: readonly Term[];
  issues: readonly Issue[];
  /** Recorded names that the search asks for. */
  names: readonly string[];
}

type TextTest = (text: string) => boolean;
type Compiled = RowTest | Fault;

interface Low {
  all: string;
  id: string;
  name: string;
  alias: string;
}

const lows = new WeakMap<Row, Low>();

/** What words of a row are looked for in, in small letters: made once for each row. */
function low(row: Row): Low {
  let made = lows.get(row);
  if (made === undefined) {
    const all = [row.id, row.alias ?? "", row.path ?? "", row.origin?.name ?? "", ...row.tags];
    const id = row.id.toLowerCase();
    const alias = row.alias?.toLowerCase() ?? "";
    made = { all: all.join("\n").toLowerCase(), id, alias, name: row.alias === null ? id : alias };
    lows.set(row, made);
  }
  return made;
}

/** Few folders, tags and hosts are shared by many runs: each is asked once. */
function once(test: TextTest): TextTest {
  const known = new Map<string, boolean>();
  return (text) => {
    let answer = known.get(text);
    if (answer === undefined) {
      answer = test(text.toLowerCase());
      known.set(text, answer);
    }
    return answer;
  };
}

/** How a text field is held against the typed value, both in small letters. */
function textTest(field: string, sign: Sign, value: string): TextTest {
  if (isGlob(value)) return field === "path" ? pathGlob(value) : wildcard(value);
  if (sign !== ":" || field === "tag") return (text) => text === value;
  return field === "status" ? (text) => text.startsWith(value) : (text) => text.includes(value);
}

function ofText(field: TextField, sign: Sign, typed: string): Compiled {
  if (sign !== ":" && sign !== "=" && sign !== "!=") return "compare";
  if (sign === "!=") {
    const same = ofText(field, "=", typed);
    return typeof same === "string" ? same : (row) => !same(row);
  }
  const value = typed.toLowerCase();
  const test = textTest(field, sign, value);
  const shared = once(test);
  switch (field) {
    case "tag":
      return (row) => row.tags.some(shared);
    case "path":
      return (row) => shared(row.path ?? "");
    case "status":
      return (row) => shared(row.status);
    case "host":
      return (row) => shared(row.origin?.name ?? "");
    default:
      return (row) => test(low(row)[field]);
  }
}

/** How a number is held against a span; one without a width is a point. */
function spanTest(sign: Sign, { from, to }: Span): (value: number) => boolean {
  const within = (value: number) => (from === to ? value === from : value >= from && value < to);
  switch (sign) {
    case "<":
      return (value) => value < from;
    case "<=":
      return (value) => value < to || value === from;
    case ">":
      return from === to ? (value) => value > from : (value) => value >= to;
    case ">=":
      return (value) => value >= from;
    case "!=":
      return (value) => !within(value);
    default:
      return within;
  }
}

const tested =
  (read: (row: Row) => number | null, test: (value: number) => boolean): RowTest =>
  (row) => {
    const value = read(row);
    return value !== null && test(value);
  };

const point = (at: number): Span => ({ from: at, to: at });

/** A length is as exact as its smallest unit when it is to be equal, and to the second when it is a limit. */
function lengthSpan(sign: Sign, { secs, unitSecs }: { secs: number; unitSecs: number }): Span {
  const half = sign === ":" || sign === "=" || sign === "!=" ? unitSecs / 2 : 0;
  return { from: secs - half, to: secs + half };
}

function ofNumber(field: NumberField, sign: Sign, value: string, nowSecs: number): Compiled {
  if (field === "duration") {
    const length = readLength(value);
    if (!length) return "length";
    return tested((row) => durationOf(row, nowSecs), spanTest(sign, lengthSpan(sign, length)));
  }
  if (field === "started") {
    const time = readTime(value, nowSecs);
    if (!time) return "time";
    if (time.kind === "day") return tested(startOf, spanTest(sign, time.span));
    // "started: 3d" is within the last three days.
    const test = spanTest(sign === ":" || sign === "=" ? "<=" : sign, point(time.secs));
    return tested((row) => ageOf(row, nowSecs), test);
  }
  const limit = readNumber(value);
  if (limit === null) return "number";
  const read = field === "best" ? (row: Row) => row.best_metric_value : (row: Row) => row.assets_count;
  return tested(read, spanTest(sign, point(limit)));
}

function ageOf(row: Row, nowSecs: number): number | null {
  const start = startOf(row);
  return start === null ? null : nowSecs - start;
}

function ofRecorded(term: Term, sign: Sign, read: (row: Row) => Recorded): Compiled {
  const limit = readNumber(term.value);
  if (sign !== ":" && sign !== "=" && sign !== "!=") {
    if (limit === null) return "number";
    const test = spanTest(sign, point(limit));
    return (row) => {
      const value = read(row);
      return typeof value === "number" && test(value);
    };
  }
  const fits = textTest("", sign, term.value.toLowerCase());
  const word = sign === ":" ? term.text.toLowerCase() : null;
  return (row) => {
    const value = read(row);
    // Names of runs and folders may have colons too.
    if (value === null) return word !== null && low(row).all.includes(word);
    const same =
      typeof value === "number" && limit !== null ? value === limit : fits(String(value).toLowerCase());
    return same !== (sign === "!=");
  };
}

function compileTerm(term: Term, reader: Reader, nowSecs: number): Compiled {
  const { name, field, sign, value } = term;
  if (sign === "") {
    const word = value.toLowerCase();
    return word === "" ? "term" : (row) => low(row).all.includes(word);
  }
  if (value === "") return "value";
  if (field === null) return ofRecorded(term, sign, reader(name));
  return isText(field) ? ofText(field, sign, value) : ofNumber(field, sign, value, nowSecs);
}

/** Every term must hold; those that are not understood are named and left out. */
export function compile(query: string, reader: Reader, nowSecs: number): Filter {
  const { terms, faults } = parse(query);
  const issues: Issue[] = [];
  const understood: Term[] = [];
  const tests: RowTest[] = [];
  const fault = (term: Term, what: Fault): void => {
    const unfinished = term.to === query.length && (what === "value" || what === "term");
    issues.push({ fault: what, text: term.text, from: term.from, sign: term.sign, unfinished });
  };
  for (const { term, fault: what } of faults) fault(term, what);
  for (const term of terms) {
    const test = compileTerm(term, reader, nowSecs);
    if (typeof test === "string") fault(term, test);
    else {
      understood.push(term);
      tests.push(term.negated ? (row) => !test(row) : test);
    }
  }
  issues.sort((a, b) => a.from - b.from);
  const names = [
    ...new Set(understood.flatMap(({ field, name }) => (field === null && name !== "" ? name : []))),
  ];
  const [only] = tests;
  const test = tests.length === 1 && only ? only : (row: Row) => tests.every((holds) => holds(row));
  return { test, terms: understood, issues, names };
}
