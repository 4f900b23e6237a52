import { describe, expect, it } from "vitest";
import type { RunDetail, RunMetrics, RunRow } from "../../api/wire";
import { compareEn } from "../../text/compare_en";
import { compareZh } from "../../text/compare_zh";
import type { Curve } from "../charts/series_feed.svelte";
import { comparedRuns } from "./compared_runs";
import { compareValues, differences, flatten, isEqual } from "./differences";
import { metricsOfAll } from "./metrics_of_all";
import { extentOfAll, runLines } from "./run_lines";
import { LIMIT, readCompare, sectionMembers } from "./view_state";

const map = (members: Record<string, string>) => new Map(Object.entries(members));

const detail = (members: Partial<RunDetail>): RunDetail =>
  ({
    config: { args: {}, extra: {}, config_files: [] },
    summary: {},
    environment: null,
    ...members,
  }) as RunDetail;
const withArgs = (args: Record<string, unknown>) =>
  detail({ config: { args, extra: null, config_files: [] } });

describe("values side by side", () => {
  it("go by the paths that lead to them", () => {
    expect(flatten({ lr: 0.1, opt: { name: "adam", betas: [0.9, 0.999] }, none: [], nil: null })).toEqual(
      map({
        lr: "0.1",
        "opt.name": "adam",
        "opt.betas[0]": "0.9",
        "opt.betas[1]": "0.999",
        none: "[]",
        nil: "null",
      }),
    );
  });

  it("tell a missing value from one that says null", () => {
    const [row] = compareValues([map({ a: "null" }), map({})]);
    expect(row).toEqual({ path: "a", cells: ["null", null], usual: "null" });
    expect(row && isEqual(row)).toBe(false);
  });

  it.each<[string, (string | null)[], string | null]>([
    ["what most have", ["1", "2", "2"], "2"],
    ["the first of equally common ones", ["1", "2"], "1"],
    ["nothing, where most have none", [null, null, "3"], null],
  ])("call usual %s", (_, cells, usual) => {
    const [row] = compareValues(cells.map((cell) => (cell === null ? map({}) : map({ k: cell }))));
    expect(row?.usual).toBe(usual);
  });
});

describe("what changed", () => {
  it("keeps equal values apart from those that differ", () => {
    const [config] = differences([withArgs({ lr: 1, seed: 7 }), withArgs({ lr: 2, seed: 7 })]);
    expect(config?.section).toBe("config");
    expect(config?.differing.map((row) => row.path)).toEqual(["lr"]);
    expect(config?.equal.map((row) => row.path)).toEqual(["seed"]);
  });

  it("goes by package names, whatever their order", () => {
    const env = (...pip_packages: string[]) =>
      detail({ environment: { python_version: "3.12", pip_packages } });
    const [part] = differences([env("numpy==1.26", "torch==2.4"), env("torch==2.5", "numpy==1.26")]);
    expect(part?.section).toBe("environment");
    expect(part?.differing.map((row) => [row.path, ...row.cells])).toEqual([
      ["packages.torch", "2.4", "2.5"],
    ]);
    expect(part?.equal.map((row) => row.path)).toContain("packages.numpy");
  });

  it("leaves out sections of which no run says anything", () => {
    expect(differences([detail({}), detail({ summary: { best: 1 } })]).map((part) => part.section)).toEqual([
      "summary",
    ]);
    expect(differences([detail({}), detail({})])).toEqual([]);
  });

  it("is searched by names and values", () => {
    const runs = [withArgs({ lr: 1, model: "vit" }), withArgs({ lr: 2, model: "resnet" })];
    const found = (search: string) =>
      differences(runs, search).flatMap((part) => part.differing.map((row) => row.path));
    expect(found("LR")).toEqual(["lr"]);
    expect(found("resnet")).toEqual(["model"]);
    expect(found("nothing like it")).toEqual([]);
  });

  it("takes records as they come: no config, lists for objects", () => {
    const odd = detail({ config: { args: null, extra: null, config_files: null }, environment: [] as never });
    expect(differences([odd, odd])).toEqual([]);
  });
});

