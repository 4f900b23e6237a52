import { flushSync } from "svelte";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { SeenList } from "../api/hosts";
import type { Live, LiveFrame } from "../api/live.svelte";
import type { RunListAnswer, RunRow } from "../api/wire";
import { merged, newerFirst, RunList, type RunOrigin, rowsOf } from "./run_list.svelte";

const origin = { machine: "here" } as RunOrigin;

const row = (id: string, created_at: number | null, alias = ""): RunRow =>
  ({ id, created_at, alias }) as RunRow;

describe("rows of an answer", () => {
  it("are named by its fields, in whatever order they come", () => {
    const rows = rowsOf({ fields: ["alias", "id"], rows: [["x", "1"]] }, "here ", origin);
    expect(rows).toMatchObject([{ alias: "x", id: "1", key: "here 1", origin }]);
  });
});

describe("rows of a machine that sends anything", () => {
  it("are texts, numbers and lists of texts, or absent", () => {
    const fields = ["id", "alias", "tags", "created_at", "assets_count", "__proto__", "origin"];
    const rows: unknown[][] = [
      ["a", { toString: 1 }, ["x", 7, null], "yesterday", "many", { polluted: true }, { machine: "x" }],
      [7, "<img src=x onerror=alert(1)>", "no list", 5, 2, null, null],
    ];
    const [first, second] = rowsOf({ fields, rows }, "", origin);
    expect(first).toMatchObject({ id: "a", alias: null, tags: ["x"], created_at: null, assets_count: 0 });
    expect(first).not.toHaveProperty("polluted");
    expect(first?.origin).toBe(origin);
    expect(second).toMatchObject({ id: "", alias: "<img src=x onerror=alert(1)>", tags: [], created_at: 5 });
  });
});

describe("a partial answer", () => {
  const old = [row("c", 30), row("b", 20), row("a", 10)];

  it("replaces what changed in its place", () => {
    const rows = merged(old, [row("b", 20, "new")], []);
    expect(rows.map((one) => [one.id, one.alias])).toEqual([
      ["c", ""],
      ["b", "new"],
      ["a", ""],
    ]);
  });

  it("puts new runs where their time belongs and drops removed ones", () => {
    const rows = merged(old, [row("d", 40), row("x", 15), row("0", null)], ["b", "unknown"]);
    expect(rows.map((one) => one.id)).toEqual(["d", "c", "x", "a", "0"]);
  });

  it("ends in the order of a full answer", () => {
    const all = [row("a", 1), row("b", 1), row("c", 2), row("d", null)].sort(newerFirst);
    for (const left of all) {
      const others = all.filter((one) => one !== left);
      expect(merged(others, [left], [])).toEqual(all);
    }
  });
});

