import { describe, expect, it } from "vitest";
import { makeAxis } from "./axis";
import {
  type LineSeries,
  nearestLine,
  nearestPoint,
  nearestX,
  plotData,
  xExtent,
  yExtent,
} from "./plot_data";

const line = (x: number[], y: (number | null)[], more: Partial<LineSeries> = {}): LineSeries => ({
  id: "a",
  label: "a",
  x,
  y,
  smooth: null,
  nonFinite: [],
  colour: 0,
  ...more,
});
const axis = (min: number, max: number, log = false) => makeAxis({ kind: "number", log, min, max });

describe("what the plot draws", () => {
  it("keeps every point, duplicates of a step in file order", () => {
    const { columns } = plotData([line([0, 5, 5, 10], [1, 2, 3, 4])], axis(0, 10), axis(0, 4));
    expect(columns).toEqual([
      [0, 0.5, 0.5, 1],
      [0.25, 0.5, 0.75, 1],
    ]);
  });

  it("breaks the line at values that are no numbers", () => {
    const data = plotData([line([0, 10], [0, 1], { nonFinite: [[5, "nan"]] })], axis(0, 10), axis(0, 1));
    expect(data.columns).toEqual([
      [0, 0.5, 1],
      [0, null, 1],
    ]);
  });

  it("has a place for a series of nothing but NaN", () => {
    const series = line([], [], {
      nonFinite: [
        [3, "nan"],
        [7, "inf"],
      ],
    });
    expect(xExtent([series], false)).toEqual([3, 7]);
    expect(plotData([series], axis(3, 7), axis(0, 1)).columns[1]).toEqual([null, null]);
  });

  it("draws the smoothed line beside the raw one", () => {
    const { columns } = plotData([line([0, 1], [0, 1], { smooth: [0.5, 0.5] })], axis(0, 1), axis(0, 1));
    expect(columns[1]).toEqual([0, 1]);
    expect(columns[2]).toEqual([0.5, 0.5]);
  });

  it("aligns several lines without making gaps in any", () => {
    const { columns } = plotData(
      [line([0, 2], [0, 1]), line([1, 2, 2], [1, 0, 1], { id: "b" })],
      axis(0, 2),
      axis(0, 1),
    );
    expect(columns).toEqual([
      [0, 0.5, 1, 1],
      [0, undefined, 1, undefined],
      [undefined, 1, 0, 1],
    ]);
  });

  it("keeps steps that several lines repeat differently often", () => {
    const { columns } = plotData(
      [line([1, 1], [0, 1]), line([0, 1, 1, 1], [0, 1, 0, 1], { id: "b" }), line([], [], { id: "c" })],
      axis(0, 2),
      axis(0, 1),
    );
    expect(columns).toEqual([
      [0, 0.5, 0.5, 0.5],
      [undefined, 0, 1, undefined],
      [0, 1, 0, 1],
      [undefined, undefined, undefined, undefined],
    ]);
  });

  it("counts what a log axis cannot show", () => {
    const data = plotData([line([1, 2, 3], [-1, 0, 10])], axis(1, 3), axis(1, 10, true));
    expect(data.hidden).toBe(2);
    expect(data.columns[1]).toEqual([null, null, 1]);
    const wide = plotData([line([0, 1, 10], [1, 1, 1])], axis(1, 10, true), axis(0, 2));
    expect(wide.hidden).toBe(1);
    expect(wide.columns[0]).toEqual([0, 1]);
  });
});

describe("extents", () => {
  const series = line([0, 1, 2, 3], [5, -1, 100, 0]);
  it("look at the shown part only", () => expect(yExtent([series], 0, 1, false)).toEqual([-1, 5]));
  it("keep a spike", () => expect(yExtent([series], 0, 3, false)).toEqual([-1, 100]));
  it("of a log axis look above zero", () => expect(yExtent([series], 0, 3, true)).toEqual([5, 100]));
  it("are NaN without a value", () =>
    expect(yExtent([series], 7, 9, false)).toEqual([Number.NaN, Number.NaN]));
});

describe("the line that is pointed at", () => {
  it("is the nearest one within reach", () => {
    expect(nearestLine([0.1, 0.5, 0.52, -1], 0.51, 0.1)).toBe(2);
    expect(nearestLine([0.1, 0.9], 0.5, 0.1)).toBe(-1);
    expect(nearestLine([-0.01], 0, 0.1)).toBe(-1);
  });
  it("gives the cross-hair its nearest point, of whichever line", () => {
    const lines = [line([0, 10], [0, 0]), line([4, 8], [0, 0], { id: "b" }), line([], [], { id: "c" })];
    expect(nearestX(lines, 5, axis(0, 10))).toBe(4);
    expect(nearestX(lines, 9.5, axis(0, 10))).toBe(10);
    expect(nearestX([], 3, axis(0, 10))).toBe(3);
  });
});

describe("the point under the cross-hair", () => {
  const xs = [0, 10, 10, 10, 20];
  it.each([
    ["before all", -5, 0],
    ["nearer to the left", 3, 0],
    ["nearer to the right, the last recorded of its step", 8, 3],
    ["on a repeated step", 10, 3],
    ["after all", 99, 4],
  ])("%s", (_, x, index) => expect(nearestPoint(xs, x, axis(0, 20))).toBe(index));
  it("of nothing is nothing", () => expect(nearestPoint([], 1, axis(0, 1))).toBe(-1));
  it("is nearest to the eye on a log axis", () =>
    expect(nearestPoint([1, 100], 12, axis(1, 100, true))).toBe(1));
});
