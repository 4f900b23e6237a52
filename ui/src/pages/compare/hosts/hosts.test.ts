import { describe, expect, it } from "vitest";
import { Api, type ApiError } from "../../../api/client";
import type { RunMetricsOfMany, SeriesAnswer, SeriesRequest } from "../../../api/wire";
import { ManyApi, NOT_REACHABLE } from "./many_api";
import { byMachine, groupsOf, keyOf, partsOf } from "./run_key";

describe("a run among those of several machines", () => {
  it.each([
    ["", "20260101_a"],
    ["ssh:gpu-03", "20260101_a"],
    ["recent:me@10.0.0.7:22", "x"],
    ["ssh:a/b", "x"],
  ])("of %s: %s", (machine, id) => expect(partsOf(keyOf(machine, id))).toEqual({ machine, id }));

  it("is asked of its machine, and means are those of one machine", () => {
    expect([...byMachine(["/a", "ssh:x/b", "/c"])]).toEqual([
      ["", ["a", "c"]],
      ["ssh:x", ["b"]],
    ]);
    expect(groupsOf([["/a"], ["ssh:x/b", "ssh:x/c"], []], "ssh:x")).toEqual([{ at: 1, runs: ["b", "c"] }]);
  });
});

/** A machine that writes down what it is asked. */
class Machine extends Api {
  asked: [string, unknown][] = [];
  constructor(readonly answer: (path: string, body: unknown) => unknown) {
    super();
  }
  override async call<Answer>(_: string, path: string, options: { body?: unknown } = {}): Promise<Answer> {
    this.asked.push([path, options.body]);
    return this.answer(path, options.body) as Answer;
  }
}

