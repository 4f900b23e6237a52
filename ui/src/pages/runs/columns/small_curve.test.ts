import { expect, test } from "vitest";
import { linePath } from "./small_curve";

test("a curve goes from edge to edge and from its least to its largest value", () => {
  const drawn = linePath({ x: [0, 5, 10], y: [2, 4, 3] }, 80, 20);
  expect(drawn).toEqual({ path: "M0.0 18.5L40.0 1.5L80.0 10.0", low: 2, high: 4, last: 3 });
});

test("one point and constants are flat lines, nothing is no picture", () => {
  expect(linePath({ x: [7], y: [1] }, 80, 20)?.path).toBe("M0 10L80 10");
  expect(linePath({ x: [0, 1], y: [1, 1] }, 80, 20)?.path).toBe("M0.0 10.0L80.0 10.0");
  expect(linePath({ x: [], y: [] }, 80, 20)).toBeNull();
});

test("the widest range of numbers stays inside the picture", () => {
  const drawn = linePath({ x: [0, 1, 2], y: [-Number.MAX_VALUE, Number.MAX_VALUE, 0] }, 80, 20);
  expect(drawn?.path).toBe("M0.0 18.5L40.0 1.5L80.0 10.0");
});
