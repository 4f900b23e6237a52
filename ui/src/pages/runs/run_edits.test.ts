import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Api, here } from "../../api/client";
import type { ListedRun, RunSource } from "../../state/run_list.svelte";
import { Toasts } from "../../state/toasts.svelte";
import { en } from "../../text/en";
import { batches, RunEdits, tagsOf } from "./run_edits";

const run = (id: string, tags: string[] = [], api = here): ListedRun =>
  ({ id, key: id, alias: null, tags, origin: { api } }) as unknown as ListedRun;

interface Sent {
  method: string;
  path: string;
  body: { run_ids?: string[]; tags?: string[]; alias?: string };
}

let sent: Sent[];
let refuse: (sent: Sent) => string | null;

beforeEach(() => {
  sent = [];
  refuse = () => null;
  vi.stubGlobal("fetch", async (path: string, init: RequestInit) => {
    const one: Sent = { method: init.method ?? "", path, body: JSON.parse(String(init.body)) };
    sent.push(one);
    const fault = refuse(one);
    if (fault !== null) return new Response(JSON.stringify({ detail: fault }), { status: 400 });
    const results = Object.fromEntries(
      (one.body.run_ids ?? []).map((id) => [id, { success: id !== "bad", error: "run not found" }]),
    );
    return new Response(JSON.stringify({ results, message: "" }));
  });
});
afterEach(() => vi.unstubAllGlobals());

function made(): { edits: RunEdits; toasts: Toasts; refresh: ReturnType<typeof vi.fn> } {
  const refresh = vi.fn();
  const toasts = new Toasts();
  return { edits: new RunEdits({ refresh } as unknown as RunSource, toasts, () => en), toasts, refresh };
}

describe("deleting", () => {
  it("names at most a hundred runs in a request", async () => {
    const { edits, toasts } = made();
    const gone = await edits.softDelete(Array.from({ length: 250 }, (_, at) => run(`r${at}`)));
    expect(sent.map((one) => one.body.run_ids?.length)).toEqual([100, 100, 50]);
    expect(gone.length).toBe(250);
    expect(toasts.list[0]?.text).toBe("Deleted 250 runs");
  });

  it("offers undo for exactly the runs that are gone and says which fault stopped the others", async () => {
    const { edits, toasts, refresh } = made();
    expect(await edits.softDelete([run("a"), run("bad"), run("c")])).toEqual(["a", "c"]);
    const toast = toasts.list[0];
    expect(toast).toMatchObject({
      kind: "bad",
      text: "Deleted 2 runs; 1 could not be deleted: run not found",
    });
    toast?.action?.run();
    await vi.waitFor(() => expect(toasts.list.at(-1)?.text).toBe("Restored"));
    expect(sent.at(-1)).toMatchObject({ path: "/api/recycle-bin/restore", body: { run_ids: ["a", "c"] } });
    expect(refresh).toHaveBeenCalledTimes(2);
  });

  it("goes to the machine that each run lies on, and so does the way back", async () => {
    const { edits, toasts } = made();
    const far = new Api("/api/hosts/ab12cd34/at");
    const gone = await edits.softDelete([run("a"), run("b", [], far), run("c")]);
    expect(gone.sort()).toEqual(["a", "b", "c"]);
    const paths = sent.map((one) => [one.path, one.body.run_ids]);
    expect(paths).toEqual([
      ["/api/runs/soft-delete", ["a", "c"]],
      ["/api/hosts/ab12cd34/at/api/runs/soft-delete", ["b"]],
    ]);
    toasts.list[0]?.action?.run();
    await vi.waitFor(() => expect(sent.length).toBe(4));
    expect(sent[3]).toMatchObject({
      path: "/api/hosts/ab12cd34/at/api/recycle-bin/restore",
      body: { run_ids: ["b"] },
    });
  });

  it("says the server's sentence when the request is refused", async () => {
    const { edits, toasts } = made();
    refuse = () => "read-only file system";
    expect(await edits.softDelete([run("a")])).toEqual([]);
    expect(toasts.list[0]).toMatchObject({ kind: "bad", action: null });
    expect(toasts.list[0]?.text).toContain("read-only file system");
  });
});

describe("tags", () => {
  it("are read from a line in either language's commas", () => {
    expect(tagsOf(" a, b，a ,, c d ")).toEqual(["a", "b", "c d"]);
  });

  it("are added and removed on many runs, those that would not change are left alone", async () => {
    const { edits } = made();
    await edits.tag([run("a", ["x"]), run("b", ["y"]), run("c", ["x", "old"])], ["x"], ["old"]);
    const changes = Object.fromEntries(sent.map((one) => [one.path, one.body.tags]));
    expect(changes).toEqual({ "/api/runs/b": ["y", "x"], "/api/runs/c": ["x"] });
  });

  it("of one run are saved with its name; a fault comes back as words", async () => {
    const { edits } = made();
    expect(await edits.save(run("a"), "new name", ["t"])).toBeNull();
    expect(sent[0]).toMatchObject({
      method: "PATCH",
      path: "/api/runs/a",
      body: { alias: "new name", tags: ["t"] },
    });
    refuse = () => "Run not found";
    expect(await edits.save(run("a"), "x", [])).toBe("Run not found");
  });
});

it("splits into batches without a rest lost", () => {
  expect(batches([1, 2, 3], 2)).toEqual([[1, 2], [3]]);
  expect(batches([], 2)).toEqual([]);
});