describe("questions to several machines", () => {
  const machineOf = (answer: (path: string, body: unknown) => unknown) => new Machine(answer);

  it("go to the machine of a run under its own id", async () => {
    const far = machineOf(() => "detail");
    const api = new ManyApi((machine) => (machine === "ssh:x" ? far : null));
    expect(await api.get(`/api/run-code/${encodeURIComponent("ssh:x/a b")}/file`, { path: "p" })).toBe(
      "detail",
    );
    expect(far.asked).toEqual([["/api/run-code/a%20b/file", undefined]]);
    await expect(api.get("/api/run-detail/ssh%3Aaway%2Fa")).rejects.toMatchObject({ code: NOT_REACHABLE });
  });

  it("about pictures and logs go there too, and a file has its address there", async () => {
    const far = machineOf(() => "answer");
    const reached = new ManyApi((machine) => (machine === "ssh:x" ? far : null));
    await reached.get("/api/run-images/ssh%3Ax%2Fa");
    await reached.get("/api/log-search/ssh%3Ax%2Fa", { pattern: "p" });
    expect(far.asked.map(([path]) => path)).toEqual(["/api/run-images/a", "/api/log-search/a"]);
    const at = new ManyApi((machine) => (machine === "ssh:x" ? new Api("/remote/7") : null));
    expect(at.address("/api/run-thumbnail/ssh%3Ax%2Fa", { file: "m/1.png", px: 9 })).toBe(
      "/remote/7/api/run-thumbnail/a?file=m%2F1.png&px=9",
    );
    expect(at.address("/api/run-file/ssh%3Aaway%2Fa", { file: "m/1.png" })).toBe("");
    expect([at.reaches("ssh:x/a"), at.reaches("ssh:away/a")]).toEqual([true, false]);
  });

  it("are put together, and a machine that is away costs only its own runs", async () => {
    const metrics = (_: string, body: unknown): RunMetricsOfMany => {
      const [run = "", ...missing] = (body as { runs: string[] }).runs;
      return { runs: [{ run } as RunMetricsOfMany["runs"][number]], missing };
    };
    const api = new ManyApi((machine) => (machine === "" ? machineOf(metrics) : null));
    const answer = await api.post<RunMetricsOfMany>("/api/run-metrics", { runs: ["/a", "/b", "ssh:x/c"] });
    expect(answer.runs.map(({ run }) => run)).toEqual(["/a"]);
    expect(answer.missing).toEqual(["/b"]);
    expect([...(answer.failed ?? [])].map(([key, error]) => [key, (error as ApiError).code])).toEqual([
      ["ssh:x/c", NOT_REACHABLE],
    ]);
  });

  it("about curves go on from each machine's cursor, and all begin anew where one does", async () => {
    let anew = false;
    const series = (name: string, renew: () => boolean) =>
      machineOf((_, body): SeriesAnswer => {
        const { runs, cursor, groups = [] } = body as SeriesRequest;
        const delta = cursor !== null && !renew();
        const own = runs.map((run) => ({ run, metric: "loss" }) as SeriesAnswer["series"][number]);
        const means = delta ? [] : groups.map((_, group) => ({ group, metric: "loss" }) as never);
        return { series: own, groups: means, cursor: `${name}1`, delta, live: name === "far" };
      });
    const near = series("near", () => false);
    const far = series("far", () => anew);
    const api = new ManyApi((machine) => (machine === "" ? near : far));
    const ask = (cursor: string | null) =>
      api.post<SeriesAnswer>("/api/series", {
        runs: ["/a", "ssh:x/a"],
        metrics: ["loss"],
        groups: [["ssh:x/b"], ["/b"]],
        cursor,
      });
    const first = await ask(null);
    expect(first.series.map(({ run }) => run)).toEqual(["/a", "ssh:x/a"]);
    expect(first.groups?.map(({ group }) => group)).toEqual([1, 0]);
    expect([first.delta, first.live]).toEqual([false, true]);
    expect(near.asked[0]?.[1]).toMatchObject({ runs: ["a"], groups: [["b"]], cursor: null });

    const second = await ask(first.cursor);
    expect(second.delta).toBe(true);
    expect(far.asked.at(-1)?.[1]).toMatchObject({ cursor: "far1" });
    anew = true;
    const third = await ask(second.cursor);
    expect(third.delta).toBe(false);
    expect(near.asked.at(-1)?.[1]).toMatchObject({ cursor: null });
  });

  it("about curves are asked again of the machine whose curves were reduced over a narrower x axis than the chart's", async () => {
    const drawn = (from: number, to: number, exact: boolean) =>
      machineOf((_, body): SeriesAnswer => {
        const { runs, metrics, extents = [], cursor } = body as SeriesRequest;
        const series = runs.flatMap((run) =>
          metrics.map(
            (metric) => ({ run, metric, x_from: from, x_to: to, exact }) as SeriesAnswer["series"][number],
          ),
        );
        return {
          series,
          groups: [],
          cursor: `over ${JSON.stringify(extents)}`,
          delta: cursor !== null,
          live: false,
        };
      });
    const short = drawn(0, 10, false);
    const long = drawn(5, 100, false);
    const few = drawn(0, 3, true);
    const machines: Record<string, Machine> = { "": short, "ssh:long": long, "ssh:few": few };
    const api = new ManyApi((machine) => machines[machine] ?? null);
    const request = { runs: ["/a", "ssh:long/b", "ssh:few/c"], metrics: ["loss"] };
    const first = await api.post<SeriesAnswer>("/api/series", { ...request, cursor: null });
    expect(first.series.map(({ run }) => run)).toEqual(request.runs);
    const axes = (machine: Machine) => machine.asked.map(([, body]) => (body as SeriesRequest).extents);
    expect([axes(short), axes(long), axes(few)]).toEqual([[[], [[0, 100]]], [[], [[0, 100]]], [[]]]);
    // What is added later is drawn over the same axis.
    await api.post<SeriesAnswer>("/api/series", { ...request, cursor: first.cursor });
    expect([axes(short).at(-1), axes(few).at(-1)]).toEqual([[[0, 100]], []]);
    // A window is its own axis.
    await api.post<SeriesAnswer>("/api/series", { ...request, from: 1, to: 2, cursor: null });
    expect(axes(short).length).toBe(4);
  });
});
