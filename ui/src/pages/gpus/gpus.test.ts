import { afterEach, describe, expect, it, vi } from "vitest";
import { Api } from "../../api/client";
import { type HostReading, type Minute, readTelemetry, type Telemetry } from "../../api/gpus";
import type { ListedRun } from "../../state/run_list.svelte";
import { gpusTexts } from "../../text/gpus";
import { ratesOf } from "./host_rates";
import { aliveRuns, ProcessRuns } from "./process_runs.svelte";
import { added, digestOf, joined, lineOf, nearest, type Point, pointsOf } from "./trend";

const minute = (ts: number, util: number, index = 0, uuid: string | null = null): Minute => ({
  ts,
  gpus: [{ index, uuid, util_gpu_percent: util, mem_used_mib: 50, mem_total_mib: 200 }],
});
const reading = (ts: number, util: number | null = 10): Telemetry => ({
  available: true,
  reason: "",
  ts,
  gpus: [{ index: 0, name: "H200", util_gpu: util, mem_used_mib: 100, mem_total_mib: 200, processes: [] }],
});
const point = (at: number, util: number | null, memory: number | null = null): Point => ({
  at,
  util,
  memory,
});

describe("an answer about GPUs", () => {
  it("has lists where an older viewer sends none", () => {
    expect(readTelemetry(null)).toEqual({ available: false, reason: "", ts: 0, gpus: [] });
    const bare = { available: true, ts: 1, gpus: [{ index: 0, name: "x" }] } as unknown as Telemetry;
    expect(readTelemetry(bare).gpus[0]?.processes).toEqual([]);
  });
});

describe("a trend", () => {
  it("takes minutes as far as there are no single readings, and nothing from before its time", () => {
    const points = pointsOf(
      { index: 0 },
      [minute(0, 1), minute(60, 2), minute(120, 3)],
      [reading(110), reading(130, 20)],
      60,
    );
    expect(points).toEqual([point(60, 2, 25), point(110, 10, 50), point(130, 20, 50)]);
  });

  it("follows a card by its uuid when numbers have changed", () => {
    const minutes = [minute(0, 1, 0, "GPU-b"), minute(60, 2, 1, "GPU-a")];
    expect(pointsOf({ index: 0, uuid: "GPU-a" }, minutes, [], 0)).toEqual([point(60, 2, 25)]);
  });

  it("is told only what came after the minutes that are known", () => {
    const known = [minute(0, 1), minute(60, 2)];
    expect(joined(known, [minute(60, 9), minute(120, 3)], 30)).toEqual([minute(60, 2), minute(120, 3)]);
    expect(joined([], [minute(60, 9)], 0)).toEqual([minute(60, 9)]);
  });

  const view = { from: 0, secs: 100, gap: 30, width: 100 };

  it("keeps the highest of a pixel column, so that no spike is lost", () => {
    expect(lineOf([point(10, 5), point(10.1, 99), point(10.2, 5), point(20, 50)], "util", view).line).toBe(
      "M10 1.0L20 50.0",
    );
  });

  it("breaks where nothing was measured and shows a lone point", () => {
    const { line, area } = lineOf([point(10, 0), point(20, 0), point(60, 100)], "util", view);
    expect(line).toBe("M10 100.0L20 100.0M60 0.0L61 0.0");
    expect(area.split("Z").length).toBe(3);
  });

  it("draws nothing for what is not told, and stays in its box", () => {
    expect(lineOf([point(10, null)], "util", view).line).toBe("");
    expect(lineOf([point(10, 140), point(20, -3)], "util", view).line).toBe("M10 0.0L20 100.0");
  });

  it("is summed up in words and read at a moment", () => {
    const points = [point(0, 10, 5), point(10, 30, 6), point(20, null, 7)];
    expect(digestOf(points)).toEqual({ last: null, mean: 20, high: 30, memory: 7 });
    expect(digestOf([])).toEqual({ last: null, mean: null, high: null, memory: null });
    expect(nearest(points, 12)?.at).toBe(10);
    expect(nearest([], 12)).toBeNull();
  });
});

describe("readings", () => {
  it("are added once, thinned evenly when there are many, and go after an hour", () => {
    let kept: readonly Telemetry[] = [];
    for (let ts = 1; ts <= 9; ts += 1) kept = added(kept, reading(ts), 8);
    expect(kept.map((one) => one.ts)).toEqual([1, 3, 5, 7, 9]);
    expect(added(kept, reading(9), 8)).toBe(kept);
    expect(added(kept, { ...reading(10), available: false }, 8)).toBe(kept);
    expect(added(kept, reading(3607), 8).map((one) => one.ts)).toEqual([9, 3607]);
  });
});

describe("rates of the disk", () => {
  const look = (ts: number, read_bytes: number, write_bytes: number): HostReading =>
    ({ ts, disk: { io: { read_bytes, write_bytes } } }) as unknown as HostReading;

  it("come from two looks and never from counters that began anew", () => {
    expect(ratesOf(look(10, 100, 0), look(12, 300, 50))).toEqual({ read: 100, write: 25 });
    expect(ratesOf(null, look(12, 300, 50))).toBeNull();
    expect(ratesOf(look(12, 300, 50), look(12, 300, 50))).toBeNull();
    expect(ratesOf(look(10, 300, 50), look(12, 0, 60))).toBeNull();
  });
});

describe("runs of processes", () => {
  const row = (id: string, more: object = {}): ListedRun =>
    ({
      id,
      alias: null,
      status: "running",
      status_reason: "process_alive",
      origin: { machine: "" },
      ...more,
    }) as ListedRun;
  afterEach(() => vi.unstubAllGlobals());

  it("are those whose process was seen alive on the machine that is shown", () => {
    const rows = [
      row("a"),
      row("b", { status_reason: "growing" }),
      row("c", { origin: { machine: "ssh:far" } }),
      row("d", { status: "finished" }),
    ];
    expect(aliveRuns(rows, "").map((one) => one.id)).toEqual(["a"]);
    expect(aliveRuns(rows, "ssh:far").map((one) => one.id)).toEqual(["c"]);
  });

  it("are asked once for their number, and forgotten when they end", async () => {
    const asked: string[] = [];
    vi.stubGlobal("fetch", async (path: string) => {
      asked.push(path);
      if (path.endsWith("b")) return new Response("{}", { status: 500 });
      return new Response(JSON.stringify({ meta: { pid: 42 } }));
    });
    const owners = new ProcessRuns(new Api());
    await owners.follow([row("a", { alias: "trains" }), row("b")]);
    expect([...owners.byPid]).toEqual([[42, { id: "a", name: "trains" }]]);
    await owners.follow([row("b")]);
    expect([asked.length, owners.byPid.size]).toEqual([2, 0]);
  });
});

describe("languages", () => {
  const sentences = (part: object, place = ""): [string, string][] =>
    Object.entries(part).flatMap(([name, inner]) =>
      typeof inner === "string"
        ? [[`${place}.${name}`, inner]]
        : sentences(inner as object, `${place}.${name}`),
    );
  const holes = (sentence: string) => [...new Set(sentence.match(/\{\w+\}/g))].sort();

  it("say the same things, with the same values to put in", () => {
    const chinese = new Map(sentences(gpusTexts.zh));
    for (const [place, sentence] of sentences(gpusTexts.en)) {
      expect(holes(chinese.get(place) ?? ""), place).toEqual(holes(sentence));
    }
  });
});
