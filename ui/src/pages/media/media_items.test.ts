import { describe, expect, it } from "vitest";
import { allSteps, type MediaItem, mediaRows, stepAt, stepBefore } from "./media_items";

describe("images as a grid", () => {
  const item = (key: string, step: number | null, file = `${key}${step}`): MediaItem => ({
    key,
    step,
    file,
    caption: null,
    kind: "image",
    bytes: 1,
    time: 1,
    missing: false,
  });
  const rows = mediaRows([
    item("b", 20),
    item("b", 10),
    item("a", 5),
    item("b", 10, "again"),
    item("a", null),
  ]);

  it("has a row for each key, its steps rising", () => {
    expect(rows.map((row) => [row.key, row.steps])).toEqual([
      ["a", [null, 5]],
      ["b", [10, 20]],
    ]);
  });
  it("keeps several files of one step", () => expect(rows[1]?.items.get(10)).toHaveLength(2));
  it("knows every step there is", () => expect(allSteps(rows)).toEqual([5, 10, 20]));
  it.each([
    [null, 20],
    [15, 10],
    [20, 20],
    [1, undefined],
    [999, 20],
  ])("at step %s nothing that came later is the one before: %s", (step, shown) => {
    const row = rows[1];
    expect(row && stepBefore(row, step)).toBe(shown);
  });
  it("has what was logged without a step before every step", () => {
    expect(rows[0] && [stepBefore(rows[0], 4), stepBefore(rows[0], 5)]).toEqual([null, 5]);
  });
  it.each([
    [null, 20],
    [15, 10],
    [20, 20],
    [1, 10],
    [999, 20],
  ])("at step %s shows the one of %s", (step, shown) => {
    const row = rows[1];
    expect(row && stepAt(row, step)).toBe(shown);
  });
});
