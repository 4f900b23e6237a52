/** What the command palette offers for a few typed words: actions first, then runs; pure. */
import type { RunRow } from "../api/wire";

export interface Command {
  key: string;
  label: string;
  /** Faint text at the right. */
  hint: string;
  run: () => void;
}

/** Every word stands somewhere in the text. */
export function fits(text: string, words: readonly string[]): boolean {
  const low = text.toLowerCase();
  return words.every((word) => low.includes(word));
}

export const wordsOf = (query: string): string[] => query.toLowerCase().split(/\s+/).filter(Boolean);

/** The newest runs that fit, at most `most`; stops looking when it has them. */
export function runsThatFit<Row extends RunRow>(
  rows: readonly Row[],
  words: readonly string[],
  most: number,
): Row[] {
  const found: Row[] = [];
  for (const row of rows) {
    if (found.length === most) break;
    if (fits([row.alias ?? "", row.id, row.path ?? "", ...row.tags].join(" "), words)) found.push(row);
  }
  return found;
}
