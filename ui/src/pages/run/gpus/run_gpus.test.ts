import { afterEach, describe, expect, it, vi } from "vitest";
import { Api } from "../../../api/client";
import { type RunGpu, readRunGpus } from "../../../api/run_gpus";
import { Crosshair } from "../../../components/chart/crosshair.svelte";
import { CrossBridge } from "./cross_bridge";
import { lastOf, linesOf, toldOf } from "./gpu_lines";
import { RunClock } from "./run_clock.svelte";

function gpu(more: Partial<RunGpu> = {}): RunGpu {
  const nothing = [null, null, null];
  return {
    index: 1,
    uuid: "GPU-1",
    name: "NVIDIA H200",
    ts: [100, 160, 500],
    util_gpu: [10, null, 30],
    mem_used_pct: nothing,
    temp_c: nothing,
    power_w: nothing,
    ...more,
  };
}

describe("figures of GPUs", () => {
  it("are lines on the axis of the charts, broken where the viewer was not running", () => {
    const [line] = linesOf([gpu()], "util", 100);
    expect(line).toMatchObject({
      id: "GPU-1",
      label: "1 · H200",
      x: [0, 60, 230, 400],
      y: [10, null, null, 30],
    });
  });

  it("have charts only for what a card told, and the last that was told at their head", () => {
    expect(toldOf([gpu()])).toEqual(["util"]);
    expect(lastOf([gpu({ util_gpu: [10, 50, null] })], "util")).toBe(50);
    expect(lastOf([gpu()], "power")).toBeNull();
  });

  it("are read with care: lists of wrong length or type are as long as the times, and a card without times is none", () => {
    const answer = {
      chosen_by: "magic",
      reason: 5,
      gpus: [
        { index: 0, ts: [1, 2], util_gpu: [5, "x", 7], power_w: "loud" },
        { index: 1, ts: [1, "2"] },
        null,
      ],
    };
    const { chosenBy, reason, gpus } = readRunGpus(answer);
    expect([chosenBy, reason, gpus.length]).toEqual(["all", "", 1]);
    expect(gpus[0]).toMatchObject({ util_gpu: [5, null], power_w: [null, null], uuid: null, name: "" });
    expect(readRunGpus(null).gpus).toEqual([]);
  });
});

describe("the clock of a run", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });
  const asked: string[] = [];

  /** Rows 0 to 10 at the times 1000, 1001, 1004, …: the step squared. */
  function answering(): void {
    asked.length = 0;
    vi.stubGlobal("fetch", async (address: string) => {
      asked.push(address);
      const query = new URL(address, "http://viewer").searchParams;
      const time = query.get("time");
      const [x, at] = [query.get("x"), Number(query.get("at"))];
      const step = Math.min(
        10,
        Math.round(time === null ? (x === "step" ? at : Math.sqrt(at)) : Math.sqrt(Number(time) - 1000)),
      );
      return new Response(JSON.stringify({ x: x === "step" ? step : step * step, time: 1000 + step * step }));
    });
  }

  it("knows the first and the last row, and what stands between times and relative time", async () => {
    answering();
    const clock = new RunClock(new Api(), "r");
    expect(clock.shiftOf("relative_time")).toBeNull();
    await clock.load();
    expect(clock.span).toEqual({ from: 1000, to: 1100 });
    expect([clock.shiftOf("wall_time"), clock.shiftOf("relative_time"), clock.shiftOf("step")]).toEqual([
      0,
      1000,
      null,
    ]);
    asked.length = 0;
    expect([await clock.timeAt("relative_time", 25), await clock.placeAt("wall_time", 1025)]).toEqual([
      1025, 1025,
    ]);
    expect(asked).toEqual([]);
    expect([await clock.timeAt("step", 5), await clock.placeAt("step", 1025)]).toEqual([1025, 5]);
  });

  it("carries the cross-hair over to the other side, and never back", async () => {
    vi.useFakeTimers();
    answering();
    const clock = new RunClock(new Api(), "r");
    const [charts, times] = [new Crosshair(), new Crosshair()];
    const bridge = new CrossBridge(clock, charts, times);
    const pointer = Symbol("chart");
    charts.point(pointer, 3);
    bridge.follow("charts", "step");
    await vi.runAllTimersAsync();
    expect([times.x, times.owner === pointer]).toEqual([1009, false]);
    asked.length = 0;
    bridge.follow("times", "step");
    await vi.runAllTimersAsync();
    expect([asked, charts.x]).toEqual([[], 3]);
    charts.leave(pointer);
    bridge.follow("charts", "step");
    expect(times.x).toBeNull();
  });
});
