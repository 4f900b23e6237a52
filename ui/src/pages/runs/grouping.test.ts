import { describe, expect, it } from "vitest";
import { bestByName, type Reader, type Row } from "./filter/terms";
import { grouped, isGroup, linesOf } from "./grouping";

type Listed = Row & { key: string };

function run(key: string, members: Partial<Row> = {}): Listed {
  return {
    key,
    id: key,
    path: "cv",
    alias: null,
    status: "finished",
    status_reason: null,
    created_at: null,
    started_at: 100,
    ended_at: 160,
    tags: [],
    best_metric_name: null,
    best_metric_value: null,
    best_metric_step: null,
    best_metric_mode: null,
    assets_count: 0,
    problem: null,
    last_write_at: null,
    ...members,
  };
}

const loss = (value: number) => ({ best_metric_name: "loss", best_metric_value: value });
const noon = new Date(2026, 10, 2, 12).getTime() / 1000;
const rows = [
  run("a", { ...loss(0.2), status: "running", ended_at: null, tags: ["x", "y"], started_at: noon }),
  run("b", { path: "nlp", status: "failed", tags: ["y", "x"], started_at: noon - 11 * 3600 }),
  run("c", { ...loss(0.4), tags: ["x"], started_at: noon - 13 * 3600 }),
  run("d", { best_metric_name: "acc", best_metric_value: 9, status: "failed", started_at: null }),
];
const values = (by: string, reader: Reader = bestByName) =>
  grouped(rows, by, reader, noon + 50).map(({ value, keys }) => [value, keys.join("")]);

describe("groups", () => {
  it.each([
    [
      "state",
      [
        ["running", "a"],
        ["failed", "bd"],
        ["finished", "c"],
      ],
    ],
    [
      "path",
      [
        ["cv", "acd"],
        ["nlp", "b"],
      ],
    ],
    [
      "tag",
      [
        ["x, y", "ab"],
        ["x", "c"],
        ["", "d"],
      ],
    ],
    [
      "metric",
      [
        ["loss", "ac"],
        ["", "b"],
        ["acc", "d"],
      ],
    ],
    [
      "loss",
      [
        ["0.2", "a"],
        ["", "bd"],
        ["0.4", "c"],
      ],
    ],
  ])("by %s keep the order of the rows", (by, expected) => {
    expect(values(by)).toEqual(expected);
  });

  it("by day follow the local calendar", () => {
    const day = (secs: number) => String(new Date(secs * 1000).setHours(0, 0, 0, 0) / 1000);
    expect(values("day")).toEqual([
      [day(noon), "ab"],
      [day(noon - 86_400), "c"],
      ["", "d"],
    ]);
  });

  it("take any recorded value", () => {
    const reader: Reader = () => (row) => row.id < "c";
    expect(values("amp", reader)).toEqual([
      ["true", "ab"],
      ["false", "cd"],
    ]);
  });

  it("sum up their runs, and never mix two metrics", () => {
    const [cv, nlp] = grouped(rows, "path", bestByName, noon + 50);
    expect(cv).toMatchObject({
      running: 1,
      failed: 1,
      secs: 50,
      metric: { name: "loss", min: 0.2, max: 0.4 },
    });
    expect(cv?.metric?.mean).toBeCloseTo(0.3);
    expect(nlp).toMatchObject({ running: 0, failed: 1, metric: null });
  });
});

describe("lines", () => {
  it("leave out the runs of closed groups", () => {
    const groups = grouped(rows, "path", bestByName, noon);
    const lines = linesOf(groups, new Set([groups[0]?.key ?? ""]));
    expect(lines.map((line) => (isGroup(line) ? line.value : line.id))).toEqual(["cv", "nlp", "b"]);
  });

  it("of 100,000 runs are made within a keystroke", () => {
    const many = Array.from({ length: 100_000 }, (_, at) =>
      run(`r${at}`, { ...loss(at), tags: [`t${at % 7}`, "b"], started_at: noon - at * 60 }),
    );
    const times = ["day", "path", "tag"].map((by) => {
      const rounds = Array.from({ length: 5 }, () => {
        const start = performance.now();
        linesOf(grouped(many, by, bestByName, noon), new Set());
        return performance.now() - start;
      });
      return Math.min(...rounds);
    });
    expect(Math.max(...times)).toBeLessThan(500);
  });
});
