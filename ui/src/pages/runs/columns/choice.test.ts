import { expect, test } from "vitest";
import { choiceOf, isSame, moved, movedTo, pinToggled, readChoice, toggled, writeChoice } from "./choice";

const keys = (text: string) => readChoice(text)?.map(({ key, pinned }) => (pinned ? `!${key}` : key));

test("a choice is read as it is written, whatever the names are", () => {
  const choice = [
    { key: "last:a,b", pinned: true },
    { key: "config:!x%2C", pinned: false },
    { key: "state", pinned: false },
  ];
  expect(readChoice(writeChoice(choice))).toEqual(choice);
});

test("nothing chosen is told apart from only the name", () => {
  expect(readChoice(null)).toBeNull();
  expect(readChoice("")).toBeNull();
  expect(readChoice(writeChoice([]))).toEqual([]);
});

test("pinned columns come first and each name counts once", () => {
  expect(keys("state,!last:loss,state,run,path")).toEqual(["!last:loss", "state", "path"]);
});

test("a broken escape and thousands of names do no harm", () => {
  expect(keys("a%E0%A4%A")).toEqual(["a%E0%A4%A"]);
  expect(keys(Array.from({ length: 5000 }, (_, at) => `m${at}`).join(","))).toHaveLength(60);
});

test("columns are added at the end, taken away, pinned and moved within their kind", () => {
  const start = choiceOf(["state", "best", "path"]);
  expect(writeChoice(toggled(start, "config:lr"))).toBe("state,best,path,config:lr");
  expect(writeChoice(toggled(start, "best"))).toBe("state,path");
  const pinned = pinToggled(start, "path");
  expect(writeChoice(pinned)).toBe("!path,state,best");
  expect(writeChoice(moved(pinned, "path", 1))).toBe("!path,state,best");
  expect(writeChoice(moved(pinned, "state", -1))).toBe("!path,state,best");
  expect(writeChoice(moved(pinned, "state", 1))).toBe("!path,best,state");
  expect(writeChoice(movedTo(start, "path", 0))).toBe("path,state,best");
  expect(isSame(pinToggled(pinned, "path"), choiceOf(["path", "state", "best"]))).toBe(true);
});
