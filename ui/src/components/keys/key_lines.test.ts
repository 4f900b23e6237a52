import { expect, test } from "vitest";
import { keyGroups } from "../../key_groups";
import { en } from "../../text/en";
import { zh } from "../../text/zh";
import { type GroupName, keyLines } from "./key_lines";

const all = Object.keys(keyGroups.groups) as GroupName[];

test.each([
  ["English", en],
  ["Chinese", zh],
] as const)("every declared key has a meaning in %s", (_, text) => {
  for (const name of all) {
    for (const { deed } of keyGroups.groups[name]) {
      expect(text.help.deeds[name]?.[deed], `${name}.${deed}`).toMatch(/\S/);
    }
  }
});

test("the help of a page begins with its own keys and ends with those of everywhere", () => {
  expect(keyGroups.ofPage("runs")).toEqual(["runs", "table", "everywhere"]);
  expect(keyGroups.ofPage(null)).toEqual(["everywhere"]);
});

test("a search keeps the lines that fit, by key or meaning, and no empty group", () => {
  const found = keyLines(keyGroups, all, en, "baseline");
  expect(found.map(({ name }) => name)).toContain("runs");
  expect(found.every(({ lines }) => lines.length > 0)).toBe(true);
  expect(keyLines(keyGroups, all, en, "nothing like this")).toEqual([]);
});
