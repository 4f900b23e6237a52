import { describe, expect, it } from "vitest";
import type { ComparedRun } from "../compared_runs";
import { hitRows, MOST_LINES, nextLine } from "./hit_rows";
import type { RunHits } from "./runs_search.svelte";

const run = (id: string) => ({ id, name: id }) as ComparedRun;

function hits(count: number, total = count, complete = true): RunHits {
  const lines = Array.from({ length: count }, (_, line) => ({
    line,
    place: line,
    text: `x ${line}`,
    spans: [],
  }));
  return { answer: { hits: lines, total_hits: total, complete, scanned_bytes: 1 }, failure: null };
}

describe("rows of what was found in several logs", () => {
  it("stand under their runs, in the order of the runs", () => {
    const found = new Map([
      ["b", hits(1, 7, false)],
      ["a", hits(2)],
      ["none", hits(0)],
    ]);
    const list = hitRows([run("a"), run("none"), run("b"), run("later")], found);
    expect(list.rows.map((row) => `${row.kind} ${row.run.id}`)).toEqual([
      "run a",
      "line a",
      "line a",
      "run b",
      "line b",
    ]);
    expect([list.runs, list.lines, list.cut, list.limited]).toEqual([2, 9, 1, true]);
  });

  it("name the runs that failed", () => {
    const found = new Map<string, RunHits>([["a", { answer: null, failure: new Error("gone") }]]);
    expect(hitRows([run("a")], found).rows).toMatchObject([{ kind: "failed", run: { id: "a" } }]);
  });

  it("end at a limit, and the counts go on", () => {
    const many = Array.from({ length: 60 }, (_, i) => String(i));
    const list = hitRows(many.map(run), new Map(many.map((id) => [id, hits(100)])));
    expect(list.rows.filter((row) => row.kind === "line")).toHaveLength(MOST_LINES);
    expect([list.lines, list.limited]).toEqual([6000, true]);
  });

  it("are gone through line by line, over the names of the runs", () => {
    const { rows } = hitRows(
      [run("a"), run("b")],
      new Map([
        ["a", hits(1)],
        ["b", hits(1)],
      ]),
    );
    expect(nextLine(rows, -1, 1)).toBe(1);
    expect(nextLine(rows, 1, 1)).toBe(3);
    expect(nextLine(rows, 3, 1)).toBe(3);
    expect(nextLine(rows, 3, -1)).toBe(1);
  });
});
