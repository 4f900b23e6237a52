/** Carriage returns: a progress bar that redraws its line is one line that shows its last state. */

export interface FoldedLine {
  text: string;
  /** States of the line that were overwritten. */
  overwritten: string[];
}

export function foldProgress(line: string): FoldedLine {
  if (!line.includes("\r")) return { text: line, overwritten: [] };
  const states = line.split("\r");
  let last = states.length - 1;
  while (last > 0 && states[last]?.trim() === "") last -= 1;
  const overwritten = states.slice(0, last).filter((state) => state.trim() !== "");
  return { text: states[last] ?? "", overwritten };
}
