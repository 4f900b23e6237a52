import { describe, expect, it } from "vitest";
import { lineAfter, scrollTo, sliceInView } from "./window";

describe("the lines in view", () => {
  it.each([
    ["none of an empty list", [0, 600, 30, 0], { from: 0, to: 0 }],
    ["the first ones at the top", [0, 600, 30, 10_000], { from: 0, to: 28 }],
    ["those around the middle", [3000, 600, 30, 10_000], { from: 92, to: 128 }],
    ["the last ones at the end", [299_400, 600, 30, 10_000], { from: 9972, to: 10_000 }],
    ["the last ones when the list shrank below the view", [299_400, 600, 30, 5], { from: 4, to: 5 }],
    ["none before the height is known", [0, 0, 0, 10], { from: 0, to: 0 }],
  ] as const)("are %s", (_, [scrollPx, viewPx, linePx, count], slice) => {
    expect(sliceInView(scrollPx, viewPx, linePx, count)).toEqual(slice);
  });
});

describe("scrolling to a line", () => {
  it("does not move when the line is in view", () => {
    expect(scrollTo(5, 0, 600, 30)).toBe(0);
  });
  it("moves up to a line above and down to a line below, no further", () => {
    expect(scrollTo(5, 300, 600, 30)).toBe(150);
    expect(scrollTo(30, 0, 600, 30)).toBe(330);
  });
});

describe("movement keys", () => {
  it.each([
    ["ArrowDown", 3, 4],
    ["ArrowDown", 9, 9],
    ["ArrowUp", 0, 0],
    ["ArrowDown", -1, 0],
    ["ArrowUp", -1, 9],
    ["PageDown", 3, 8],
    ["PageUp", 3, 0],
    ["Home", 7, 0],
    ["End", 2, 9],
    ["x", 2, null],
  ] as const)("%s from line %s leads to %s", (key, at, to) => {
    expect(lineAfter(key, at, 10, 5)).toBe(to);
  });

  it("leads nowhere in an empty list", () => {
    expect(lineAfter("ArrowDown", -1, 0, 5)).toBeNull();
  });
});
