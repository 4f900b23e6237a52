/** Cuts a search into its terms: words, `field:value`, comparisons, quotes, `-` and `not` before them. */
import { type Fault, fieldOf, type Sign, type Term } from "./terms";

/** A piece of the search between spaces, with the places of what is outside quotes. */
interface Piece {
  from: number;
  to: number;
  /** Characters outside quotes; inside them a space stands for each. */
  bare: string;
  open: boolean;
}

export interface Parsed {
  terms: Term[];
  /** Faults of the writing itself, each with its term. */
  faults: { term: Term; fault: Fault }[];
}

/** The signs as they come from a Chinese keyboard mean the same. */
const wide: Readonly<Record<string, string>> = { "：": ":", "＜": "<", "＞": ">", "＝": "=", "！": "!" };
const recordedKinds = /^(config|summary|last|min|max):./i;

function piecesOf(query: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  while (at < query.length) {
    if (/\s/.test(query[at] ?? "")) {
      at += 1;
      continue;
    }
    const from = at;
    let bare = "";
    let open = false;
    for (; at < query.length && (open || !/\s/.test(query[at] ?? "")); at += 1) {
      const char = query[at] ?? "";
      if (char === "\\" && open && at + 1 < query.length) {
        bare += "  ";
        at += 1;
      } else {
        if (char === '"') open = !open;
        bare += open || char === '"' ? " " : (wide[char] ?? char);
      }
    }
    pieces.push({ from, to: at, bare, open });
  }
  return pieces;
}

/** Text without its quotes: `\"` inside them is a quote. */
export function unquoted(text: string): string {
  let open = false;
  return text.replace(/\\(.)|"/g, (found, escaped: string | undefined) => {
    if (escaped !== undefined) return open ? escaped : found;
    open = !open;
    return "";
  });
}

/** Text as it must be written to stand in one term. */
export const quoted = (text: string): string =>
  text === "" || /[\s"\\：]/.test(text) ? `"${text.replace(/["\\]/g, "\\$&")}"` : text;

const signAt = /(<=|>=|!=|<|>|=|:)/g;

function signsOf(bare: string): { at: number; sign: Sign }[] {
  return [...bare.matchAll(signAt)].map((found) => ({ at: found.index, sign: found[0] as Sign }));
}

/** Which sign parts the name from the value: `config:lr>1` and `min:loss<2` have their colon in the name. */
function partAt(bare: string, typed: string): { at: number; sign: Sign } | null {
  const signs = signsOf(bare);
  const [first] = signs;
  if (!first || first.at === 0) return null;
  const isQuoted = typed.startsWith('"');
  if (first.sign !== ":" || (!isQuoted && fieldOf(typed.slice(0, first.at)) !== null)) return first;
  const compared = signs.find(({ sign }) => sign !== ":");
  if (compared) return compared;
  const second = signs[1];
  return second && recordedKinds.test(bare) ? second : first;
}

function termOf(query: string, piece: Piece, from: number, negated: boolean): Term {
  const start = piece.to - piece.bare.length;
  const typed = query.slice(start, piece.to);
  const part = partAt(piece.bare, typed);
  const whole = { from, to: piece.to, negated, text: typed };
  if (!part) return { ...whole, name: "", field: null, sign: "", value: unquoted(typed), valueFrom: start };
  const name = typed.slice(0, part.at);
  const valueAt = part.at + part.sign.length;
  return {
    ...whole,
    name: unquoted(name),
    field: name.startsWith('"') ? null : fieldOf(name),
    sign: part.sign,
    value: unquoted(typed.slice(valueAt)),
    valueFrom: start + valueAt,
  };
}

export function parse(query: string): Parsed {
  const parsed: Parsed = { terms: [], faults: [] };
  let not: Piece | null = null;
  for (const piece of piecesOf(query)) {
    if (/^not$/i.test(piece.bare) && not === null) {
      not = piece;
      continue;
    }
    const dash = /^[-!]/.test(piece.bare);
    const bare: Piece = dash ? { ...piece, bare: piece.bare.slice(1) } : piece;
    const term = termOf(query, bare, not?.from ?? piece.from, dash !== (not !== null));
    not = null;
    if (bare.bare === "")
      parsed.faults.push({ term: { ...term, text: query.slice(piece.from, piece.to) }, fault: "term" });
    else {
      parsed.terms.push(term);
      if (piece.open) parsed.faults.push({ term, fault: "quote" });
    }
  }
  if (not !== null) {
    const { from, to } = not;
    const text = query.slice(from, to);
    const term: Term = {
      from,
      to,
      negated: true,
      text,
      name: "",
      field: null,
      sign: "",
      value: "",
      valueFrom: to,
    };
    parsed.faults.push({ term, fault: "term" });
  }
  return parsed;
}

/** The search without one of its terms. */
export function without(query: string, term: Pick<Term, "from" | "to">): string {
  return `${query.slice(0, term.from).trimEnd()} ${query.slice(term.to).trimStart()}`.trim();
}
