import { describe, expect, it } from "vitest";
import { makeAxis } from "./axis";
import type { LineSeries } from "./plot_data";
import { outsideOf, robustExtent } from "./robust_range";

const line = (y: (number | null)[], more: Partial<LineSeries> = {}): LineSeries => ({
  id: "a",
  label: "a",
  x: y.map((_, i) => i),
  y,
  smooth: null,
  nonFinite: [],
  colour: 0,
  ...more,
});
const range = (y: (number | null)[], log = false) => robustExtent([line(y)], -Infinity, Infinity, log);
const hundred = (y: (i: number) => number) => Array.from({ length: 100 }, (_, i) => y(i));

describe("the range without outliers", () => {
  it("is that of the data when nothing is unusual", () => {
    expect(range(hundred((i) => i))).toEqual([0, 99]);
    expect(range(hundred((i) => Math.sin(i)))).toEqual([
      Math.min(...hundred((i) => Math.sin(i))),
      Math.max(...hundred((i) => Math.sin(i))),
    ]);
  });

  it("leaves out spikes on either side, and ends where the other values end", () => {
    expect(range([...hundred((i) => i % 10), 1000, -1000])).toEqual([0, 9]);
  });

  it("holds the middle 90 % and half their span on each side", () => {
    const most = hundred((i) => i / 99);
    // The middle ends near 0.05 and 0.95, so the fences stand near -0.4 and 1.4.
    expect(range([...most, 1.35])).toEqual([0, 1.35]);
    expect(range([...most, 1.55])).toEqual([0, 1]);
  });

  it("is a constant's own value among a few others", () => {
    expect(range([...hundred(() => 7), 1e9])).toEqual([7, 7]);
  });

  it("counts spans in powers of ten on a logarithmic axis, without what it cannot show", () => {
    const values = hundred((i) => 10 ** (-i / 50));
    expect(range([...values, 5], true)[1]).toBe(5);
    expect(range([...values, 1e6, -3, 0], true)).toEqual([10 ** (-99 / 50), 1]);
  });

  it("is all of a handful of values, and nothing of none", () => {
    expect(range([1, 2, 3, 1000])).toEqual([1, 1000]);
    expect(range([null, null])).toEqual([Number.NaN, Number.NaN]);
  });

  it("looks at the window alone, and at smoothed lines too", () => {
    const late = line(hundred((i) => (i < 50 ? 1000 : i)));
    expect(robustExtent([late], 50, 99, false)).toEqual([50, 99]);
    const smooth = line(
      hundred((i) => i),
      { smooth: hundred((i) => i + 20) },
    );
    expect(robustExtent([smooth], 0, 99, false)).toEqual([0, 119]);
  });

  it("of very large numbers is finite", () => {
    const [low, high] = range(hundred((i) => (i % 2 ? 1.7e308 : -1.7e308)));
    expect([low, high]).toEqual([-1.7e308, 1.7e308]);
  });

  it("is quick for more values than are looked at one by one", () => {
    const many = line(Array.from({ length: 250_001 }, (_, i) => (i === 777 ? 1e9 : i % 100)));
    expect(robustExtent([many], -Infinity, Infinity, false)).toEqual([0, 99]);
  });
});

describe("points outside of the range", () => {
  it("are counted within the window, above and below", () => {
    const xAxis = makeAxis({ kind: "number", log: false, min: 1, max: 4 });
    const yAxis = makeAxis({ kind: "number", log: false, min: 0, max: 1 });
    expect(outsideOf([line([9, 2, 0.5, -1, 1, 9]), line([null, 3])], xAxis, yAxis)).toEqual({
      above: 2,
      below: 1,
    });
  });
});
