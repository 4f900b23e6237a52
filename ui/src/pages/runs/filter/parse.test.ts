import { describe, expect, it } from "vitest";
import { parse, quoted, unquoted, without } from "./parse";

const seen = (query: string) =>
  parse(query).terms.map(({ negated, field, name, sign, value }) => [negated, field ?? name, sign, value]);

describe("a search", () => {
  it("is cut into words, fields and comparisons", () => {
    expect(seen('yolo status:failed loss<0.2 lr>=1e-4 name:"two words" -tag:old not host:a')).toEqual([
      [false, "", "", "yolo"],
      [false, "status", ":", "failed"],
      [false, "loss", "<", "0.2"],
      [false, "lr", ">=", "1e-4"],
      [false, "name", ":", "two words"],
      [true, "tag", ":", "old"],
      [true, "host", ":", "a"],
    ]);
  });

  it.each([
    ["config:lr>1", "config:lr", ">", "1"],
    ["config:optimizer:adam", "config:optimizer", ":", "adam"],
    ["train/loss!=2", "train/loss", "!=", "2"],
    ["tag:lr=0.1", "tag", ":", "lr=0.1"],
    ['"a b":"c \\" d"', "a b", ":", 'c " d'],
    ["id:a:b", "id", ":", "a:b"],
    ["<b>", "", "", "<b>"],
  ])("%s has its sign at the right place", (query, name, sign, value) => {
    expect(seen(query)).toEqual([[false, name, sign, value]]);
  });

  it("knows where each term and its value stand", () => {
    const query = '  a -tag:"b c"  not x>1';
    const found = parse(query).terms.map((term) => [
      query.slice(term.from, term.to),
      query.slice(term.valueFrom, term.to),
    ]);
    expect(found).toEqual([
      ["a", "a"],
      ['-tag:"b c"', '"b c"'],
      ["not x>1", "1"],
    ]);
  });

  it("loses one term and keeps the others", () => {
    const query = 'a  -tag:"b c"  x>1';
    const terms = parse(query).terms;
    expect(terms.map((term) => without(query, term))).toEqual(['-tag:"b c"  x>1', "a x>1", 'a  -tag:"b c"']);
  });

  it.each(["plain", "two words", 'a "b"', "back\\slash x", ""])(
    "writes %s so that it is read again",
    (value) => {
      expect(unquoted(quoted(value))).toBe(value);
    },
  );
});
