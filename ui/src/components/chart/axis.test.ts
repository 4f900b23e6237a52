import { describe, expect, it } from "vitest";
import { makeAxis, padded, xEnds } from "./axis";
import { durationTicks, linearTicks, logTicks, shortDuration, shortNumber, timeTicks } from "./ticks";
import { between, pan, zoomAround } from "./zoom";

const number = (min: number, max: number, log = false) => makeAxis({ kind: "number", log, min, max });
const labels = (ticks: { label: string }[]) => ticks.map((tick) => tick.label);

describe("places on an axis", () => {
  it.each([
    ["ordinary", 0, 10],
    ["negative", -5, 5],
    ["tiny", 1e-300, 2e-300],
    ["huge", 1e18, 2e18],
    ["the whole range of doubles", -Number.MAX_VALUE, Number.MAX_VALUE],
  ])("%s values go there and back", (_, min, max) => {
    const axis = number(min, max);
    expect(axis.at(min)).toBe(0);
    expect(axis.at(max)).toBe(1);
    expect(axis.value(0)).toBe(min);
    expect(axis.at(axis.value(0.25))).toBeCloseTo(0.25, 9);
  });

  it("puts powers of ten at equal distances on a log axis", () => {
    const axis = number(1, 100, true);
    expect(axis.at(10)).toBeCloseTo(0.5, 12);
    expect(axis.value(0.5)).toBeCloseTo(10, 9);
    expect(axis.at(0)).toBeNaN();
    expect(axis.at(-3)).toBeNaN();
  });

  it("stays linear when a log axis has nothing above zero", () => {
    expect(number(-1, 5, true).log).toBe(false);
  });
});

describe("ends of a y axis", () => {
  it("gives a constant a middle to stand in", () => {
    for (const value of [0, 3, -7, 1e-300, 1e18, 1e308, 5e-324]) {
      const [low, high] = padded(value, value, false);
      expect(low).toBeLessThan(value);
      expect(high).toBeGreaterThan(value);
      expect(Number.isFinite(high - low)).toBe(true);
    }
  });
  it("does not go below zero for values that do not", () => expect(padded(0.001, 10, false)[0]).toBe(0));
  it("has ends even without values", () => expect(padded(Number.NaN, Number.NaN, false)).toEqual([0, 1]));
  it("keeps a log axis above zero", () => expect(padded(5e-324, 1e308, true)[0]).toBeGreaterThan(0));
});

describe("ends of an x axis", () => {
  it("are the data's", () => expect(xEnds(3, 9, false)).toEqual([3, 9]));
  it("make room round a single point", () => expect(xEnds(5, 5, false)).toEqual([4, 6]));
  it("make room round a single moment", () => {
    const [low, high] = xEnds(1.7e9, 1.7e9, false);
    expect(high).toBeGreaterThan(low);
  });
});

