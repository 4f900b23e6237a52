/** What is said about the difference of two pictures. Pure. */
import { formatCount, formatValue } from "../../../format/numbers";
import { fill } from "../../../text/languages";
import type { RunText } from "../../../text/run";
import type { Difference } from "./difference";
import type { Size } from "./look";

/** What came of a comparison. */
export type Found =
  | { kind: "waiting" | "broken" | "tooLarge" }
  | { kind: "sizes"; one: Size; other: Size }
  | { kind: "found"; found: Difference };

type Words = RunText["images"]["viewerWords"];

export function foundWords(found: Found, words: Words, waiting: string): string {
  switch (found.kind) {
    case "found":
      return differenceWords(found.found, words);
    case "sizes":
      return fill(words.sizesDiffer, { one: sizeWords(found.one), other: sizeWords(found.other) });
    case "waiting":
      return waiting;
    default:
      return words[found.kind];
  }
}

const sizeWords = ({ width, height }: Size): string => `${width} × ${height}`;

function differenceWords({ most, mean, share }: Difference, words: Words): string {
  if (most === 0) return words.equal;
  // A single pixel of a large picture is not "0 %".
  const percent = share * 100;
  const part = percent < 0.01 ? "< 0.01" : formatValue(percent);
  return fill(words.differs, { most: formatCount(most), mean: formatValue(mean), share: part });
}
