import { describe, expect, it } from "vitest";
import { compareFiles, worthReading } from "./code_files";
import { countChanges, type DiffLine, diffLines, foldEqual, linesOf } from "./line_diff";

const short = (lines: readonly DiffLine[]): string =>
  lines.map(({ kind, text }) => `${{ same: " ", added: "+", removed: "-" }[kind]}${text}`).join("|");
const diff = (before: string, after: string): string => short(diffLines([...before], [...after]));

describe("lines of two texts", () => {
  it.each([
    ["", "", ""],
    ["abc", "abc", " a| b| c"],
    ["", "ab", "+a|+b"],
    ["ab", "", "-a|-b"],
    ["abc", "axc", " a|-b|+x| c"],
    ["abcabba", "cbabac", "-a|-b| c|+b| a| b|-b| a|+c"],
    ["ab", "ba", "-a| b|+a"],
  ])("%s → %s", (before, after, expected) => expect(diff(before, after)).toBe(expected));

  it("are numbered on their own side", () => {
    expect(
      diffLines(["a", "b", "c"], ["a", "x", "y", "c"]).map(({ before, after }) => [before, after]),
    ).toEqual([
      [1, 1],
      [2, null],
      [null, 2],
      [null, 3],
      [3, 4],
    ]);
  });

  it("always make both texts again, and the edit is the shortest", () => {
    let seed = 1;
    const random = (below: number) => {
      seed = (seed * 48271) % 2147483647;
      return seed % below;
    };
    for (let round = 0; round < 300; round += 1) {
      const text = () => Array.from({ length: random(14) }, () => "abc"[random(3)] as string);
      const [before, after] = [text(), text()];
      const lines = diffLines(before, after);
      const side = (without: string) => lines.filter(({ kind }) => kind !== without).map((line) => line.text);
      expect(side("added")).toEqual(before);
      expect(side("removed")).toEqual(after);
      const { added, removed } = countChanges(lines);
      expect(added + removed, `${before.join("")} ${after.join("")}`).toBe(leastEdits(before, after));
    }
  });

  it("that differ in nearly everything are told as one stretch, soon", () => {
    const before = ["same", ...Array.from({ length: 20_000 }, (_, i) => `a${i}`)];
    const after = ["same", ...Array.from({ length: 20_000 }, (_, i) => `b${i}`)];
    const started = performance.now();
    const { added, removed } = countChanges(diffLines(before, after));
    expect([added, removed]).toEqual([20_000, 20_000]);
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it("are cut at either kind of line end", () => {
    expect(linesOf("a\r\nb\n")).toEqual(["a", "b"]);
    expect(linesOf("a\n\n")).toEqual(["a", ""]);
    expect(linesOf("")).toEqual([]);
  });

  it("fold where many are equal, and leave three beside a change", () => {
    const before = Array.from({ length: 20 }, (_, i) => `l${i}`);
    const after = before.map((line, at) => (at === 10 ? "new" : line));
    const shown = foldEqual(diffLines(before, after));
    expect(shown.map((line) => (line.kind === "fold" ? line.lines.length : line.text))).toEqual([
      7,
      "l7",
      "l8",
      "l9",
      "l10",
      "new",
      "l11",
      "l12",
      "l13",
      6,
    ]);
  });
});

/** The classic table, for comparison. */
function leastEdits(before: readonly string[], after: readonly string[]): number {
  let row = Array.from({ length: after.length + 1 }, (_, at) => at);
  before.forEach((line, at) => {
    const next = [at + 1];
    after.forEach((other, to) => {
      next.push(
        line === other ? (row[to] as number) : 1 + Math.min(row[to + 1] as number, next[to] as number),
      );
    });
    row = next;
  });
  return row.at(-1) as number;
}

describe("files of two snapshots", () => {
  const before = [
    { path: "b.py", bytes: 10 },
    { path: "a.py", bytes: 5 },
    { path: "same.py", bytes: 7 },
  ];
  const after = [
    { path: "a.py", bytes: 6 },
    { path: "same.py", bytes: 7 },
    { path: "new.py", bytes: 1 },
  ];

  it("are added, removed or changed; of the same length they must be read", () => {
    expect(compareFiles(before, after).map(({ path, change }) => [path, change])).toEqual([
      ["a.py", "changed"],
      ["b.py", "removed"],
      ["new.py", "added"],
      ["same.py", "unread"],
    ]);
  });

  it("are read from the shortest on, while it is worth it", () => {
    const files = [30, 10, 20].map((bytes, at) => ({ path: `${at}`, bytes }));
    const all = compareFiles(files, files);
    expect(worthReading(all, 10, 35).map(({ path }) => path)).toEqual(["1", "2"]);
    expect(worthReading(all, 1, 1000).map(({ path }) => path)).toEqual(["1"]);
  });
});
