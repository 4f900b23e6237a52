import { describe, expect, it } from "vitest";
import { Selection } from "./selection.svelte";
import { readLayout } from "./table_layout.svelte";

describe("ticked rows", () => {
  it("keep the order of ticking, without doubles", () => {
    const ticks = new Selection();
    ticks.toggle("b");
    ticks.add(["a", "b", "c"]);
    expect(ticks.ids).toEqual(["b", "a", "c"]);
    ticks.toggle("a");
    expect(ticks.ids).toEqual(["b", "c"]);
    ticks.drop(["b", "x"]);
    expect(ticks.ids).toEqual(["c"]);
  });
});

describe("a kept table layout", () => {
  it("takes what makes sense and nothing else", () => {
    const kept = readLayout(
      '{"widths":{"run":300,"state":"x","tags":-4,"path":99999},"columns":"state,!last:loss"}',
    );
    expect(kept).toEqual({ widths: { run: 300 }, columns: "state,!last:loss" });
  });

  it.each([null, "", "[", "3", '{"widths":null,"columns":7}'])("is empty for %s", (text) => {
    expect(readLayout(text)).toEqual({ widths: {}, columns: null });
  });
});
