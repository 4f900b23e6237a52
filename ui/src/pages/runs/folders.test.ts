import { describe, expect, it } from "vitest";
import type { RunRow } from "../../api/wire";
import { above, folderCount, folderLines, folderTree } from "./folders";

const run = (path: string | null, status = "finished") => ({ path, status }) as RunRow;
const rows = [run("cv/yolo"), run("cv/yolo", "running"), run("cv"), run("nlp/10"), run("nlp/9"), run(null)];

describe("the folder tree", () => {
  const tree = folderTree(rows);

  it("counts the runs at and below each folder", () => {
    expect(tree.count).toBe(6);
    expect(tree.children.get("cv")?.count).toBe(3);
    expect(tree.children.get("cv")?.children.get("yolo")?.count).toBe(2);
  });

  it("counts what is running", () => {
    expect(tree.running).toBe(1);
    expect(tree.children.get("nlp")?.running).toBe(0);
  });

  it("draws the children of open folders only, numbers in order", () => {
    const lines = folderLines(tree, (path) => path === "nlp");
    expect(lines.map(({ folder, level, open }) => [folder.path, level, open])).toEqual([
      ["cv", 1, false],
      ["nlp", 1, true],
      ["nlp/9", 2, false],
      ["nlp/10", 2, false],
    ]);
  });

  it("takes names that objects already have", () => {
    const odd = folderTree([run("constructor/__proto__")]);
    expect(folderLines(odd, () => true).map((line) => line.folder.path)).toEqual([
      "constructor",
      "constructor/__proto__",
    ]);
  });

  it("knows its size and what is above a folder", () => {
    expect(folderCount(tree)).toBe(5);
    expect(above("a/b/c")).toEqual(["a", "a/b"]);
    expect(above("")).toEqual([]);
  });
});
