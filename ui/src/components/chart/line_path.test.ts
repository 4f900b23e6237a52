import { describe, expect, it } from "vitest";
import { type Area, type Places, traceLine } from "./line_path";

const area: Area = { left: 0, top: 0, width: 100, height: 10 };

function trace(xs: number[], ys: Places, dot_px = 4) {
  const drawn: string[] = [];
  const word = (kind: string) => (x: number, y: number) => {
    drawn.push(`${kind} ${x} ${y}`);
  };
  const alone = traceLine({ moveTo: word("M"), lineTo: word("L") }, xs, ys, area, dot_px);
  return { drawn, alone };
}

describe("a line in pixels", () => {
  it("runs through the middle of the nearest pixels", () => {
    expect(trace([0, 0.104, 1], [0, 0.5, 1]).drawn).toEqual(["M 0.5 10.5", "L 10.5 5.5", "L 100.5 0.5"]);
  });

  it("reaches the lowest and the highest value of a column, whatever their order", () => {
    const { drawn } = trace([0, 0.5, 0.501, 0.502, 0.503, 1], [0.5, 0.5, 0.9, 0.1, 0.4, 0.5]);
    expect(drawn).toEqual([
      "M 0.5 5.5",
      "L 50.5 5.5",
      "L 50.5 1.5",
      "L 50.5 9.5",
      "L 50.5 6.5",
      "L 100.5 5.5",
    ]);
  });

  it("breaks at null and goes on over undefined", () => {
    const { drawn } = trace([0, 0.1, 0.2, 0.3, 0.4, 0.5], [1, undefined, 1, null, 1, 1]);
    expect(drawn).toEqual(["M 0.5 0.5", "L 20.5 0.5", "M 40.5 0.5", "L 50.5 0.5"]);
  });

  it("tells points that no line reaches, alone or on the same pixel", () => {
    expect(trace([0, 0.2, 0.4, 0.6, 0.601, 0.8, 1], [1, null, 0.5, null, 0.5, null, 1]).alone).toEqual([
      0, 2, 4, 6,
    ]);
    expect(trace([0.5, 0.501, 0.8], [0.5, 0.501, null])).toEqual({ drawn: [], alone: [1] });
    expect(trace([0.5], [0.5]).alone).toEqual([0]);
    expect(trace([0.5, 0.501], [0.5, 0.9]).alone).toEqual([]);
  });

  it("draws a pixel where a dot would cover others", () => {
    const ys = [1, 1, null, 0.5, null, 1, 1];
    const near = trace([0, 0.1, 0.11, 0.12, 0.15, 0.2, 0.3], ys);
    expect(near.alone).toEqual([]);
    expect(near.drawn).toEqual([
      "M 0.5 0.5",
      "L 10.5 0.5",
      "M 12 5.5",
      "L 13 5.5",
      "M 20.5 0.5",
      "L 30.5 0.5",
    ]);
    expect(trace([0, 0.1, 0.11, 0.15, 0.16, 0.2, 0.3], ys).alone).toEqual([3]);
  });

  it("cuts off what lies far outside without turning what is seen", () => {
    const { drawn } = trace([-1e5, 1e5], [-1e5, 1e5]);
    const [start = [], stop = []] = drawn.map((word) => word.split(" ").slice(1).map(Number));
    for (const [x = 0, y = 0] of [start, stop]) {
      expect(Math.abs(x)).toBeLessThan(1000);
      // On the diagonal of the area.
      expect(y - 0.5).toBeCloseTo(10 - (x - 0.5) / 10, 6);
    }
  });

  it("draws nothing of a line that stays far away, and goes on where it comes back", () => {
    expect(trace([0, 0.5, 1], [1e9, 1e300, 1e9]).drawn).toEqual([]);
    const back = trace([0, 0.5, 1], [0.5, 1e300, 0.5]).drawn;
    expect(back[0]).toBe("M 0.5 5.5");
    expect(back.filter((word) => word.startsWith("M"))).toHaveLength(2);
    expect(back.at(-1)).toBe("L 100.5 5.5");
  });
});
