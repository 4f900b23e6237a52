import { describe, expect, it } from "vitest";
import { COLOURS, chooseLooks, DASHES, slotOf } from "./run_colours";

const ids = (n: number) =>
  Array.from({ length: n }, (_, i) => `20260101_0000${i}_${(i * 7919).toString(16)}`);

describe("the colours of runs", () => {
  it("come from the id, wherever the run stands", () => {
    const [one = "", other = ""] = ids(2);
    expect(chooseLooks([one]).get(one)).toBe(slotOf(one));
    if (slotOf(one) !== slotOf(other)) {
      expect(chooseLooks([other, one]).get(one)).toBe(slotOf(one));
    }
  });

  it("do not change when runs are added", () => {
    const many = ids(40);
    for (let n = 1; n < many.length; n += 1) {
      const before = chooseLooks(many.slice(0, n));
      const after = chooseLooks(many.slice(0, n + 1));
      for (const [id, look] of before) expect(after.get(id)).toBe(look);
    }
  });

  it("do not change when a run is taken away", () => {
    const many = ids(12);
    const before = chooseLooks(many);
    const after = chooseLooks(many.slice(1), before);
    for (const [id, look] of after) expect(look).toBe(before.get(id));
  });

  it("are all different for eight runs, and in their dashes up to thirty-two", () => {
    const eight = [...chooseLooks(ids(COLOURS)).values()];
    expect(new Set(eight.map((look) => look % COLOURS)).size).toBe(COLOURS);
    expect(eight.every((look) => look < COLOURS)).toBe(true);
    expect(new Set(chooseLooks(ids(COLOURS * DASHES)).values()).size).toBe(COLOURS * DASHES);
  });

  it("repeat beyond that, still one for each run", () => {
    const looks = chooseLooks(ids(100));
    expect(looks.size).toBe(100);
    for (const look of looks.values()) expect(look).toBeLessThan(COLOURS * DASHES);
  });

  it("are spread over the ids", () => {
    expect(new Set(ids(60).map(slotOf)).size).toBe(COLOURS);
  });
});
