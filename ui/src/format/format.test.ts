import { describe, expect, it } from "vitest";
import { formatBytes } from "./bytes";
import { formatAge } from "./dates";
import { formatDuration } from "./durations";
import { formatCount, formatDifference, formatPercent, formatValue } from "./numbers";

describe("numbers", () => {
  it.each([
    [null, "–"],
    [Number.NaN, "NaN"],
    [Number.POSITIVE_INFINITY, "∞"],
    [Number.NEGATIVE_INFINITY, "−∞"],
    [0, "0"],
    [-0, "0"],
    [0.8165, "0.81650"],
    [12.345678, "12.346"],
    [-0.5, "−0.50000"],
    [1234, "1234"],
    [184220, "184,220"],
    [0.00001234, "1.234e−5"],
    [1e-300, "1e−300"],
    [123456789, "1.235e8"],
    [99999.5, "100,000"],
  ])("shows %s as %s", (value, text) => {
    expect(formatValue(value)).toBe(text);
  });

  it("groups the thousands of a count", () => {
    expect(formatCount(10284)).toBe("10,284");
    expect(formatCount(999)).toBe("999");
  });

  it.each([
    [1.1, 1, "+10.0 %"],
    [0.5, 1, "−50.0 %"],
    [-1.1, -1, "−10.0 %"],
    [0.802, 0.8, "+0.25 %"],
    [3, 1, "+200 %"],
    [2, 2, "0 %"],
    [0.25, 0, "+0.25000"],
    [Number.POSITIVE_INFINITY, 1, ""],
    [1e300, 1e-300, "+∞ %"],
  ])("shows how far %s lies from %s as %s", (value, from, text) => {
    expect(formatDifference(value, from)).toBe(text);
  });

  it("never claims more than is done", () => {
    expect(formatPercent(9999, 10000)).toBe("99 %");
    expect(formatPercent(0, 0)).toBe("0 %");
  });
});

describe("bytes", () => {
  it.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.0 KB"],
    [1_048_575, "1.0 MB"],
    [201_326_592, "192 MB"],
    [null, "–"],
  ])("shows %s as %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

describe("durations", () => {
  it.each([
    [0.25, "250 ms"],
    [9.5, "9.5 s"],
    [59.6, "1 min"],
    [125, "2 min 5 s"],
    [8040, "2 h 14 min"],
    [3599.7, "1 h"],
    [90_000, "1 d 1 h"],
    [-1, "–"],
  ])("shows %s s as %s", (secs, text) => {
    expect(formatDuration(secs)).toBe(text);
  });

  it("speaks Chinese", () => {
    expect(formatDuration(8040, "zh")).toBe("2 小时 14 分");
  });
});

describe("ages", () => {
  it.each([
    [10, "just now"],
    [60, "1 min ago"],
    [3600, "1 h ago"],
    [172_800, "2 d ago"],
  ])("says %s s as %s", (secs, text) => {
    expect(formatAge(1_000_000 - secs, 1_000_000)).toBe(text);
  });

  it("turns an old age into a date", () => {
    expect(formatAge(1_700_000_000, 1_800_000_000)).toMatch(/2023/);
  });
});
