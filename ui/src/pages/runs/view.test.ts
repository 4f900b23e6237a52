import { describe, expect, it } from "vitest";
import type { RunRow } from "../../api/wire";
import { durationOf, isUnder, shown, sorted, sortedNext, sortsOf, sortsText } from "./view";

function run(members: Partial<RunRow>): RunRow {
  return {
    id: "20260101_000000_aaaaaa",
    path: "cv/yolo",
    alias: null,
    status: "finished",
    status_reason: "status_word",
    created_at: 100,
    started_at: 100,
    ended_at: 160,
    tags: [],
    best_metric_name: null,
    best_metric_value: null,
    best_metric_step: null,
    best_metric_mode: null,
    assets_count: 0,
    problem: null,
    last_write_at: 160,
    ...members,
  };
}

const ids = (rows: readonly RunRow[]): string[] => rows.map((row) => row.id);

describe("sort order in the address", () => {
  it.each(["", "best", "-best", "started", "-assets", "-best,started", "-config:a%2Cb,best"])(
    "survives the address: %s",
    (text) => {
      expect(sortsText(sortsOf(text))).toBe(text);
    },
  );

  it("is newest first when nothing is said", () => {
    expect(sortsOf("")).toEqual([{ key: "started", descending: true }]);
    expect(sortsOf(",-,")).toEqual(sortsOf(""));
    expect(sortsText([{ key: "started", descending: true }])).toBe("");
  });

  it.each([
    ["", "best", false, "-best"],
    ["-best", "best", false, "best"],
    ["best", "best", false, "-best"],
    ["-best,started", "started", false, "-started"],
    ["-best", "assets", true, "-best,-assets"],
    ["-best,-assets", "assets", true, "-best,assets"],
    ["-best,assets", "assets", true, "-best"],
    ["-best,assets", "best", true, "best,assets"],
    ["best", "best", true, "-best"],
  ])("%s and a click on %s, added: %s, is %s", (before, key, add, after) => {
    const next = sortedNext(sortsOf(before), key, true, add);
    expect(sortsText(next)).toBe(after === "-started" ? "" : after);
  });
});

describe("sorting", () => {
  const rows = [
    run({ id: "a", best_metric_value: 0.5, alias: "run 10" }),
    run({ id: "b", best_metric_value: null, alias: "run 9" }),
    run({ id: "c", best_metric_value: 0.9, alias: "Run 2" }),
    run({ id: "d", best_metric_value: 0.5, alias: "alpha" }),
  ];

  it("puts rows without a value last in both directions", () => {
    expect(ids(sorted(rows, [{ key: "best", descending: true }], 0))).toEqual(["c", "a", "d", "b"]);
    expect(ids(sorted(rows, [{ key: "best", descending: false }], 0))).toEqual(["a", "d", "c", "b"]);
  });

  it("goes on with the next key where values are equal", () => {
    const sorts = [
      { key: "best", descending: true },
      { key: "run", descending: false },
    ];
    expect(ids(sorted(rows, sorts, 0))).toEqual(["c", "d", "a", "b"]);
  });

  it("counts numbers in names as numbers and ignores case", () => {
    expect(ids(sorted(rows, [{ key: "run", descending: false }], 0))).toEqual(["d", "c", "b", "a"]);
  });

  it("keeps the order for a column that does not exist", () => {
    expect(ids(sorted(rows, [{ key: "constructor", descending: true }], 0))).toEqual(["a", "b", "c", "d"]);
  });

  it("puts running runs before failed, interrupted and finished ones", () => {
    const states = ["finished", "odd", "interrupted", "running", "failed"].map((status) =>
      run({ id: status, status }),
    );
    const order = ids(sorted(states, [{ key: "state", descending: false }], 0));
    expect(order).toEqual(["running", "failed", "interrupted", "finished", "odd"]);
  });
});

describe("durations", () => {
  it("end with the run, with the clock, or with the last write", () => {
    expect(durationOf(run({}), 1000)).toBe(60);
    expect(durationOf(run({ ended_at: null, status: "running" }), 1000)).toBe(900);
    expect(durationOf(run({ ended_at: null, status: "failed", last_write_at: 130 }), 1000)).toBe(30);
    expect(durationOf(run({ started_at: null, created_at: null }), 1000)).toBeNull();
  });

  it("are never negative when clocks disagree", () => {
    expect(durationOf(run({ ended_at: 40 }), 1000)).toBe(0);
  });
});

describe("folders", () => {
  it.each([
    ["cv", true],
    ["cv/yolo", true],
    ["cv/yo", false],
    ["c", false],
  ])("%s holds cv/yolo: %s", (folder, held) => {
    expect(isUnder("cv/yolo", folder)).toBe(held);
  });
});

describe("what is shown", () => {
  const rows = [
    run({ id: "a", status: "running" }),
    run({ id: "b", status: "failed", path: "nlp/bert" }),
    run({ id: "c", status: "failed" }),
    run({ id: "d", path: null }),
  ];

  it("counts the states that folder and words leave, whatever state is chosen", () => {
    const view = shown(rows, "cv", () => true, new Set(["failed"]));
    expect(ids(view.rows)).toEqual(["c"]);
    expect(view.found).toBe(2);
    expect(Object.fromEntries(view.counts)).toEqual({ running: 1, failed: 1 });
  });
});
