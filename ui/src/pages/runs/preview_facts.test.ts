import { describe, expect, it } from "vitest";
import type { MetricInfo, StorageInfo } from "../../api/wire";
import { en } from "../../text/en";
import { firstMetrics, plainLine, summaryLines } from "./preview_facts";
import { isWritable, troubleOf } from "./trouble";

const metric = (name: string, last: number | null = 1) => ({ name, last }) as MetricInfo;

describe("the preview", () => {
  it("draws the best metric first and nothing that has no number", () => {
    const metrics = [metric("loss"), metric("empty", null), metric("lr"), metric("acc"), metric("x")];
    expect(firstMetrics(metrics, "acc")).toEqual(["acc", "loss", "lr"]);
    expect(firstMetrics(metrics, "gone")).toEqual(["loss", "lr", "acc"]);
    expect(firstMetrics([], "acc")).toEqual([]);
  });

  it("shows plain members of the summary", () => {
    const summary = { best_metric_value: 1, a: 0.5, b: "x", c: { deep: 1 }, d: [1], e: false, f: null };
    expect(summaryLines(summary)).toEqual([
      ["a", "0.50000"],
      ["b", "x"],
      ["e", "false"],
    ]);
  });

  it.each([
    ["\u001b[32mval_acc\u001b[0m 0.8", "val_acc 0.8"],
    ["\u001b]8;;https://example.org\u0007link\u001b]8;;\u0007", "link"],
    ["10 %\r50 %\r100 %", "100 %"],
    ["windows line\r", "windows line"],
    ["<b>no markup</b>", "<b>no markup</b>"],
  ])("shows %j as plain text", (line, plain) => {
    expect(plainLine(line)).toBe(plain);
  });
});

describe("trouble with the storage folder", () => {
  const storage = (state: string): StorageInfo =>
    ({ root: "/data", state, detail: "permission denied" }) as StorageInfo;

  it.each(["missing", "unreadable", "read_only", "stale", "odd"])(
    "%s is said with the folder's name",
    (state) => {
      const trouble = troubleOf(en, storage(state));
      expect(trouble?.detail).toContain("/data");
      expect(trouble?.title.length).toBeGreaterThan(0);
      expect(isWritable({ storage: storage(state), isReachable: true })).toBe(false);
    },
  );

  it("is not said when all is well", () => {
    expect(troubleOf(en, storage("ok"))).toBeNull();
    expect(troubleOf(en, null)).toBeNull();
    expect(isWritable({ storage: storage("ok"), isReachable: true })).toBe(true);
    expect(isWritable({ storage: storage("ok"), isReachable: false })).toBe(false);
  });
});
