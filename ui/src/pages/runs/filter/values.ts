/** Reads the values that are compared: numbers, lengths of time like `2h`, days and ages. */

/** A value with the span that it leaves open: `2026-11` is a month, `2h` half an hour to either side. */
export interface Span {
  from: number;
  /** Not part of it any more, unless it is `from` itself. */
  to: number;
}

const plain = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i;
const endless = /^[-+]?(?:inf|infinity|∞)$/i;

export function readNumber(text: string): number | null {
  if (plain.test(text)) return Number(text);
  return endless.test(text) ? (text.startsWith("-") ? -1 : 1) * Number.POSITIVE_INFINITY : null;
}

const unitSecs: Readonly<Record<string, number>> = { s: 1, m: 60, min: 60, h: 3600, d: 86_400, w: 604_800 };
const lengthPart = /(\d+\.?\d*|\.\d+)(min|[smhdw])/gi;
const wholeLength = /^(?:(?:\d+\.?\d*|\.\d+)(?:min|[smhdw]))+$/i;

/** Seconds of `90`, `2h`, `1h30m`, and the smallest unit that was named. */
export function readLength(text: string): { secs: number; unitSecs: number } | null {
  const bare = readNumber(text);
  if (bare !== null) return Number.isFinite(bare) ? { secs: bare, unitSecs: 1 } : null;
  if (!wholeLength.test(text)) return null;
  let secs = 0;
  let unit = 1;
  for (const [, count, name] of text.matchAll(lengthPart)) {
    unit = unitSecs[name?.toLowerCase() ?? ""] ?? 1;
    secs += Number(count) * unit;
  }
  return { secs, unitSecs: unit };
}

const moment = /^(\d{4})(?:-(\d{1,2})(?:-(\d{1,2})(?:[t ](\d{1,2}):(\d{2})(?::(\d{2}))?)?)?)?$/i;

const secsOf = (date: Date): number => date.getTime() / 1000;

/** The local year, month, day, minute or second that a text names, in seconds. */
function readMoment(text: string): Span | null {
  const found = moment.exec(text);
  if (!found) return null;
  const parts = found.slice(1).map((part) => (part === undefined ? null : Number(part)));
  const [year = null, month = null, day = null, hour = null, minute = null, second = null] = parts;
  if (year === null || (month ?? 1) < 1 || (month ?? 1) > 12 || (hour ?? 0) > 24) return null;
  const at = (y: number, mo: number, d: number, mi: number, s: number) =>
    secsOf(
      new Date(
        year + y,
        (month ?? 1) - 1 + mo,
        (day ?? 1) + d,
        hour ?? 0,
        (minute ?? 0) + mi,
        (second ?? 0) + s,
      ),
    );
  const from = at(0, 0, 0, 0, 0);
  if (day !== null && new Date(year, (month ?? 1) - 1, day).getDate() !== day) return null;
  if (month === null) return { from, to: at(1, 0, 0, 0, 0) };
  if (day === null) return { from, to: at(0, 1, 0, 0, 0) };
  if (hour === null) return { from, to: at(0, 0, 1, 0, 0) };
  return { from, to: second === null ? at(0, 0, 0, 1, 0) : at(0, 0, 0, 0, 1) };
}

function readDay(text: string, nowSecs: number): Span | null {
  const back = ["today", "yesterday"].indexOf(text.toLowerCase());
  if (back < 0) return readMoment(text);
  const now = new Date(nowSecs * 1000);
  const day = (more: number) => secsOf(new Date(now.getFullYear(), now.getMonth(), now.getDate() + more));
  return { from: day(-back), to: day(1 - back) };
}

/** A day or longer as it stands in the calendar, or an age: `3d` is how long ago. */
export type Time = { kind: "day"; span: Span } | { kind: "age"; secs: number };

export function readTime(text: string, nowSecs: number): Time | null {
  const day = readDay(text, nowSecs);
  if (day) return { kind: "day", span: day };
  if (readNumber(text) !== null) return null;
  const length = readLength(text);
  return length && { kind: "age", secs: length.secs };
}
