import { describe, expect, it } from "vitest";
import { boxOf, FIT, fullSize, lookMember, panBy, readLook, wheelFactor, zoomAt } from "./look";

const picture = { width: 200, height: 100 };
const stage = { width: 1000, height: 800 };

describe("a look at a picture", () => {
  it("fits and lies in the middle", () => {
    expect(boxOf(FIT, picture, stage)).toEqual({ left: 0, top: 150, width: 1000, height: 500 });
  });
  it("has one pixel on one pixel at full size", () => {
    expect(boxOf(fullSize(FIT), picture, stage)).toEqual({ left: 400, top: 350, width: 200, height: 100 });
  });
  it("keeps what is under the pointer there while zooming", () => {
    const at = { x: 250, y: 400 };
    const share = (look: typeof FIT) => {
      const box = boxOf(look, picture, stage);
      return [(at.x - box.left) / box.width, (at.y - box.top) / box.height];
    };
    const nearer = zoomAt(FIT, picture, stage, 2, at);
    const nearest = zoomAt(nearer, picture, stage, 1.7, at);
    expect(nearer.scale).toBe(10);
    for (const look of [nearer, nearest]) {
      expect(share(look)[0]).toBeCloseTo(0.25);
      expect(share(look)[1]).toBeCloseTo(0.5);
    }
  });
  it.each([1e9, 1e-9])("stays usable after a zoom by %s", (factor) => {
    const { scale } = zoomAt(FIT, picture, stage, factor, { x: 1, y: 1 });
    expect(scale).toBeGreaterThan(0.2);
    expect(scale).toBeLessThanOrEqual(64);
  });
  it("moves with the hand, never out of sight", () => {
    const look = { scale: 2, x: 0.5, y: 0.5 };
    expect(panBy(look, picture, { x: 100, y: -50 })).toEqual({ scale: 2, x: 0.25, y: 0.75 });
    expect(panBy(look, picture, { x: 9999, y: 0 }).x).toBe(0);
    expect(panBy(FIT, picture, { x: 9, y: 9 })).toEqual(FIT);
  });
  it("zooms in when the wheel turns away, alike in pixels and lines", () => {
    expect(wheelFactor(-100, 0, false)).toBeGreaterThan(1);
    expect(wheelFactor(48, 0, false)).toBe(wheelFactor(3, 1, false));
    expect(wheelFactor(1e9, 2, true)).toBeGreaterThan(0);
  });
  it("goes through the address", () => {
    const look = { scale: 2.5, x: 0.25, y: 0.125 };
    expect(readLook(lookMember(look) ?? "")).toEqual(look);
    expect(lookMember(FIT)).toBeNull();
  });
  it.each(["", "x", "0,0,0", "-1,0,0", "NaN,1,1", "1e99,0,0"])("takes %j as one that fits", (text) => {
    expect(readLook(text)).toEqual(FIT);
  });
  it("keeps shares within the picture, whatever an address says", () => {
    expect(readLook("2,7,oops")).toEqual({ scale: 2, x: 1, y: 0.5 });
  });
});
