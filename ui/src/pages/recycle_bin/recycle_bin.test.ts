import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Api } from "../../api/client";
import { type BinRun, purgeRuns, readBin } from "../../api/recycle_bin";
import { Toasts } from "../../state/toasts.svelte";
import { en } from "../../text/en";
import { recycleBinTexts } from "../../text/recycle_bin";
import { BinDeeds } from "./bin_deeds";
import { found, nextOf, sorted, sortedBy, sortOf, sortText } from "./bin_rows";
import { binKey } from "./page_keys";

const run = (id: string, more: Partial<BinRun> = {}): BinRun => ({
  id,
  path: "cv/yolo",
  alias: null,
  createdAt: 1,
  deletedAt: 2,
  reason: "user_deleted",
  status: "finished",
  folder: "",
  ...more,
});
const ids = (runs: readonly BinRun[]): string => runs.map((one) => one.id).join("");

describe("the answer of a bin", () => {
  it("is read member by member, whatever another machine sends", () => {
    const sent = [
      { id: "a", path: 5, alias: "x", deleted_at: "soon", created_time: 3 },
      { path: "no id" },
      null,
    ];
    expect(readBin({ deleted_runs: sent })).toEqual([
      {
        id: "a",
        path: "",
        alias: "x",
        createdAt: 3,
        deletedAt: null,
        reason: "",
        status: "",
        folder: "",
      },
    ]);
    expect(readBin({ deleted_runs: "none" })).toEqual([]);
    expect(readBin(null)).toEqual([]);
  });
});

describe("deleted runs", () => {
  const runs = [
    run("a", { deletedAt: 5, alias: "Zed" }),
    run("b", { deletedAt: null, path: "nlp" }),
    run("c", { deletedAt: 9, status: "failed" }),
  ];

  it("stand newest deletion first, those without a time last either way", () => {
    expect(ids(sorted(runs, sortOf("")))).toBe("cab");
    expect(ids(sorted(runs, sortOf("deleted")))).toBe("acb");
  });

  it("sort by any column, words rising and moments falling at first", () => {
    expect(sortText(sortedBy(sortOf(""), "path"))).toBe("path");
    expect(sortText(sortedBy(sortOf("path"), "path"))).toBe("-path");
    expect(sortText(sortedBy(sortOf("path"), "deleted"))).toBe("");
    expect(ids(sorted(runs, sortOf("run")))).toBe("bca");
    expect(ids(sorted(runs, sortOf("-path")))).toBe("bca");
  });

  it("are found by every word in name, id, folder or state", () => {
    expect(ids(found(runs, "YOLO zed"))).toBe("a");
    expect(ids(found(runs, "failed"))).toBe("c");
    expect(found(runs, "  ")).toBe(runs);
  });

  it("hand the choice on to the next that stays, else to the last before", () => {
    expect(nextOf(runs, "a", new Set(["a", "b"]))).toBe("c");
    expect(nextOf(runs, "c", new Set(["c"]))).toBe("b");
    expect(nextOf(runs, "a", new Set(["a", "b", "c"]))).toBeNull();
  });
});

describe("keys", () => {
  const press = (key: string, init: KeyboardEventInit = {}) =>
    binKey(new KeyboardEvent("keydown", { key, ...init }));

  it("do deeds alone, and none together with Ctrl", () => {
    expect(["r", "R", "Delete", "/", "Escape", "x"].map((key) => press(key))).toEqual([
      "restore",
      "restore",
      "purge",
      "search",
      "clear",
      null,
    ]);
    expect(press("r", { ctrlKey: true })).toBeNull();
    expect([press("Backspace"), press("Backspace", { metaKey: true })]).toEqual([null, "purge"]);
  });
});

describe("deeds", () => {
  let sent: { path: string; body: { run_ids: string[]; dry_run?: boolean } }[];
  let reply: (path: string, ids: string[]) => Response;
  const toasts = new Toasts();
  const said = () => toasts.list.at(-1)?.text;
  const deeds = () =>
    new BinDeeds(
      new Api(),
      async () => {},
      toasts,
      () => en,
      () => recycleBinTexts.en,
    );
  const each = (named: string[], one: (id: string) => object) => ({
    results: Object.fromEntries(named.map((id) => [id, one(id)])),
    message: "",
  });
  const ok = (body: object) => new Response(JSON.stringify(body));

  beforeEach(() => {
    vi.useFakeTimers();
    sent = [];
    reply = (_, named) => ok(each(named, () => ({ success: true })));
    vi.stubGlobal("fetch", async (path: string, init: RequestInit) => {
      const body = JSON.parse(String(init.body));
      sent.push({ path, body });
      return reply(path, body.run_ids);
    });
  });
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  it("restore no more runs in a request than it may name, and offer the way back", async () => {
    const runs = Array.from({ length: 130 }, (_, at) => run(`r${at}`));
    expect((await deeds().restore(runs)).length).toBe(130);
    expect(sent.map((one) => one.body.run_ids.length)).toEqual([100, 30]);
    expect(said()).toBe("Restored 130 runs");
    toasts.list.at(-1)?.action?.run();
    await vi.waitFor(() => expect(said()).toBe("Moved 130 runs back to the recycle bin"));
    expect(sent.at(-1)?.path).toBe("/api/runs/soft-delete");
  });

  it("say what could not be restored, in the server's words", async () => {
    reply = (_, named) =>
      ok(
        each(named, (id) =>
          id === "a" ? { success: false, error: "its folder is taken" } : { success: true },
        ),
      );
    expect(await deeds().restore([run("a"), run("b")])).toEqual(["b"]);
    expect(said()).toBe("Restored 1 runs; 1 could not be restored: its folder is taken");
  });

  it("that fail as a whole change nothing and say so", async () => {
    reply = () => new Response(JSON.stringify({ detail: "read-only" }), { status: 409 });
    expect(await deeds().purge([run("a")])).toEqual([]);
    expect(said()).toBe("Not done: read-only");
  });

  it("sum up what deleting for good would do, fifty runs at a time", async () => {
    reply = (_, named) =>
      ok(
        each(named, (id) => ({
          success: id !== "r7",
          errors: id === "r7" ? ["locked"] : [],
          blobs_deleted: 2,
          outputs_deleted: 1,
          bytes_freed: 10,
          kept_assets: [{}],
        })),
      );
    const steps: number[] = [];
    const named = Array.from({ length: 60 }, (_, at) => `r${at}`);
    const sum = await purgeRuns(new Api(), named, true, undefined, (done) => steps.push(done));
    expect(sum).toMatchObject({ failed: 1, detail: "locked", files: 180, bytes: 600, kept: 60 });
    expect([sum.done.length, steps, sent.every((one) => one.body.dry_run)]).toEqual([59, [50, 60], true]);
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
    const chinese = new Map(sentences(recycleBinTexts.zh));
    for (const [place, sentence] of sentences(recycleBinTexts.en)) {
      expect(holes(chinese.get(place) ?? ""), place).toEqual(holes(sentence));
      expect(chinese.get(place), place).not.toBe(sentence);
    }
  });
});
