/** What differs between two texts, line by line: Myers' shortest edit, with limits. Pure. */

export interface DiffLine {
  kind: "same" | "added" | "removed";
  text: string;
  /** Line numbers from 1 in either text; null where the line is not in it. */
  before: number | null;
  after: number | null;
}

/** A stretch of equal lines that is folded away. */
export interface Fold {
  kind: "fold";
  lines: readonly DiffLine[];
}

/** Edits that are looked for. Texts that differ more are told as one removed and one added stretch between their equal ends. */
const MOST_EDITS = 1500;
/** Equal lines that stay beside a change. */
const AROUND = 3;

export function linesOf(text: string): string[] {
  if (text === "") return [];
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

export function diffLines(before: readonly string[], after: readonly string[]): DiffLine[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  let end = 0;
  const least = Math.min(before.length, after.length) - start;
  while (end < least && before[before.length - 1 - end] === after[after.length - 1 - end]) end += 1;

  const found: DiffLine[] = [];
  const same = (from: number, to: number, shift: number) => {
    for (let at = from; at < to; at += 1)
      found.push({ kind: "same", text: before[at] as string, before: at + 1, after: at + shift + 1 });
  };
  same(0, start, 0);
  const [oldEnd, newEnd] = [before.length - end, after.length - end];
  const pairs = commonLines(before.slice(start, oldEnd), after.slice(start, newEnd)) ?? [];
  let [x, y] = [start, start];
  const upTo = (toX: number, toY: number) => {
    for (; x < toX; x += 1)
      found.push({ kind: "removed", text: before[x] as string, before: x + 1, after: null });
    for (; y < toY; y += 1)
      found.push({ kind: "added", text: after[y] as string, before: null, after: y + 1 });
  };
  for (const [atX, atY] of pairs) {
    upTo(start + atX, start + atY);
    same(x, x + 1, y - x);
    x += 1;
    y += 1;
  }
  upTo(oldEnd, newEnd);
  same(oldEnd, before.length, newEnd - oldEnd);
  return found;
}

/** Places of the lines that both keep, in order; null where that would take more edits than are looked for. */
function commonLines(before: readonly string[], after: readonly string[]): [number, number][] | null {
  const [n, m] = [before.length, after.length];
  const most = Math.min(n + m, MOST_EDITS);
  /** Of each edit count the furthest x on the diagonals `-d..d`. */
  const trace: Int32Array[] = [];
  let front = new Int32Array(3);
  for (let d = 0; d <= most; d += 1) {
    const next = new Int32Array(2 * d + 3);
    for (let k = -d; k <= d; k += 2) {
      // `front` holds the diagonals -(d-1)-1 … d-1+1, so diagonal k stands at k + d.
      const down = k === -d || (k !== d && (front[k - 1 + d] as number) < (front[k + 1 + d] as number));
      let x = d === 0 ? 0 : down ? (front[k + 1 + d] as number) : (front[k - 1 + d] as number) + 1;
      let y = x - k;
      while (x < n && y < m && before[x] === after[y]) {
        x += 1;
        y += 1;
      }
      next[k + d + 1] = x;
      if (x >= n && y >= m) return walkBack(trace, d, n, m);
    }
    trace.push(next);
    front = next;
  }
  return null;
}

function walkBack(trace: readonly Int32Array[], edits: number, n: number, m: number): [number, number][] {
  const pairs: [number, number][] = [];
  let [x, y] = [n, m];
  for (let d = edits; d > 0; d -= 1) {
    const front = trace[d - 1] as Int32Array;
    const k = x - y;
    const at = (diagonal: number) => front[diagonal + d] as number;
    const down = k === -d || (k !== d && at(k - 1) < at(k + 1));
    const fromX = down ? at(k + 1) : at(k - 1);
    const fromY = fromX - (down ? k + 1 : k - 1);
    const [startX, startY] = down ? [fromX, fromY + 1] : [fromX + 1, fromY];
    while (x > startX && y > startY) pairs.push([--x, --y]);
    [x, y] = [fromX, fromY];
  }
  while (x > 0 && y > 0) pairs.push([--x, --y]);
  return pairs.reverse();
}

/** The lines with long equal stretches folded, a few of them left beside each change. */
export function foldEqual(lines: readonly DiffLine[]): (DiffLine | Fold)[] {
  const shown: (DiffLine | Fold)[] = [];
  for (let at = 0; at < lines.length; ) {
    let end = at;
    while (end < lines.length && (lines[end] as DiffLine).kind === "same") end += 1;
    if (end === at) {
      shown.push(lines[at] as DiffLine);
      at += 1;
      continue;
    }
    const from = at === 0 ? at : Math.min(end, at + AROUND);
    const to = end === lines.length ? end : Math.max(from, end - AROUND);
    if (to - from <= 1) shown.push(...lines.slice(at, end));
    else
      shown.push(
        ...lines.slice(at, from),
        { kind: "fold", lines: lines.slice(from, to) },
        ...lines.slice(to, end),
      );
    at = end;
  }
  return shown;
}

export function countChanges(lines: readonly DiffLine[]): { added: number; removed: number } {
  const count = (kind: DiffLine["kind"]) => lines.filter((line) => line.kind === kind).length;
  return { added: count("added"), removed: count("removed") };
}
