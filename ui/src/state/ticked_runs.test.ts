import { describe, expect, it } from "vitest";
import { comparisonOf, tickedRuns } from "./ticked_runs.svelte";

const row = (id: string, machine = "") => ({ id, origin: { machine } });

describe("ticked runs", () => {
  it("stand beside each other when there are two or more of one machine", () => {
    expect(comparisonOf([row("b"), row("a")])).toBe("/compare?runs=b,a");
    expect(comparisonOf([row("a", "ssh:gpu-03"), row("b", "ssh:gpu-03")])).toBe(
      "/at/ssh:gpu-03/compare?runs=a,b",
    );
  });

  it("of several machines name theirs", () => {
    expect(comparisonOf([row("a"), row("b", "ssh:gpu-03")])).toBe(
      "/at/all/compare?runs=%2Fa,ssh%3Agpu-03%2Fb",
    );
  });

  it("do not when they are too few", () => {
    expect(comparisonOf([])).toBeNull();
    expect(comparisonOf([row("a")])).toBeNull();
  });

  it("are brought to the list once", () => {
    tickedRuns.bring(["a", "b"]);
    expect(tickedRuns.take()).toEqual(["a", "b"]);
    expect(tickedRuns.take()).toEqual([]);
  });
});
