import { describe, expect, it } from "vitest";
import { type MediaItem, mediaRows } from "../media_items";
import { FIT } from "./look";
import { besideFirst, counterpart, itemOf, keyFrom, readViewer, stepFrom, viewerMembers } from "./pair";

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
const rows = mediaRows([item("a", 1), item("a", 5), item("a", 5, "again"), item("b", 2)]);
const at = (file: string) => itemOf(rows, file) ?? item("?", 0);

describe("ways through the pictures of a run", () => {
  it("lead through the files of a step, then to the next step, and back the same way", () => {
    expect(["a1", "a5", "again"].map((file) => stepFrom(rows, at(file), 1)?.file)).toEqual([
      "a5",
      "again",
      undefined,
    ]);
    expect(["again", "a5", "a1"].map((file) => stepFrom(rows, at(file), -1)?.file)).toEqual([
      "a5",
      "a1",
      undefined,
    ]);
  });
  it("lead to other keys at the same step", () => {
    expect(keyFrom(rows, at("a5"), 1)?.file).toBe("b2");
    expect(keyFrom(rows, at("a5"), -1)).toBeUndefined();
  });
  it("set the step before beside one, or the one after, or another key", () => {
    expect(["a5", "a1", "b2"].map((file) => besideFirst(rows, at(file))?.file)).toEqual(["a1", "a5", "a1"]);
    const alone = item("a", 1);
    expect(besideFirst(mediaRows([alone]), alone)).toBeUndefined();
  });
  it("find what another run has at or before the step, in the same place of it", () => {
    const other = mediaRows([item("a", 4, "x"), item("a", 4, "y"), item("a", 9, "z")]);
    expect(counterpart(other, rows, at("again"))?.file).toBe("y");
    expect(counterpart(other, rows, at("a1"))).toBeUndefined();
    expect(counterpart(other, rows, at("b2"))).toBeUndefined();
  });
});

describe("the viewer in the address", () => {
  it("comes back as it was", () => {
    const view = {
      run: "r1",
      file: "media/a.png",
      mode: "wipe" as const,
      besideRun: "r2",
      besideFile: "media/b.png",
      look: { scale: 2, x: 0.5, y: 0.25 },
      wipe: 0.3,
      strong: true,
    };
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(viewerMembers(view, "home")))
      if (value) query.set(name, value);
    expect(readViewer(query, "home")).toEqual(view);
  });
  it("is plain where nothing was chosen, and says nothing about the only run", () => {
    expect(readViewer(new URLSearchParams("image=x&view=odd&wipe=7"), "home")).toEqual({
      run: "home",
      file: "x",
      mode: "one",
      besideRun: "home",
      besideFile: "",
      look: FIT,
      wipe: 0.5,
      strong: false,
    });
    expect(viewerMembers({ run: "home", mode: "one", look: FIT }, "home")).toEqual({
      image_run: null,
      view: null,
      zoom: null,
    });
  });
});
