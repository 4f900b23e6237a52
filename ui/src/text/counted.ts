/** A sentence about a number of things: `"{n} point|{n} points"` has a form for one; languages without it have no bar. */
import { fill } from "./languages";

export function counted(sentence: string, n: number, values: Record<string, string | number> = {}): string {
  const [one = "", many = one] = sentence.split("|");
  return fill(n === 1 ? one : many, { n, ...values });
}
