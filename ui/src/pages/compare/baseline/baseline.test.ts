import { describe, expect, it } from "vitest";
import type { RunMetrics } from "../../../api/wire";
import type { ComparedRun } from "../compared_runs";
import { differenceOf, differenceText, measured, measuresOf, modeOf, readMeasure } from "./difference";
import { metricSection } from "./metric_rows";

const run = (id: string, best: ComparedRun["best"] = null): ComparedRun => ({
  id,
  href: "",
  machine: "",
  name: id,
  short: id,
  status: "finished",
  path: null,
  tags: [],
  best,
  look: 0,
  shown: true,
  fault: null,
});
const metrics = (last: Record<string, number | null>): RunMetrics =>
  ({ metrics: Object.entries(last).map(([name, last]) => ({ name, last })) }) as RunMetrics;

describe("a difference from the baseline", () => {
  it.each([
    [0.75, 0.5, "max", { absolute: 0.25, percent: 50, verdict: "better" }],
    [0.25, 0.5, "max", { absolute: -0.25, percent: -50, verdict: "worse" }],
    [0.25, 0.5, "min", { absolute: -0.25, percent: -50, verdict: "better" }],
    [-1, -2, null, { absolute: 1, percent: 50, verdict: null }],
    [2, 2, null, { absolute: 0, percent: 0, verdict: "same" }],
    [2, 0, "min", { absolute: 2, percent: null, verdict: "worse" }],
  ] as const)("of %d from %d, %s", (value, base, mode, expected) => {
    expect(differenceOf(value, base, mode)).toEqual(expected);
  });

  it.each([
    [null, 1],
    [1, undefined],
    [Number.NaN, 1],
    [1, Number.POSITIVE_INFINITY],
    [Number.MAX_VALUE, -Number.MAX_VALUE],
  ])("is none where there is no number: %s, %s", (value, base) =>
    expect(differenceOf(value, base, "max")).toBeNull(),
  );

  it.each([
    [0.531, 0.5, "+0.031 · +6.2 %"],
    [0.4, 0.5, "−0.1 · −20.0 %"],
    [3, 0, "+3"],
    [7, 7, "±0"],
    [1e9, 1e-9, "+1G · +>999,999 %"],
    [1.000001, 1, "+1e−6 · +<0.01 %"],
  ])("reads %d against %d as %s", (value, base, text) => {
    const difference = differenceOf(value, base, null);
    expect(difference && differenceText(difference)).toBe(text);
  });
});

describe("what runs are held against each other by", () => {
  const acc = { name: "acc", value: 0.9, mode: "max" as const };
  const base = run("a", acc);
  const other = run("b", { ...acc, value: 0.8 });
  const known = new Map([
    ["a", metrics({ loss: 2, acc: 0.7 })],
    ["b", metrics({ loss: 3, acc: null })],
  ]);

  it("is the baseline's best value first, then its metrics", () => {
    expect(measuresOf(base, known)).toEqual([
      { kind: "best", metric: "acc" },
      { kind: "last", metric: "loss" },
      { kind: "last", metric: "acc" },
    ]);
    expect(measuresOf(run("gone"), known)).toEqual([]);
  });

  it("is read from each run, and from the address", () => {
    expect(measured({ kind: "best", metric: "acc" }, other, known)).toBe(0.8);
    expect(measured({ kind: "best", metric: "loss" }, other, known)).toBeNull();
    expect(measured({ kind: "last", metric: "loss" }, other, known)).toBe(3);
    expect(readMeasure("last:train/a:b")).toEqual({ kind: "last", metric: "train/a:b" });
    expect(readMeasure("first:loss")).toBeNull();
  });

  it("gets better the way that the runs say, if they agree", () => {
    expect(modeOf("acc", [base, other, run("c")])).toBe("max");
    expect(modeOf("loss", [base, other])).toBeNull();
    expect(modeOf("acc", [base, run("c", { ...acc, mode: "min" })])).toBeNull();
    expect(modeOf("acc", [run("c", { ...acc, mode: null })])).toBeNull();
  });

  it("is a row each in the table, searched by name, equal ones apart", () => {
    const baseline = {
      run: base,
      measures: measuresOf(base, known),
      difference: () => null,
    };
    const runs = [other, base];
    const nameOf = ({ kind, metric }: { kind: string; metric: string }) => `${kind} ${metric}`;
    const section = metricSection(baseline, runs, known, nameOf, "");
    expect(section?.differing.map(({ path, cells, usual }) => [path, ...cells, usual])).toEqual([
      ["best acc", "0.80000", "0.90000", "0.90000"],
      ["last loss", "3", "2", "2"],
      ["last acc", null, "0.70000", "0.70000"],
    ]);
    expect(metricSection(baseline, runs, known, nameOf, "LOSS")?.differing).toHaveLength(1);
    expect(metricSection(baseline, runs, known, nameOf, "zzz")).toBeNull();
    expect(metricSection({ ...baseline, run: null }, runs, known, nameOf, "")).toBeNull();
  });
});
