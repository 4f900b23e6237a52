/** Cuts the spans of a line where a search matches, so that matches can be marked. Pure. */
import type { AnsiSpan, AnsiStyle } from "./ansi";

export interface MarkedSpan {
  text: string;
  style: AnsiStyle;
  hit: boolean;
}

const MAX_MATCHES = 200;

/** The search as a pattern of this browser; null when it has no meaning here. */
export function searchPattern(pattern: string, regex: boolean, matchCase: boolean): RegExp | null {
  if (pattern === "") return null;
  try {
    const source = regex ? pattern : pattern.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    return new RegExp(source, matchCase ? "gu" : "giu");
  } catch {
    return null;
  }
}

export function markSpans(spans: readonly AnsiSpan[], pattern: RegExp | null): MarkedSpan[] {
  const plain = spans.map((span) => span.text).join("");
  const ranges = pattern ? matches(plain, pattern) : [];
  const found: MarkedSpan[] = [];
  let start = 0;
  for (const { text, style } of spans) {
    const end = start + text.length;
    let from = start;
    for (const [low, high] of ranges) {
      if (high <= from || low >= end) continue;
      if (low > from) found.push({ text: plain.slice(from, low), style, hit: false });
      found.push({ text: plain.slice(Math.max(low, from), Math.min(high, end)), style, hit: true });
      from = Math.min(high, end);
    }
    if (from < end) found.push({ text: plain.slice(from, end), style, hit: false });
    start = end;
  }
  return found;
}

function matches(text: string, pattern: RegExp): [number, number][] {
  const found: [number, number][] = [];
  for (const match of text.matchAll(pattern)) {
    if (match[0] === "" || found.length >= MAX_MATCHES) continue;
    found.push([match.index, match.index + match[0].length]);
  }
  return found;
}