describe("tick marks", () => {
  it.each<[string, [number, number, number], string[]]>([
    ["round steps", [0, 10, 5], ["0", "2", "4", "6", "8", "10"]],
    ["no more digits than the step", [0, 1, 5], ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]],
    ["thousands share a unit", [0, 184_220, 4], ["0", "50k", "100k", "150k"]],
    ["across zero", [-1, 1, 4], ["-1.0", "-0.5", "0", "0.5", "1.0"]],
    ["very small", [1e-300, 2e-300, 2], ["1e-300", "1.5e-300", "2e-300"]],
    ["very large", [1e18, 1.3e18, 3], ["1e18", "1.1e18", "1.2e18", "1.3e18"]],
  ])("%s", (_, [min, max, count], expected) => {
    expect(labels(linearTicks(min, max, count))).toEqual(expected);
  });

  it("does not stand between two steps", () => {
    expect(labels(linearTicks(12, 14, 6, 1))).toEqual(["12", "13", "14"]);
    expect(labels(linearTicks(0, 0.5, 6, 1))).toEqual(["0"]);
  });

  it("tells close values apart", () => {
    const words = labels(linearTicks(0.99998, 1.00002, 4));
    expect(new Set(words).size).toBe(words.length);
    const far = labels(linearTicks(1e15, 1e15 + 8, 4));
    expect(new Set(far).size).toBe(far.length);
  });

  it("never makes many marks, whatever the ends", () => {
    for (const [min, max] of [
      [0, 5e-324],
      [1e18, 1e18 + 128],
      [-1e308, 1e308],
      [0, 0],
    ] as const) {
      expect(linearTicks(min, max, 5).length).toBeLessThan(30);
    }
  });

  it("has powers of ten on a log axis, thinned when there are many", () => {
    expect(labels(logTicks(0.001, 1000, 7))).toEqual(["0.001", "0.01", "0.1", "1", "10", "100", "1000"]);
    expect(logTicks(1e-300, 1e300, 5).length).toBeLessThanOrEqual(6);
    expect(labels(logTicks(1, 9, 5))).toEqual(["1", "2", "5"]);
    expect(logTicks(1.01, 1.02, 5).length).toBeGreaterThan(1);
  });

  it("says lengths of time in round words", () => {
    expect(labels(durationTicks(0, 7200, 4))).toEqual(["0s", "30m", "1h", "1h 30m", "2h"]);
    expect(labels(durationTicks(0, 2, 4))).toEqual(
      ["0s", "0.5s", "1.0s", "1.5s", "2.0s"].map((word) => word.replace(".0s", "s")),
    );
    expect(shortDuration(3725)).toBe("1h 2m");
    expect(shortDuration(90_000)).toBe("1d 1h");
    expect(shortDuration(3599.9)).toBe("1h");
    expect(shortDuration(-65)).toBe("-1m 5s");
  });

  it("puts moments on round clock times", () => {
    const start = new Date(2026, 1, 11, 21, 30, 0).getTime() / 1000;
    expect(labels(timeTicks(start, start + 3600, 4))).toEqual(["21:30", "21:45", "22:00", "22:15", "22:30"]);
    expect(labels(timeTicks(start, start + 86_400 * 3, 3))).toEqual(["02-12", "02-13", "02-14"]);
  });

  it("writes numbers short", () => {
    expect([0, 5, 1234, 184_220, 2.5e6, 1e-7, 1e300].map(shortNumber)).toEqual([
      "0",
      "5",
      "1234",
      "184.2k",
      "2.5M",
      "1e-7",
      "1e300",
    ]);
  });
});

describe("zoom", () => {
  const axis = number(0, 100);
  const whole = { from: 0, to: 100 };

  it("narrows round the pointer, which stays where it is", () => {
    const window = zoomAround(axis, whole, 0.25, 0.5);
    expect(window).toEqual({ from: 12.5, to: 62.5 });
    expect(number(12.5, 62.5).at(25)).toBeCloseTo(0.25);
  });
  it("widening beyond everything is no zoom at all", () =>
    expect(zoomAround(axis, whole, 0.5, 3)).toBeNull());
  it("does not leave the data", () => {
    const part = number(10, 30);
    expect(pan(part, whole, -10)).toEqual({ from: 0, to: 20 });
    expect(pan(part, whole, 10)).toEqual({ from: 80, to: 100 });
    expect(pan(part, whole, 0.5)).toEqual({ from: 20, to: 40 });
  });
  it("takes a drag in either direction", () => {
    expect(between(axis, whole, 0.6, 0.2)).toEqual({ from: 20, to: 60 });
  });
  it("works in places, so a log axis zooms by decades", () => {
    const log = number(1, 10_000, true);
    const window = between(log, { from: 1, to: 10_000 }, 0.25, 0.75);
    expect(window?.from).toBeCloseTo(10, 9);
    expect(window?.to).toBeCloseTo(1000, 6);
  });
  it("never makes a window of nothing", () => {
    expect(between(number(1, 1 + Number.EPSILON), { from: 0, to: 2 }, 0.5, 0.5)).toEqual({
      from: 1,
      to: 1 + Number.EPSILON,
    });
  });
});
