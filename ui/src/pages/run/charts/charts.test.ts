import { describe, expect, it } from "vitest";
import type { Points } from "../../charts/delta";
import { curveCsv } from "./curve_csv";
import { readPins } from "./pins.svelte";

const points = (x: number[], y: (number | null)[] = x, more: Partial<Points> = {}): Points => ({
  x,
  y,
  smooth: null,
  nonFinite: [],
  ...more,
});

describe("pins", () => {
  it("survive only as a list of names", () => {
    expect(readPins('["a",1,"b"]')).toEqual(["a", "b"]);
    for (const text of [null, "", "{}", "[", '"a"', "null"]) expect(readPins(text)).toEqual([]);
  });
});

describe("a chart as CSV", () => {
  it("has NaN in its place and quotes names", () => {
    const csv = curveCsv('a,"b"', "step", points([1, 3], [0.5, 1], { nonFinite: [[2, "nan"]] }));
    expect(csv).toBe('step,"a,""b"""\n1,0.5\n2,nan\n3,1\n');
  });
  it("has a column for the smoothed values", () => {
    expect(curveCsv("m", "step", points([1], [2], { smooth: [1.5] }))).toBe("step,m,m (smoothed)\n1,2,1.5\n");
  });
  it("does not let a name act as a formula", () => {
    expect(curveCsv("=HYPERLINK(1)", "step", points([]))).toBe("step,'=HYPERLINK(1)\n");
  });
});
