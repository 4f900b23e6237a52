import { describe, expect, it } from "vitest";
import { Differ, stretch } from "./difference";

const pixels = (...values: number[]) => new Uint8ClampedArray(values);

describe("the difference of two pictures", () => {
  it("is absolute, opaque, and said in numbers", () => {
    const out = pixels(0, 0, 0, 0, 0, 0, 0, 0);
    const differ = new Differ();
    const one = pixels(10, 20, 30, 255, 1, 1, 1, 255);
    const other = pixels(40, 20, 0, 255, 1, 1, 1, 255);
    differ.take(one, other, out, 0, 1);
    differ.take(one, other, out, 1, 2);
    expect([...out]).toEqual([30, 0, 30, 255, 0, 0, 0, 255]);
    expect(differ.found).toEqual({ most: 30, mean: 10, share: 0.5 });
  });
  it("sees what differs in opacity only", () => {
    const out = pixels(0, 0, 0, 0);
    const differ = new Differ();
    differ.take(pixels(0, 0, 0, 255), pixels(0, 0, 0, 55), out, 0, 1);
    expect([...out]).toEqual([200, 200, 200, 255]);
    expect(differ.found).toEqual({ most: 200, mean: 200, share: 1 });
  });
  it("is nothing between equal ones", () => {
    const differ = new Differ();
    differ.take(pixels(9, 9, 9, 9), pixels(9, 9, 9, 9), pixels(0, 0, 0, 0), 0, 1);
    expect(differ.found).toEqual({ most: 0, mean: 0, share: 0 });
  });
  it("can be stretched to what is there", () => {
    const out = pixels(5, 0, 10, 255);
    stretch(out, 10);
    expect([...out]).toEqual([128, 0, 255, 255]);
  });
});
