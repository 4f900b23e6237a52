import { describe, expect, it } from "vitest";
import type { RecordedValue } from "../../../api/run_values";
import {
  axisOf,
  brushesText,
  firstFields,
  isWithin,
  numberAt,
  placeOf,
  readBrushes,
  type ValueAxis,
} from "./value_axes";

const axis = (...values: RecordedValue[]): ValueAxis => {
  const made = axisOf("config:a", values);
  if (!made) throw new Error("no axis");
  return made;
};

describe("an axis of values", () => {
  it("spans the numbers of the runs", () => {
    const made = axis(2, 4, null, 6);
    expect([made.kind, made.log, placeOf(made, 2), placeOf(made, 4), placeOf(made, 6)]).toEqual([
      "number",
      false,
      0,
      0.5,
      1,
    ]);
  });

  it("is logarithmic where the largest is a thousand times the smallest", () => {
    const made = axis(1e-5, 1e-3, 1e-1);
    expect(made.log).toBe(true);
    expect(placeOf(made, 1e-3)).toBeCloseTo(0.5, 9);
    expect(numberAt(made, 0.5)).toBeCloseTo(1e-3, 9);
    expect(axis(0, 1e6).log).toBe(false);
    expect(axis(-1, 1e6).log).toBe(false);
  });

  it("keeps a single value in the middle", () => {
    expect(placeOf(axis(5, 5), 5)).toBe(0.5);
    expect(placeOf(axis(0), 0)).toBe(0.5);
    expect(placeOf(axis("a"), "a")).toBe(0.5);
  });

  it("lists words in their order, truth values and mixtures too", () => {
    const made = axis("run10", "run9", true, 3);
    expect(made.kind).toBe("category");
    expect(made.words).toEqual(["3", "run9", "run10", "true"]);
    expect(placeOf(made, "true")).toBe(1);
  });

  it("has no place for what is missing or no number", () => {
    const made = axis(1, 2, "NaN", "Infinity");
    expect(made.kind).toBe("number");
    expect([placeOf(made, null), placeOf(made, "NaN")]).toEqual([null, null]);
  });

  it("is none where no run has a value, or every run another word", () => {
    expect(axisOf("config:a", [null, null])).toBeNull();
    const names = Array.from({ length: 41 }, (_, i) => `n${i}`);
    expect(axisOf("config:a", names)).toBeNull();
  });
});

describe("brushes", () => {
  const axes = [{ ...axis(0, 10), field: "config:lr" }];
  const within = (from: number, to: number, value: RecordedValue) =>
    isWithin(new Map([["config:lr", { from, to }]]), axes, () => value);

  it("keep what lies between their edges, the edges included", () => {
    expect([within(0.2, 0.6, 2), within(0.2, 0.6, 6), within(0.2, 0.6, 1.9), within(0.2, 0.6, 6.1)]).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it("leave out a run without the value", () => {
    expect(within(0, 1, null)).toBe(false);
    expect(within(0, 1, "NaN")).toBe(false);
  });

  it("come back from the address", () => {
    const brushes = new Map([
      ["config:lr", { from: 0.25, to: 0.5 }],
      ["last:val/loss", { from: 0, to: 0.12345678 }],
      ["config:a~b;c%", { from: 0, to: 1 }],
    ]);
    expect(readBrushes(brushesText(brushes) ?? "")).toEqual(
      new Map([
        ["config:lr", { from: 0.25, to: 0.5 }],
        ["last:val/loss", { from: 0, to: 0.1235 }],
        ["config:a~b;c%", { from: 0, to: 1 }],
      ]),
    );
    expect(brushesText(new Map())).toBeNull();
  });

  it("are not believed when the address is broken", () => {
    for (const text of ["", "a", "a~1", "a~x~1", "a~0.9~0.1", "a~-1~2", "~0~1", "a~0~NaN", "%~0~1"])
      expect(readBrushes(text).size, text).toBe(0);
  });
});

describe("the first columns", () => {
  it("are what differs, configuration before results", () => {
    const values: Record<string, RecordedValue[]> = {
      "config:lr": [0.1, 0.2],
      "config:seed": [1, 1],
      "config:none": [null, 1],
      "summary:best_metric_name": ["a", "b"],
      "summary:acc": [0.5, 0.6],
      "last:loss": [1, 2],
    };
    expect(firstFields(Object.keys(values), (field) => values[field] ?? [])).toEqual([
      "config:lr",
      "summary:acc",
      "last:loss",
    ]);
  });

  it("are seven at most, and always hold a result", () => {
    const fields = [...Array.from({ length: 20 }, (_, i) => `config:k${i}`), "last:loss", "last:acc"];
    const first = firstFields(fields, () => [1, 2]);
    expect(first).toHaveLength(7);
    expect(first.slice(-2)).toEqual(["last:loss", "last:acc"]);
  });
});
