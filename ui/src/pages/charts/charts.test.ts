import { describe, expect, it, vi } from "vitest";
import type { GroupSeries, Series, SeriesAnswer, SeriesRequest } from "../../api/wire";
import { axisKind, type ChartOptions, DEFAULT_OPTIONS, optionMembers, readOptions } from "./chart_options";
import { appendPoints, type Points } from "./delta";
import { fitColumns } from "./fit_columns";
import { groupMetrics, leafOf, prefixOf, searchMetrics } from "./grouping";
import { SeriesFeed } from "./series_feed.svelte";

const points = (x: number[], y: (number | null)[] = x, more: Partial<Points> = {}): Points => ({
  x,
  y,
  smooth: null,
  nonFinite: [],
  ...more,
});

describe("new points", () => {
  it("are appended when time goes on", () => {
    expect(appendPoints(points([1, 2]), points([3])).x).toEqual([1, 2, 3]);
  });
  it("that went back stand in x order, after older ones of the same step", () => {
    const joined = appendPoints(points([1, 2, 3], [10, 20, 30]), points([2, 4], [99, 40]));
    expect(joined.x).toEqual([1, 2, 2, 3, 4]);
    expect(joined.y).toEqual([10, 20, 99, 30, 40]);
  });
  it("bring their smoothed values along", () => {
    const joined = appendPoints(points([1], [1], { smooth: [1] }), points([2], [2], { smooth: [1.5] }));
    expect(joined.smooth).toEqual([1, 1.5]);
  });
  it("that are NaN only lengthen the list of marks", () => {
    const joined = appendPoints(
      points([1], [1], { nonFinite: [[1, "inf"]] }),
      points([], [], { nonFinite: [[0, "nan"]] }),
    );
    expect(joined).toEqual(
      points([1], [1], {
        nonFinite: [
          [0, "nan"],
          [1, "inf"],
        ],
      }),
    );
  });
  it("of no number change nothing", () => {
    const old = points([1]);
    expect(appendPoints(old, points([]))).toBe(old);
  });
});

describe("groups of charts", () => {
  it.each([
    ["loss", "", "loss"],
    ["train/loss", "train", "loss"],
    ["layers/0/norm", "layers", "0/norm"],
    ["/loss", "", "/loss"],
    ["loss/", "", "loss/"],
  ])("%s", (metric, prefix, leaf) => expect([prefixOf(metric), leafOf(metric)]).toEqual([prefix, leaf]));

  it("stand in a natural order, names without a prefix first", () => {
    expect(groupMetrics(["val/b", "layers/10", "layers/9", "loss", "val/a"])).toEqual([
      { prefix: "", metrics: ["loss"] },
      { prefix: "layers", metrics: ["layers/9", "layers/10"] },
      { prefix: "val", metrics: ["val/a", "val/b"] },
    ]);
  });

  it("are searched by words, or by a regex between slashes", () => {
    const all = ["train/loss", "val/loss", "val/acc"];
    expect(searchMetrics(all, "VAL lo").found).toEqual(["val/loss"]);
    expect(searchMetrics(all, "/^val/").found).toEqual(["val/loss", "val/acc"]);
    expect(searchMetrics(all, "").found).toEqual(all);
    expect(searchMetrics(all, "/(/")).toEqual({ found: [], problem: true });
  });
});

describe("options in the address", () => {
  const options: ChartOptions = {
    x: "metric:train/epoch",
    logX: true,
    logY: true,
    range: "robust",
    smoothing: { kind: "gaussian", amount: 12.5 },
    columns: 3,
    size: "large",
    search: "a b&c",
    window: { from: -1.5, to: 1e21 },
    full: "train/loss",
    folded: ["gpu", ""],
  };
  const written = (of: ChartOptions) =>
    new URLSearchParams(
      Object.entries(optionMembers(of)).filter((member): member is [string, string] => member[1] !== null),
    );
  it("come back as they were written", () => {
    expect(readOptions(new URLSearchParams(written(options).toString()))).toEqual(options);
  });
  it("at their defaults leave no trace", () => {
    expect(written(DEFAULT_OPTIONS).toString()).toBe("");
  });
  it.each([
    "x=bogus",
    "range=narrow",
    "smooth=ema",
    "smooth=magic:1",
    "smooth=ema:",
    "smooth=ema:NaN",
    "from=5&to=1",
    "from=1",
    "from=a&to=b",
    "cols=-4",
    "size=vast",
    "from=&to=",
    "fold=.%E0%A4%A",
    "fold=x",
  ])("%s is as if it were not there", (text) => {
    expect(readOptions(new URLSearchParams(text))).toEqual(DEFAULT_OPTIONS);
  });
  it("keep an amount within its range", () => {
    expect(readOptions(new URLSearchParams("smooth=ema:7")).smoothing?.amount).toBe(0.999);
  });
  it("know what the numbers of an axis mean", () => {
    expect(["step", "relative_step", "wall_time", "relative_time", "metric:x"].map(axisKind)).toEqual([
      "step",
      "step",
      "time",
      "duration",
      "number",
    ]);
  });
});