class FakeLive {
  state = "live";
  listeners = new Set<(frame: LiveFrame) => void>();
  listen(listener: (frame: LiveFrame) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
  tell(frame: LiveFrame): void {
    for (const listener of this.listeners) listener(frame);
  }
}

const storage = { root: "/r", state: "ok", detail: null, source: "files", sample: false, indexing: null };

function answer(members: Partial<RunListAnswer>): Response {
  const whole = {
    cursor: "1",
    full: true,
    storage: { ...storage, recent_roots: [] },
    fields: ["id", "created_at"],
  };
  return new Response(JSON.stringify({ ...whole, rows: [], removed: [], ...members }));
}

describe("the list", () => {
  let live: FakeLive;
  let list: RunList;
  let stop: () => void;
  const asked = vi.fn<(address: string) => Promise<Response>>();

  beforeEach(() => {
    live = new FakeLive();
    list = new RunList(live as unknown as Live);
    vi.stubGlobal("fetch", asked);
    asked.mockReset();
    stop = () => {};
  });
  afterEach(() => {
    stop();
    vi.unstubAllGlobals();
  });

  it("asks only for what changed after a live frame", async () => {
    asked.mockResolvedValueOnce(answer({ rows: [["a", 1]], cursor: "7" }));
    asked.mockResolvedValueOnce(answer({ full: false, rows: [["b", 2]], cursor: "8" }));
    stop = list.start();
    await vi.waitFor(() => expect(list.waiting).toBe(false));
    live.tell({ type: "runs", cursor: "8" });
    await vi.waitFor(() => expect(list.rows.map((one) => one.id)).toEqual(["b", "a"]));
    expect(asked.mock.calls.map(([address]) => address)).toEqual(["/api/run-list", "/api/run-list?since=7"]);
  });

  it("does not ask again for a cursor that it has", async () => {
    asked.mockResolvedValueOnce(answer({ cursor: "7" }));
    stop = list.start();
    await vi.waitFor(() => expect(list.waiting).toBe(false));
    live.tell({ type: "hello", cursor: "7" });
    live.tell({ type: "runs", cursor: "7" });
    expect(asked).toHaveBeenCalledTimes(1);
  });

  it("turns many frames during one fetch into one more fetch", async () => {
    let reply: (response: Response) => void = () => {};
    asked.mockImplementationOnce(() => new Promise((done) => (reply = done)));
    asked.mockImplementation(async () => answer({ full: false, cursor: "9" }));
    stop = list.start();
    for (const cursor of ["2", "3", "4"]) live.tell({ type: "runs", cursor });
    reply(answer({ cursor: "1" }));
    await vi.waitFor(() => expect(list.waiting).toBe(false));
    expect(asked).toHaveBeenCalledTimes(2);
  });

  it("shows the progress of indexing", async () => {
    asked.mockResolvedValueOnce(answer({}));
    stop = list.start();
    await vi.waitFor(() => expect(list.waiting).toBe(false));
    live.tell({ type: "indexing", done: 5, total: 10 });
    flushSync();
    expect(list.storage?.indexing).toEqual({ done: 5, total: 10 });
    live.tell({ type: "indexing", done: 10, total: 10 });
    expect(list.storage?.indexing).toBeNull();
  });

  it("keeps the rows when the server fails and says why", async () => {
    asked.mockResolvedValueOnce(answer({ rows: [["a", 1]] }));
    stop = list.start();
    await vi.waitFor(() => expect(list.waiting).toBe(false));
    asked.mockResolvedValueOnce(new Response(JSON.stringify({ detail: "disk gone" }), { status: 500 }));
    await list.refresh();
    expect(list.rows.length).toBe(1);
    expect(list.error).toMatchObject({ detail: "disk gone", status: 500 });
  });

  it("of a machine that does not answer is the last one that was seen, until it answers again", async () => {
    const seen = { answer: await answer({ rows: [["old", 1]] }).json(), age_secs: 90 } as SeenList;
    let up = false;
    const options = { machine: "ssh:a", among: true, isReachable: () => up, lastSeen: async () => seen };
    list = new RunList(live as unknown as Live, options);
    asked.mockResolvedValueOnce(new Response("{}", { status: 502 }));
    stop = list.start();
    await vi.waitFor(() => expect(list.error).toMatchObject({ status: 502 }));
    expect(list.rows.map((one) => [one.key, one.origin.isReachable])).toEqual([["ssh:a old", false]]);
    expect(Date.now() / 1000 - list.heardAtSecs).toBeGreaterThanOrEqual(90);
    up = true;
    asked.mockResolvedValueOnce(answer({ rows: [["new", 2]] }));
    await list.refresh();
    expect(list.rows.map((one) => one.id)).toEqual(["new"]);
    expect(list.error).toBeNull();
  });

  it("shows nothing of the old folder after a switch", async () => {
    asked.mockResolvedValueOnce(answer({ rows: [["a", 1]], cursor: "7" }));
    stop = list.start();
    await vi.waitFor(() => expect(list.waiting).toBe(false));
    asked.mockResolvedValueOnce(answer({ rows: [["z", 1]], cursor: "1" }));
    const done = list.switched();
    expect(list.rows).toEqual([]);
    await done;
    expect(list.rows.map((one) => one.id)).toEqual(["z"]);
    expect(asked.mock.calls.at(-1)?.[0]).toBe("/api/run-list");
  });
});
