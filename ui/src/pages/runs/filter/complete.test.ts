import { describe, expect, it } from "vitest";
import { complete, completed } from "./complete";
import { gather } from "./known";
import type { Row } from "./terms";

const row = (members: Partial<Row>): Row => ({
  id: "a",
  path: null,
  alias: null,
  status: "finished",
  status_reason: null,
  created_at: null,
  started_at: null,
  ended_at: null,
  tags: [],
  best_metric_name: null,
  best_metric_value: null,
  best_metric_step: null,
  best_metric_mode: null,
  assets_count: 0,
  problem: null,
  last_write_at: null,
  ...members,
});

const known = gather(
  [
    row({ path: "cv/yolo", tags: ["base", "sweep 1"], best_metric_name: "loss", origin: { name: "gpu-1" } }),
    row({ path: "cv/yolo/v8", tags: ["baseline", "base"], best_metric_name: "loss" }),
    row({ path: "nlp", status: "failed", tags: ["base"], best_metric_name: "status" }),
  ],
  ["lr", "val acc"],
);

/** The suggestions where `|` stands. */
function at(marked: string): string[] {
  const caret = marked.indexOf("|");
  const query = marked.replace("|", "");
  return complete(query, caret, known)?.suggestions.map(({ insert }) => insert) ?? [];
}

describe("what the rows know", () => {
  it("is counted, the most frequent first", () => {
    expect([...known.tag]).toEqual([
      ["base", 3],
      ["sweep 1", 1],
      ["baseline", 1],
    ]);
    expect([...known.path]).toEqual([
      ["cv/yolo", 2],
      ["cv", 2],
      ["cv/yolo/v8", 1],
      ["nlp", 1],
    ]);
    expect([...known.host]).toEqual([["gpu-1", 1]]);
  });
});

describe("suggestions", () => {
  it.each([
    ["st|", ["status:", "started", '"status"']],
    ["-ta|", ["tag:"]],
    ["fail|", ["status:failed"]],
    ["ye|", []],
    ["los|", ["loss"]],
    ["loss|", ["loss<", "loss<=", "loss>", "loss>=", "loss=", "loss!="]],
    ["tag:|", ["base", '"sweep 1"', "baseline"]],
    ["tag:li|", ["baseline"]],
    ['tag:"sw|', ['"sweep 1"']],
    ["word tag:ba| more", ["base", "baseline"]],
    ["tag:base|", []],
    ["path:c|", ["cv/yolo/**", "cv/**", "cv/yolo/v8"]],
    ["path:cv|", []],
    ["path:cv/|", ["cv/yolo/**", "cv/yolo/v8"]],
    ["tag<|", []],
    ["started<|", ["today", "yesterday", "1d", "7d", "30d"]],
    ["loss<|", []],
    ["val|", ['"val acc"']],
    ['"val acc"|', ['"val acc"<', '"val acc"<=', '"val acc">', '"val acc">=', '"val acc"=', '"val acc"!=']],
    ["gpu|", ["host:gpu-1"]],
    ['"st|', []],
    ["not|", []],
  ])("at %s", (marked, suggestions) => {
    expect(at(marked)).toEqual(suggestions);
  });

  it("are all fields where nothing is typed", () => {
    const fields = ["name:", "tag:", "path:", "status:", "host:", "id:", "alias:"];
    const numbers = ["best", "started", "duration", "assets", "loss", '"status"', "lr", '"val acc"'];
    expect(at("|")).toEqual([...fields, ...numbers]);
    expect(at("a |")).toEqual([...fields, ...numbers]);
    expect(at("-|")).toEqual([...fields, ...numbers]);
  });

  it.each([
    ["word ta|", 0, "word tag:|"],
    ["-ta|", 0, "-tag:|"],
    ["tag:ba| more", 1, "tag:baseline |more"],
    ["tag:|", 1, 'tag:"sweep 1" |'],
    ["not st|", 0, "not status:|"],
  ])("taken at %s", (marked, which, after) => {
    const query = marked.replace("|", "");
    const completion = complete(query, marked.indexOf("|"), known);
    const suggestion = completion?.suggestions[which];
    if (!completion || !suggestion) throw new Error("nothing is suggested");
    const { query: text, caret } = completed(query, completion, suggestion);
    expect(`${text.slice(0, caret)}|${text.slice(caret)}`).toBe(after);
  });
});