describe("charts in a row", () => {
  it.each<[string, number, number[], number]>([
    ["as many as fit", 1100, [9], 3],
    ["one more where pairs would leave holes", 1310, [1, 1, 2, 2], 4],
    ["never narrower than can be read", 1100, [1, 1, 2, 2], 3],
    ["no thought for many charts", 1310, [100, 2, 2], 3],
    ["one on the narrowest page", 200, [5], 1],
  ])("%s", (_, width, sizes, columns) => expect(fitColumns(width, 360, sizes)).toBe(columns));
});

describe("the feed of the charts on screen", () => {
  const series = (metric: string, x: number[]): Series => ({
    run: "r",
    metric,
    points: x.length,
    x_from: 0,
    x_to: 9,
    x,
    y: x,
    smooth: null,
    non_finite: [],
    non_finite_points: 0,
    exact: true,
    last: null,
    problem: null,
  });
  const query = { x: "step", logX: false, window: null, smoothing: null, width_px: 400 };

  function setUp(answer: (request: SeriesRequest, call: number) => SeriesAnswer) {
    const requests: SeriesRequest[] = [];
    const ask = vi.fn(async (request: SeriesRequest) => {
      requests.push(request);
      return answer(request, requests.length);
    });
    return { requests, feed: new SeriesFeed(["r"], query, ask, String) };
  }
  const full = (request: SeriesRequest): SeriesAnswer => ({
    series: request.metrics.map((metric) => series(metric, [1, 2])),
    cursor: "c1",
    delta: false,
    live: true,
  });

  it("gathers what becomes visible into one request, and asks for nothing else", async () => {
    const { requests, feed } = setUp(full);
    feed.show("a");
    feed.show("b");
    feed.show("c")();
    await vi.waitFor(() => expect(feed.charts.get("b")?.curve?.x).toEqual([1, 2]));
    expect(requests.map((request) => request.metrics)).toEqual([["a", "b"]]);
    expect(requests[0]?.cursor).toBeNull();
    feed.stop();
  });

  it("asks for thousands of charts in pieces", async () => {
    const { requests, feed } = setUp(full);
    for (let i = 0; i < 100; i += 1) feed.show(`m${i}`);
    await vi.waitFor(() => expect(feed.charts.size).toBe(100));
    expect(requests.map((request) => request.metrics.length)).toEqual([32, 32, 32, 4]);
  });

  const reduced = (request: SeriesRequest): SeriesAnswer => ({
    series: request.metrics.map((metric) => ({ ...series(metric, [1, 2]), exact: false })),
    cursor: "c1",
    delta: false,
    live: true,
  });

  it("asks again for the pixel columns that a chart is drawn over, once its size stands still", async () => {
    const { requests, feed } = setUp(reduced);
    feed.show("a");
    feed.show("b");
    await vi.waitFor(() => expect(feed.charts.has("b")).toBe(true));
    feed.fit("a", 400);
    feed.fit("b", 350);
    feed.fit("b", 391.2);
    await vi.waitFor(() => expect(requests).toHaveLength(2));
    expect(requests.map(({ metrics, width_px }) => [metrics, width_px])).toEqual([
      [["a", "b"], 400],
      [["b"], 391],
    ]);
    feed.look({ ...query, window: { from: 1, to: 2 } });
    await vi.waitFor(() => expect(requests).toHaveLength(4));
    expect(requests.slice(2).map(({ metrics, width_px }) => [metrics, width_px])).toEqual([
      [["a"], 400],
      [["b"], 391],
    ]);
    feed.stop();
  });

  it("does not ask again where every point is at hand, whatever the width", async () => {
    const { requests, feed } = setUp((request) =>
      request.metrics[0] === "b" ? reduced(request) : full(request),
    );
    feed.show("a");
    await vi.waitFor(() => expect(feed.charts.has("a")).toBe(true));
    feed.fit("a", 123);
    feed.show("b");
    await vi.waitFor(() => expect(feed.charts.has("b")).toBe(true));
    feed.fit("b", 456);
    await vi.waitFor(() => expect(requests).toHaveLength(3));
    expect(requests[2]?.metrics).toEqual(["b"]);
    feed.stop();
  });

  it("asks for the width that became known while the first answer was on its way", async () => {
    const { requests, feed } = setUp(reduced);
    feed.show("a");
    await vi.waitFor(() => expect(requests).toHaveLength(1));
    feed.fit("a", 777);
    await vi.waitFor(() => expect(requests).toHaveLength(2));
    expect(requests[1]?.width_px).toBe(777);
    feed.stop();
  });

  it("appends what a growing run added, by its cursor", async () => {
    const { requests, feed } = setUp((request, call) =>
      call === 1 ? full(request) : { series: [series("a", [3])], cursor: "c2", delta: true, live: true },
    );
    feed.show("a");
    await vi.waitFor(() => expect(feed.charts.has("a")).toBe(true));
    await feed.grew();
    expect(requests[1]?.cursor).toBe("c1");
    expect(feed.charts.get("a")?.curve?.x).toEqual([1, 2, 3]);
    await feed.grew();
    expect(requests[2]?.cursor).toBe("c2");
  });

  it("goes on with the very question that a cursor answered, though a part of it has left the screen", async () => {
    const { requests, feed } = setUp((request, call) =>
      call === 1 ? full(request) : { series: [], cursor: "c2", delta: true, live: true },
    );
    feed.show("a");
    const leave = feed.show("b");
    await vi.waitFor(() => expect(feed.charts.has("b")).toBe(true));
    leave();
    await feed.grew();
    expect(requests[1]?.metrics).toEqual(["a", "b"]);
  });

  it("takes a full answer instead of an update as it is", async () => {
    const { feed } = setUp((request, call) =>
      call === 1 ? full(request) : { series: [series("a", [7])], cursor: "c2", delta: false, live: true },
    );
    feed.show("a");
    await vi.waitFor(() => expect(feed.charts.has("a")).toBe(true));
    await feed.grew();
    expect(feed.charts.get("a")?.curve?.x).toEqual([7]);
  });

  it("keeps the old picture while a zoom is fetched", async () => {
    const { requests, feed } = setUp(full);
    feed.show("a");
    await vi.waitFor(() => expect(feed.charts.has("a")).toBe(true));
    feed.look({ ...query, window: { from: 1, to: 2 } });
    expect(feed.charts.get("a")?.curve?.x).toEqual([1, 2]);
    await vi.waitFor(() => expect(requests).toHaveLength(2));
    expect([requests[1]?.from, requests[1]?.to, requests[1]?.cursor]).toEqual([1, 2, null]);
  });

  it("drops the answer to a question that is no longer asked", async () => {
    let release: (answer: SeriesAnswer) => void = () => {};
    let asked = false;
    const { feed } = setUp(full);
    const slow = new SeriesFeed(
      ["r"],
      query,
      (request) =>
        request.from === null
          ? new Promise((done) => {
              asked = true;
              release = done;
            })
          : Promise.resolve(full(request)),
      String,
    );
    slow.show("a");
    await vi.waitFor(() => expect(asked).toBe(true));
    slow.look({ ...query, window: { from: 0, to: 1 } });
    await vi.waitFor(() => expect(slow.charts.has("a")).toBe(true));
    release({ series: [series("a", [99])], cursor: "old", delta: false, live: true });
    await Promise.resolve();
    expect(slow.charts.get("a")?.curve?.x).toEqual([1, 2]);
    feed.stop();
  });

  it("holds a curve of each of several runs, and appends to those that grew", async () => {
    const requests: SeriesRequest[] = [];
    const of = (run: string, x: number[]): Series => ({ ...series("a", x), run });
    const feed = new SeriesFeed(
      ["r", "s"],
      query,
      async (request) => {
        requests.push(request);
        const delta = request.cursor !== null;
        const answer = delta
          ? [{ ...of("r", []), points: 2 }, of("s", [3])]
          : [of("s", [1]), of("r", [1, 2])];
        return { series: answer, cursor: "c", delta, live: true };
      },
      String,
    );
    feed.show("a");
    await vi.waitFor(() => expect(feed.charts.has("a")).toBe(true));
    const first = feed.charts.get("a")?.curves ?? [];
    expect(first.map((curve) => curve?.x)).toEqual([[1, 2], [1]]);
    expect(requests[0]?.runs).toEqual(["r", "s"]);
    await feed.grew();
    const second = feed.charts.get("a")?.curves ?? [];
    expect(second.map((curve) => curve?.x)).toEqual([
      [1, 2],
      [1, 3],
    ]);
    // The very same curve: nothing of it needs to be drawn anew.
    expect(second[0]).toBe(first[0]);
  });

  it("asks anew for the runs that are drawn, unless every point of theirs is at hand", async () => {
    const requests: SeriesRequest[] = [];
    let exact = true;
    const ask = async (request: SeriesRequest) => {
      requests.push(request);
      const of = (run: string): Series => ({ ...series("a", run === "s" ? [1, 99] : [1, 2]), run, exact });
      return { series: request.runs.map(of), cursor: "c", delta: false, live: false };
    };
    const held = (feed: SeriesFeed) => feed.charts.get("a")?.curves.map((curve) => curve?.x ?? null);
    const few = new SeriesFeed(["r", "s"], query, ask, String);
    few.show("a");
    await vi.waitFor(() => expect(few.charts.has("a")).toBe(true));
    exact = false;
    const many = new SeriesFeed(["r", "s"], query, ask, String);
    many.show("a");
    await vi.waitFor(() => expect(many.charts.has("a")).toBe(true));
    few.look({ ...query, drawn: ["r"] });
    many.look({ ...query, drawn: ["r"] });
    await vi.waitFor(() => expect(held(many)).toEqual([[1, 2], null]));
    expect(requests.map(({ runs }) => runs)).toEqual([["r", "s"], ["r", "s"], ["r"]]);
    expect(held(few)).toEqual([
      [1, 2],
      [1, 99],
    ]);
    // One more that is drawn is asked about.
    many.look({ ...query, drawn: ["r", "s"] });
    await vi.waitFor(() => expect(requests.at(-1)?.runs).toEqual(["r", "s"]));
    few.stop();
    many.stop();
  });

  it("asks for fewer charts at once when there are many runs", async () => {
    const runs = Array.from({ length: 60 }, (_, i) => `r${i}`);
    const asked: number[] = [];
    const feed = new SeriesFeed(
      runs,
      query,
      async (request) => {
        asked.push(request.metrics.length);
        return { series: [], cursor: "c", delta: false, live: false };
      },
      String,
    );
    for (let i = 0; i < 5; i += 1) feed.show(`m${i}`);
    await vi.waitFor(() => expect(feed.charts.size).toBe(5));
    expect(asked).toEqual([2, 2, 1]);
  });

  it("says why a chart has nothing, and tries again when asked", async () => {
    let broken = true;
    const feed = new SeriesFeed(
      ["r"],
      query,
      async (request) => {
        if (broken) throw new Error("disk on fire");
        return full(request);
      },
      String,
    );
    feed.show("a");
    await vi.waitFor(() => expect(feed.charts.get("a")?.failure).toBe("Error: disk on fire"));
    broken = false;
    feed.retry("a");
    await vi.waitFor(() => expect(feed.charts.get("a")?.curve?.x).toEqual([1, 2]));
    expect(feed.charts.get("a")?.failure).toBeNull();
  });

  it("fetches anew once updates have made a curve much longer than the screen is wide", async () => {
    const { requests, feed } = setUp((request, call) =>
      call === 2
        ? {
            series: [
              series(
                "a",
                Array.from({ length: 4000 }, (_, i) => i + 3),
              ),
            ],
            cursor: "c2",
            delta: true,
            live: true,
          }
        : full(request),
    );
    feed.show("a");
    await vi.waitFor(() => expect(feed.charts.has("a")).toBe(true));
    await feed.grew();
    await vi.waitFor(() => expect(requests).toHaveLength(3));
    expect(requests[2]?.cursor).toBeNull();
  });

  it("asks for the means of groups, keeps them by their keys, and asks for runs only where they are wanted", async () => {
    const requests: SeriesRequest[] = [];
    const mean = {
      ...({ points: 1, x_from: 1, x_to: 1, smooth: null, non_finite: [], non_finite_points: 0 } as const),
      ...({ exact: true, last: null, problem: null, runs: 2, low: [1], high: [5], x: [1], y: [3] } as const),
    };
    const feed = new SeriesFeed(
      ["r1", "r2"],
      {
        ...{ x: "step", logX: false, window: null, smoothing: null, width_px: 100 },
        means: { groups: [{ key: "=a", runs: ["r1", "r2"] }], band: "range", each: false },
      },
      (request) => {
        requests.push(request);
        const groups = [{ ...mean, group: 0, metric: "loss" }] as unknown as GroupSeries[];
        const delta = request.cursor !== null;
        return Promise.resolve({ series: [], groups: delta ? [] : groups, cursor: "c", delta, live: true });
      },
      String,
    );
    feed.show("loss");
    await vi.waitFor(() => expect(feed.charts.has("loss")).toBe(true));
    expect(requests[0]).toMatchObject({ runs: [], groups: [["r1", "r2"]], band: "range" });
    expect(feed.charts.get("loss")?.means.get("=a")).toMatchObject({ y: [3], low: [1], high: [5], runs: 2 });
    await feed.grew();
    expect(feed.charts.get("loss")?.means.get("=a")?.y).toEqual([3]);
    feed.stop();
  });
});
