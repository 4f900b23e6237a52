import { describe, expect, it } from "vitest";
import type { RecordedValue } from "../../../api/run_values";
import type { MeanCurve } from "../../charts/series_feed.svelte";
import type { ComparedRun } from "../compared_runs";
import { behindGroups, frontOf, groupLines } from "./group_lines";
import { type GroupWords, groupRuns, isSplit, readGroupBy, tagsOf } from "./run_groups";

const words: GroupWords = { missing: "none", without: "no {tag}", stateWord: (state) => `<${state}>` };
const run = (id: string, more: Partial<ComparedRun> = {}): ComparedRun => ({
  id,
  href: "",
  machine: "",
  name: id,
  short: id,
  status: "finished",
  path: "p",
  tags: [],
  best: null,
  look: 0,
  shown: true,
  fault: null,
  ...more,
});

const grouped = (by: string, runs: ComparedRun[], values: Record<string, RecordedValue> = {}) =>
  groupRuns(by, runs, (_, id) => values[id] ?? null, words).map(({ label, runs }) => [
    label,
    runs.map(({ id }) => id).join(""),
  ]);

describe("groups of runs", () => {
  const runs = ["a", "b", "c", "d", "e"].map((id) => run(id));

  it("share a value; numbers stand in their order and runs without it last", () => {
    expect(grouped("config:lr", runs, { a: 0.1, b: 1e-5, d: 0.1, e: 10 })).toEqual([
      ["0.00001", "b"],
      ["0.1", "ad"],
      ["10", "e"],
      ["none", "c"],
    ]);
  });

  it("tell a text from the absence of one, and keep truth values and texts", () => {
    expect(grouped("config:amp", runs, { a: "-", b: "", c: true, d: "10 layers", e: "9 layers" })).toEqual([
      ["-", "a"],
      ["“”", "b"],
      ["9 layers", "e"],
      ["10 layers", "d"],
      ["true", "c"],
    ]);
    expect(grouped("config:amp", runs.slice(0, 2), { a: "-" })).toEqual([
      ["-", "a"],
      ["none", "b"],
    ]);
  });

  it("share a state, a folder, all tags or one tag", () => {
    const some = [
      run("a", { status: "failed", path: "x/y", tags: ["new", "big"] }),
      run("b", { path: null, tags: [] }),
      run("c", { path: "x", tags: ["big", "new"] }),
    ];
    expect(grouped("state", some)).toEqual([
      ["<failed>", "a"],
      ["<finished>", "bc"],
    ]);
    expect(grouped("folder", some)).toEqual([
      ["x", "c"],
      ["x/y", "a"],
      ["none", "b"],
    ]);
    expect(grouped("tags", some)).toEqual([
      ["big, new", "ac"],
      ["none", "b"],
    ]);
    expect(grouped("tag:new", some)).toEqual([
      ["new", "ac"],
      ["no new", "b"],
    ]);
    expect(tagsOf(some)).toEqual(["big", "new"]);
  });

  it("are of one machine each, and tell whether one is split by that", () => {
    const of = (states: readonly [string, string][]) =>
      groupRuns(
        "state",
        states.map(([machine, status], at) => run(String(at), { machine, status })),
        () => null,
        words,
      );
    const split = of([
      ["here", "failed"],
      ["gpu", "failed"],
    ]);
    expect(split.map(({ label }) => label)).toEqual(["<failed> · gpu", "<failed> · here"]);
    expect(isSplit(split)).toBe(true);
    const whole = of([
      ["here", "failed"],
      ["gpu", "finished"],
    ]);
    expect(isSplit(whole)).toBe(false);
  });

  it.each([
    ["state", "state"],
    ["config:opt.lr", "config:opt.lr"],
    ["tag:a:b", "tag:a:b"],
    ["config:", null],
    ["bogus", null],
    ["", null],
  ])("are read from the address: %s", (text, by) => expect(readGroupBy(text)).toBe(by));
});

describe("the lines of groups", () => {
  const groups = groupRuns("state", [run("a"), run("b", { status: "failed" })], () => null, words);
  const mean: MeanCurve = {
    x: [1],
    y: [2],
    smooth: null,
    nonFinite: [],
    last: null,
    points: 1,
    nonFinitePoints: 0,
    extent: null,
    exact: true,
    problem: null,
    low: [1],
    high: [3],
    runs: 1,
  };
  const looks = new Map([
    ["=failed", 4],
    ["=finished", 5],
  ]);

  it("are one for each mean, with its band, and leave out groups that have nothing", () => {
    const lines = groupLines(groups, new Map([["=failed", mean]]), looks, "range");
    expect(lines).toMatchObject([
      { id: "group:=failed", label: "<failed>", colour: 4, band: { low: [1], high: [3] } },
    ]);
    expect(groupLines(groups, new Map([["=failed", mean]]), looks, "none")[0]).not.toHaveProperty("band");
  });

  it("have their runs behind them, in their colour", () => {
    const line = { id: "a", label: "a", x: [1], y: [1], smooth: null, nonFinite: [], colour: 0 };
    expect(behindGroups([line, { ...line, id: "z" }], groups, looks)).toMatchObject([
      { id: "a", colour: 5, weight: "faint", under: "group:=finished" },
    ]);
  });

  it("bring the mean forward when a run is pointed at that is not drawn itself", () => {
    const lines = groupLines(groups, new Map([["=finished", mean]]), looks, "range");
    expect(frontOf("a", lines, groups)).toBe("group:=finished");
    expect(frontOf("group:=finished", lines, groups)).toBe("group:=finished");
    expect(frontOf(null, lines, groups)).toBeNull();
  });
});
