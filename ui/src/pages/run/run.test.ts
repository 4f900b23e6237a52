import { describe, expect, it } from "vitest";
import type { RunDetail } from "../../api/wire";
import { counted } from "../../text/counted";
import { runTexts } from "../../text/run";
import { codeTree, openRows } from "./assets/code_tree";
import { fileNameOf, readAssets } from "./assets/run_assets";
import { readEnvironment, readPackage } from "./overview/environment";
import { configOf } from "./overview/run_config";
import { valueAt, valueRows } from "./overview/value_tree";
import { durationOf, reasonWords } from "./run_facts";
import { neighbours, readTab, writeTab } from "./view_state";

describe("the code tree", () => {
  const tree = codeTree([
    { path: "train.py", bytes: 10 },
    { path: "a/b/x.py", bytes: 1 },
    { path: "a/y.py", bytes: 2 },
    { path: "/abs//z.py", bytes: 3 },
    { path: "", bytes: 1 },
  ]);
  it("has folders first, with the size of what they hold", () => {
    expect(tree.map((node) => [node.name, node.bytes])).toEqual([
      ["a", 3],
      ["abs", 3],
      ["train.py", 10],
    ]);
  });
  it("shows what is open", () => {
    expect(openRows(tree, new Set(["a/"])).map(({ node, depth }) => `${depth}${node.name}`)).toEqual([
      "0a",
      "1b",
      "1y.py",
      "0abs",
      "0train.py",
    ]);
  });
  it("keeps names from an archive as names", () => {
    expect(codeTree([{ path: "../../etc/passwd", bytes: 1 }])[0]?.name).toBe("..");
    expect(codeTree([{ path: "__proto__/x", bytes: 1 }])[0]?.name).toBe("__proto__");
  });
});

describe("assets", () => {
  it("of any shape are read without a fault", () => {
    for (const value of [
      null,
      3,
      "x",
      [],
      { datasets: "no" },
      { datasets: [null, 1, "a", []] },
      { code: [] },
    ]) {
      expect(() => readAssets(value)).not.toThrow();
    }
  });
  it("say size and files wherever they stand", () => {
    const { datasets, outputs } = readAssets({
      datasets: [
        { name: "d", uri: { s3: "x" }, fingerprint: { total_size_bytes: 7, file_count: 2 }, saved: false },
      ],
      outputs: [
        {
          key: "k",
          kind: "file",
          fingerprint_kind: "stat",
          fingerprint: '{"size_bytes": 5}',
          archive_path: "/a/b",
        },
      ],
    });
    expect(datasets[0]).toMatchObject({
      from: '{"s3":"x"}',
      bytes: 7,
      files: 2,
      copy: null,
      fingerprint: "",
    });
    expect(outputs[0]).toMatchObject({ name: "k", bytes: 5, copy: "/a/b", fingerprint: "" });
  });
  it.each([
    ["../../etc/passwd", "passwd"],
    ["C:\\x\\evil.exe", "evil.exe"],
    ["a\u202egnp.sh", "agnp.sh"],
    ["...", "asset"],
    ["", "asset"],
    ["模型.pt", "模型.pt"],
  ])("%s is saved as %s", (name, saved) => expect(fileNameOf(name)).toBe(saved));
});

describe("a value as a tree", () => {
  const value = { lr: 0.1, opt: { name: "adam", betas: [0.9, 0.99] }, "a b": null, empty: {} };
  const paths = (closed: string[], search = "") =>
    valueRows(value, { closed: new Set(closed), search }).rows.map((row) => row.path);

  it("names each value as code would", () => {
    expect(paths([])).toEqual([
      "lr",
      "opt",
      "opt.name",
      "opt.betas",
      "opt.betas[0]",
      "opt.betas[1]",
      '["a b"]',
      "empty",
    ]);
  });
  it("folds", () => expect(paths(["opt"])).toEqual(["lr", "opt", '["a b"]', "empty"]));
  it("finds by path or value and shows the way there, folded or not", () => {
    expect(paths(["opt"], "adam")).toEqual(["opt", "opt.name"]);
    expect(paths([], "betas[1]")).toEqual(["opt", "opt.betas", "opt.betas[1]"]);
    expect(paths([], "nothing")).toEqual([]);
  });
  it("gives back what stands at a path", () => {
    expect(valueAt(value, "opt.betas[1]")).toBe(0.99);
    expect(valueAt(value, '["a b"]')).toBeNull();
    expect(valueAt(value, "opt")).toEqual(value.opt);
  });
  it("is bounded in depth and length", () => {
    let deep: unknown = 1;
    for (let i = 0; i < 5000; i += 1) deep = [deep];
    expect(valueRows({ deep }, { closed: new Set(), search: "" }).cut).toBe(true);
    expect(
      valueRows(Array(100_000).fill(1), { closed: new Set(), search: "" }).rows.length,
    ).toBeLessThanOrEqual(20_000);
  });
});

