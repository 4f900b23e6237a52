import { describe, expect, it } from "vitest";
import { type Asset, readAssetList } from "../../api/assets";
import { assetsTexts } from "../../text/assets";
import { listedAs } from "../run/assets/run_assets";
import {
  found,
  readKind,
  runOf,
  runsOf,
  sameContent,
  sorted,
  sortedBy,
  sortOf,
  sortText,
  versionsOf,
} from "./asset_rows";

const hash = (letter: string): string => letter.repeat(64);

function asset(id: string, more: Partial<Asset> = {}): Asset {
  return {
    id,
    kind: "dataset",
    name: id,
    fingerprint: "",
    source: "",
    about: "",
    bytes: null,
    files: null,
    copy: "none",
    copyOf: null,
    madeBy: [],
    usedBy: [],
    firstAt: null,
    lastAt: null,
    ...more,
  };
}

const ids = (assets: readonly Asset[]): string => assets.map(({ id }) => id).join("");

describe("an answer", () => {
  it("names the runs of its rows, and has what it lacks as unknown", () => {
    const list = readAssetList({
      runs: ["r1", "r2"],
      fields: ["kind", "id", "used_by", "copy_run", "copy_path", "copy", "bytes"],
      rows: [["dataset", "x", [1, 0, 7], 1, "/a", "kept", 5]],
    });
    expect(list.assets[0]).toMatchObject({
      usedBy: ["r2", "r1"],
      copyOf: { run: "r2", path: "/a" },
      bytes: 5,
      name: "",
      lastAt: null,
    });
    expect(list.totals.storedBytes).toBe(0);
  });

  it("of any other shape has no assets", () => {
    for (const odd of [
      null,
      5,
      [],
      { rows: {} },
      { rows: [null, 5, ["x"]], fields: 5 },
      { fields: ["kind", "id"], rows: [["spell", "x"]] },
    ]) {
      expect(readAssetList(odd).assets).toEqual([]);
    }
  });
});

describe("assets", () => {
  it("sort by any column, what has no value last, and equal ones by name", () => {
    const all = [
      asset("a", { bytes: 5, lastAt: 1 }),
      asset("b", { bytes: null, lastAt: 3 }),
      asset("c", { bytes: 9, lastAt: 3 }),
    ];
    expect(ids(sorted(all, sortOf("")))).toBe("bca");
    expect(ids(sorted(all, sortOf("size")))).toBe("acb");
    expect(ids(sorted(all, sortOf("-size")))).toBe("cab");
    expect(sortText(sortedBy(sortOf(""), "size"))).toBe("-size");
    expect(sortText(sortedBy(sortOf("-size"), "size"))).toBe("size");
    expect(sortText(sortedBy(sortOf("name"), "last"))).toBe("");
  });

  it("are found by kind and by every word in name, source, fingerprint or description", () => {
    const all = [
      asset("a", { source: "/Data/Cats", fingerprint: hash("a") }),
      asset("b", { kind: "code", about: "cats" }),
    ];
    expect(ids(found(all, "", "CATS"))).toBe("ab");
    expect(ids(found(all, "dataset", "cats aaaa"))).toBe("a");
    expect(found(all, "", " ")).toBe(all);
    expect([readKind("code"), readKind("spell")]).toEqual(["code", ""]);
  });

  it("have versions by kind and name, and code by its folder as well", () => {
    const all = [
      asset("a", { name: "x", firstAt: 1 }),
      asset("b", { name: "x", firstAt: 2 }),
      asset("c", { name: "x", kind: "output" }),
      asset("d", { name: "p", kind: "code", source: "/one/p" }),
      asset("e", { name: "p", kind: "code", source: "/two/p" }),
    ];
    expect(ids(versionsOf(all[0] as Asset, all))).toBe("ba");
    expect(ids(versionsOf(all[3] as Asset, all))).toBe("d");
  });

  it("have the same content only by a hash of it", () => {
    const all = [
      asset("a", { fingerprint: hash("a") }),
      asset("b", { kind: "output", fingerprint: hash("a") }),
      asset("c", { fingerprint: '{"size_bytes": 4}' }),
      asset("d", { kind: "output", fingerprint: '{"size_bytes": 4}' }),
    ];
    expect(ids(sameContent(all[0] as Asset, all))).toBe("b");
    expect(sameContent(all[2] as Asset, all)).toEqual([]);
  });

  it("count each run once, and are opened in the latest that names them as its own", () => {
    const model = asset("a", { kind: "output", madeBy: ["r1"], usedBy: ["r3", "r1"] });
    expect([runsOf(model), runOf(model), runOf({ ...model, kind: "pretrained" })]).toEqual([2, "r1", "r3"]);
  });

  it("are those that a run names: by fingerprint, else by name and source", () => {
    const all = [asset("a", { fingerprint: hash("a") }), asset("b", { name: "x", source: "s3:/x" })];
    const row = { name: "x", from: "s3:/x", fingerprint: "" };
    expect(listedAs(row, "dataset", all)?.id).toBe("b");
    expect(listedAs({ ...row, fingerprint: hash("a") }, "dataset", all)?.id).toBe("a");
    expect(listedAs(row, "output", all)).toBeUndefined();
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
    const chinese = new Map(sentences(assetsTexts.zh));
    for (const [place, sentence] of sentences(assetsTexts.en)) {
      expect(holes(chinese.get(place) ?? ""), place).toEqual(holes(sentence));
    }
  });
});
