import { expect, test } from "vitest";
import { shelvesOf } from "./shelves";

const names = (count: number): string[] => Array.from({ length: count }, (_, at) => `m${at}`);

test("every chart stands on one shelf, in its order, in whole rows", () => {
  const shelves = shelvesOf(names(50), 4, 0);
  expect(shelves.map(({ metrics }) => metrics.length)).toEqual([16, 16, 16, 2]);
  expect(shelves.flatMap(({ metrics }) => metrics)).toEqual(names(50));
});

test("the first charts of the page are made at once, those of later groups are not", () => {
  expect(shelvesOf(names(50), 4, 0).map(({ atOnce }) => atOnce)).toEqual([true, false, false, false]);
  expect(shelvesOf(names(8), 4, 8).map(({ atOnce }) => atOnce)).toEqual([true]);
  expect(shelvesOf(names(8), 4, 24).map(({ atOnce }) => atOnce)).toEqual([false]);
  expect(shelvesOf([], 4, 0)).toEqual([]);
});
