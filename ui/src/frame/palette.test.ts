import { expect, test } from "vitest";
import type { RunRow } from "../api/wire";
import { type Command, commandsThatFit, questionOf, runsThatFit, sectionsOf } from "./palette";

const run = (alias: string | null, id: string, path = "cv", tags: string[] = []): RunRow =>
  ({ id, alias, path, tags }) as unknown as RunRow;
const words = (typed: string) => questionOf(typed).words;
const command = (label: string): Command => ({ key: label, label, hint: "", run: () => {} });
const titles = { runs: "Runs", more: "More runs", page: "Here", actions: "Everywhere" };

test("runs are found by words of name, id, folder and tags, the closest names first", () => {
  const rows = [
    run("big-yolo", "r1"),
    run("other", "r2", "yolo/large"),
    run("yolo-2", "r3"),
    run("yolo", "r4"),
    run("bert", "r5", "nlp", ["yolo"]),
    run(null, "20260101_yolo"),
  ];
  const found = runsThatFit(rows, words("YOLO"));
  expect(found.rows.map(({ id }) => id)).toEqual(["r4", "r3", "r1", "20260101_yolo", "r2", "r5"]);
  expect(runsThatFit(rows, words("nlp yolo")).rows.map(({ id }) => id)).toEqual(["r5"]);
  expect(runsThatFit(rows, words("R3")).rows.map(({ id }) => id)).toEqual(["r3"]);
});

test("a run at the very end of a long list is found, and all that fit are counted", () => {
  const rows = Array.from({ length: 5_000 }, (_, at) => run(`run ${at}`, `id${at}`));
  const found = runsThatFit(rows, words("run"), 100);
  expect(found.rows.length).toBe(100);
  expect(found.count).toBe(5_000);
  expect(runsThatFit(rows, words("run 4999"), 100).rows.map(({ id }) => id)).toEqual(["id4999"]);
});

test("a command that begins with what was typed comes first", () => {
  const commands = [command("Theme: Dark"), command("Darken the rest"), command("Rows: Compact")];
  expect(commandsThatFit(commands, words("dark")).map(({ label }) => label)).toEqual([
    "Darken the rest",
    "Theme: Dark",
  ]);
  expect(commandsThatFit(commands, words("dark theme")).map(({ label }) => label)).toEqual(["Theme: Dark"]);
});

test("nothing typed: what can be done here, then everywhere, then the newest runs", () => {
  const offers = {
    page: [command("Delete")],
    everywhere: [command("Print")],
    runs: [command("yolo")],
    rest: null,
  };
  expect(sectionsOf(offers, questionOf(""), titles).map(({ key }) => key)).toEqual([
    "page",
    "actions",
    "runs",
  ]);
});

test("words: the closest runs, actions, the other runs, and the way to all of them", () => {
  const runs = Array.from({ length: 9 }, (_, at) => command(`yolo ${at}`));
  const offers = { page: [command("Open a yolo")], everywhere: [], runs, rest: command("All 1,000") };
  const sections = sectionsOf(offers, questionOf("yolo"), titles);
  expect(sections.map(({ key, commands }) => [key, commands.length])).toEqual([
    ["runs", 6],
    ["page", 1],
    ["more", 4],
  ]);
  expect(sections[2]?.commands.at(-1)?.label).toBe("All 1,000");
});

test("an action that begins with the words comes before the runs", () => {
  const offers = { page: [], everywhere: [command("Yolo all")], runs: [command("yolo")], rest: null };
  expect(sectionsOf(offers, questionOf("yolo"), titles).map(({ key }) => key)).toEqual(["actions", "runs"]);
});

test("> in front asks for actions only", () => {
  const offers = { page: [], everywhere: [command("Print")], runs: [command("print-run")], rest: null };
  expect(sectionsOf(offers, questionOf("> print"), titles).map(({ key }) => key)).toEqual(["actions"]);
});