describe("the metrics of several runs", () => {
  const metrics = (names: string[], more: Partial<RunMetrics> = {}): RunMetrics =>
    ({
      metrics: names.map((name) => ({ name })),
      texts: [],
      axes: [],
      problems: [],
      ...more,
    }) as unknown as RunMetrics;

  it("are all that any of them has, each once, with the runs that have it", () => {
    const all = metricsOfAll(
      new Map([
        ["a", metrics(["loss", "acc"], { axes: ["epoch"] })],
        ["b", metrics(["loss", "lr"], { axes: ["epoch"] })],
      ]),
    );
    expect([...all.runsOf]).toEqual([
      ["loss", ["a", "b"]],
      ["acc", ["a"]],
      ["lr", ["b"]],
    ]);
    expect(all.axes).toEqual(["epoch"]);
  });
});

describe("the lines of a chart", () => {
  const curve = (x: number[]): Curve => ({
    x,
    y: x,
    smooth: null,
    nonFinite: [],
    last: null,
    points: x.length,
    nonFinitePoints: 0,
    extent: x.length === 0 ? null : { from: x[0] ?? 0, to: x.at(-1) ?? 0 },
    exact: true,
    problem: null,
  });
  const rows = [
    { id: "20260101_000000_aa", alias: "named", status: "running", path: "p", tags: ["t"] } as RunRow,
  ];
  const runs = comparedRuns(
    ["20260101_000000_aa", "20260101_000000_bb", "c"],
    rows,
    new Map([["c", "gone"]]),
    new Map([["20260101_000000_bb", 9]]),
    new Set(["c"]),
  );

  it("are of the runs that are shown and have points, in their colours, by names that tell them apart", () => {
    expect(runs.map(({ name, status, shown, fault }) => [name, status, shown, fault])).toEqual([
      ["named", "running", true, null],
      ["20260101_000000_bb", null, true, null],
      ["c", null, false, "gone"],
    ]);
    const ids = ["c", "20260101_000000_bb", "20260101_000000_aa"];
    const lines = runLines(ids, [curve([1]), curve([1, 2]), curve([])], runs);
    expect(lines.map(({ id, label, colour }) => [id, label, colour])).toEqual([
      ["20260101_000000_bb", "…bb", 9],
    ]);
  });

  it("share one axis", () => {
    expect(extentOfAll([curve([3, 9]), null, curve([]), curve([1, 4])])).toEqual({ from: 1, to: 9 });
    expect(extentOfAll([null])).toBeNull();
  });
});

describe("the words of the page", () => {
  const sentences = (part: unknown): string[] =>
    typeof part === "string" ? [part] : Object.values(part as object).flatMap(sentences);
  const holes = (text: string) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();
  it("have the same values to put in, in every language", () => {
    expect(sentences(compareZh).map(holes)).toEqual(sentences(compareEn).map(holes));
  });
});

describe("the address of a comparison", () => {
  const read = (text: string) => readCompare(new URLSearchParams(text));
  const noValues = { axes: [], brushes: new Map(), scatter: { x: "", y: "" } };
  const noGroups = { group: null, band: "range", each: false, opened: [], baseline: "", measure: "" };
  const noCode = { part: "values", code: { before: "", after: "", file: "" } };

  it("says which runs, which are hidden, and what is looked at", () => {
    expect(read("runs=a,b,c&hide=b&tab=changed&key=lr&equal=config,summary")).toEqual({
      ids: ["a", "b", "c"],
      left: 0,
      hidden: new Set(["b"]),
      tab: "changed",
      key: "lr",
      equal: ["config", "summary"],
      ...noValues,
      ...noGroups,
      ...noCode,
    });
  });

  it("says nothing that makes no sense", () => {
    expect(read("tab=bogus&equal=bogus&hide=")).toEqual({
      ids: [],
      left: 0,
      hidden: new Set(),
      tab: "charts",
      key: "",
      equal: [],
      ...noValues,
      ...noGroups,
      ...noCode,
    });
    expect(sectionMembers([])).toBeNull();
  });

  it("takes a thousand runs and counts the others", () => {
    const many = Array.from({ length: LIMIT + 3 }, (_, i) => `r${i}`);
    expect(read(`runs=${many.join(",")}`).ids).toHaveLength(LIMIT);
    expect(read(`runs=${many.join(",")}`).left).toBe(3);
  });
});