describe("the environment", () => {
  it.each([
    ["numpy==1.26.4", "numpy", "1.26.4"],
    ["numpy 1.26", "numpy", "1.26"],
    ["pkg @ file:///tmp/x", "pkg", "file:///tmp/x"],
    ["bare", "bare", ""],
  ])("%s", (text, name, version) => expect(readPackage(text)).toEqual({ name, version }));
  it("of any shape is read without a fault", () => {
    for (const value of [null, 1, [], { pip_packages: 3 }, { git_info: [] }, { env_variables: [1] }]) {
      expect(() => readEnvironment(value)).not.toThrow();
    }
  });
});

describe("the configuration", () => {
  const words = { args: "Arguments", extra: "Extra", files: "Files" };
  it("is the arguments alone when there is nothing else", () => {
    expect(configOf({ args: { lr: 1 }, extra: {}, config_files: [] }, words)).toEqual({ lr: 1 });
  });
  it("names its parts when there are several", () => {
    expect(configOf({ args: { lr: 1 }, extra: { a: 1 }, config_files: [] }, words)).toEqual({
      Arguments: { lr: 1 },
      Extra: { a: 1 },
    });
  });
  it("is nothing when nothing was recorded", () =>
    expect(configOf({ args: {}, extra: null, config_files: null }, words)).toBeNull());
});

describe("facts about a run", () => {
  const detail = (run: Partial<RunDetail["run"]>, deleted = false) =>
    ({
      run: {
        started_at: 100,
        created_at: 90,
        ended_at: null,
        last_write_at: 150,
        status: "running",
        status_reason: null,
        ...run,
      },
      deleted,
    }) as RunDetail;

  it("its duration runs while it runs", () => expect(durationOf(detail({}), 160)).toBe(60));
  it("its duration ends with it", () =>
    expect(durationOf(detail({ status: "finished", ended_at: 130 }), 999)).toBe(30));
  it("without an end it lasted to its last write", () =>
    expect(durationOf(detail({ status: "failed" }), 999)).toBe(50));
  it("without a start nobody knows", () =>
    expect(durationOf(detail({ started_at: null, created_at: null }), 1)).toBeNull());
  it("an unknown reason is shown as it came", () => {
    expect(reasonWords(detail({ status_reason: "process_gone" }), runTexts.en)).toBe(
      runTexts.en.reason.process_gone,
    );
    expect(reasonWords(detail({ status_reason: "moonlight" }), runTexts.en)).toBe("moonlight");
  });
});

describe("the view in the address", () => {
  it("names a tab only when it is not the first", () => {
    const query = new URLSearchParams("q=x");
    writeTab("logs", query);
    expect(query.toString()).toBe("q=x&tab=logs");
    expect(readTab(query)).toBe("logs");
    writeTab("charts", query);
    expect(query.toString()).toBe("q=x");
    expect(readTab(new URLSearchParams("tab=bogus"))).toBe("charts");
  });
  it("knows the runs beside this one", () => {
    expect(neighbours(["a", "b", "c"], "b")).toEqual({ before: "a", after: "c" });
    expect(neighbours(["a"], "a")).toEqual({ before: undefined, after: undefined });
    expect(neighbours([], "a")).toEqual({});
  });
});

describe("words", () => {
  it("tell one from many where the language does", () => {
    expect(counted("{n} line|{n} lines", 1)).toBe("1 line");
    expect(counted("{n} line|{n} lines", 0)).toBe("0 lines");
    expect(counted("{n} 行", 2)).toBe("2 行");
  });
  it("have the same holes in every language", () => {
    const holes = (value: unknown, path: string): [string, string][] =>
      typeof value === "string"
        ? [[path, [...new Set(value.match(/\{\w+\}/g) ?? [])].sort().join()]]
        : Object.entries(value as object).flatMap(([key, inner]) => holes(inner, `${path}.${key}`));
    expect(holes(runTexts.zh, "")).toEqual(holes(runTexts.en, ""));
  });
});
