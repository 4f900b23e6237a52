/** The code and the data of compared runs: files of two snapshots, one of them line by line, and what data was used. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { beforeEach, describe, expect, it } from "vitest";
import { append, eventLine, snapshot } from "./run_root";
import { openPage, writeRun } from "./viewer";
import { SharedViewer } from "./visit";

const A = "20260701_000000_aaaa00";
const B = "20260702_000000_bbbb00";
const BARE = "20260703_000000_cccc00";

const lines = (change: Record<number, string>): string =>
  Array.from({ length: 40 }, (_, at) => `${change[at + 1] ?? `line ${at + 1}`}\n`).join("");

const shared = new SharedViewer((root) => {
  const run = (id: string, alias: string, print: string | null) => {
    const dir = writeRun(root, { id, path: "code", alias, status: "finished" });
    append(dir, "events.jsonl", eventLine(1, { loss: 1 }));
    const config = { args: { lr: 0.1 }, extra: {}, config_files: [] };
    const datasets = print === null ? [] : [{ name: "cifar", fingerprint: print, path: "/data/cifar" }];
    const pretrained = print === null ? [] : [{ name: "vit", fingerprint: "f00d", path: "/models/vit" }];
    writeFileSync(
      join(dir, "assets.json"),
      JSON.stringify({ code: {}, config, datasets, pretrained, outputs: [] }),
    );
    return dir;
  };
  const same = { "same.py": "print(1)\n", "lib/equal.py": "x = 1\n", "blob.bin": "a\0b" };
  snapshot(run(A, "one", "aaaa1111"), {
    ...same,
    "train.py": lines({}),
    "old.py": "gone\n",
    "swap.py": "ab\n",
  });
  snapshot(run(B, "two", "bbbb2222"), {
    ...same,
    "train.py": lines({ 20: "learning_rate = 0.3 <b>bold</b>", 21: "" }),
    "new.py": "fresh\n",
    "swap.py": "ba\n",
  });
  run(BARE, "bare", null);
});
let page: Page;
beforeEach(() => {
  page = shared.page;
});

const open = (ids: readonly string[], more = "") =>
  page.goto(`${shared.address}/compare?runs=${ids.join(",")}&tab=changed${more}`);
const files = (): Locator => page.getByRole("list", { name: "Files of the code" });
const file = (name: string): Locator => files().getByRole("button", { name });
const diff = (name: string): Locator => page.getByRole("region", { name, exact: true });
const member = (name: string): string | null => new URL(page.url()).searchParams.get(name);
const row = (name: string): Locator =>
  page
    .getByRole("table")
    .getByRole("row")
    .filter({ has: page.getByRole("rowheader", { name, exact: true }) });

describe("the code of two runs", () => {
  it("is compared file by file: added, removed, changed, of the same length too; equal files are only counted", async () => {
    await open([A, B]);
    await page.getByRole("radio", { name: "Code" }).check({ force: true });
    await expect.poll(() => member("part")).toBe("code");
    await page.getByText("5 files differ · 2 equal files").waitFor();
    const told = await files().getByRole("listitem").allInnerTexts();
    expect(told.map((text) => text.replaceAll(/\s+/g, " ").trim())).toEqual([
      "? blob.bin not read",
      "+ new.py added",
      "− old.py removed",
      "~ swap.py changed",
      "~ train.py changed",
    ]);
  });

  it("is shown line by line with the numbers of both sides, equal lines folded, and nothing of it is believed", async () => {
    await open([A, B], "&part=code");
    await file("train.py").click();
    const shown = diff("train.py");
    await shown.getByText("learning_rate = 0.3 <b>bold</b>", { exact: true }).waitFor();
    await shown.getByText("+2 −2").waitFor();
    expect(await shown.locator(".row.removed").allInnerTexts()).toEqual([
      expect.stringMatching(/^20\s*−\s*line 20$/),
      expect.stringMatching(/^21\s*−\s*line 21$/),
    ]);
    expect(await shown.locator(".row.added .number").allInnerTexts()).toEqual(["", "20", "", "21"]);
    expect(await shown.getByText("line 16", { exact: true }).count()).toBe(0);
    await shown.getByRole("button", { name: "16 equal lines" }).first().click();
    await shown.getByText("line 16", { exact: true }).waitFor();
    await expect.poll(() => member("file")).toBe("train.py");
    await page.reload();
    await shown.getByText("+2 −2").waitFor();
    await file("new.py").click();
    await diff("new.py").getByText("+1 −0").waitFor();
    await file("old.py").click();
    await diff("old.py").getByText("+0 −1").waitFor();
    await file("blob.bin").click();
    await diff("blob.bin").getByText("This file is binary or too long to be shown.").waitFor();
  });

  it("is of the two runs that are chosen, the baseline first, and says which has no snapshot", async () => {
    await open([A, B, BARE], `&part=code&baseline=${B}`);
    await page.getByText("5 files differ").waitFor();
    await expect.poll(() => page.getByRole("combobox", { name: "Before" }).inputValue()).toBe(B);
    await file("new.py").getByText("removed").waitFor();
    await page.getByRole("combobox", { name: "After" }).selectOption(BARE);
    await page.getByRole("heading", { name: "No code snapshot: bare" }).waitFor();
    await expect.poll(() => member("after")).toBe(BARE);
  });

  it("is searched by path, and says that it could not be loaded", async () => {
    await page.route(`**/api/run-code/${A}`, (route) => route.abort());
    await open([A, B], "&part=code");
    await page.getByRole("heading", { name: "This could not be loaded" }).waitFor();
    await page.unroute(`**/api/run-code/${A}`);
    await page.getByRole("button", { name: "Try again" }).click();
    await file("train.py").waitFor();
    await page.getByRole("searchbox", { name: "Find names and values" }).fill("swap");
    await file("train.py").waitFor({ state: "detached" });
    await file("swap.py").waitFor();
  });

  it("can be used in a narrow window, in Chinese and in the dark", async () => {
    const narrow = await openPage(shared.browser, {
      viewport: { width: 900, height: 640 },
      locale: "zh-CN",
      colorScheme: "dark",
    });
    await narrow.page.goto(`${shared.address}/compare?runs=${A},${B}&tab=changed&part=code&file=train.py`);
    await narrow.page.getByText("5 个文件不同").waitFor();
    await narrow.page.getByRole("button", { name: "16 行相同" }).first().waitFor();
    expect(await narrow.page.evaluate(() => document.documentElement.scrollWidth > innerWidth)).toBe(false);
    expect(narrow.faults).toEqual([]);
    await narrow.close();
  });
});

describe("the data of runs", () => {
  it("is told apart by its fingerprint, and equal data is folded", async () => {
    await open([A, B]);
    await row("dataset cifar").waitFor();
    expect(await row("dataset cifar").getByRole("cell").allInnerTexts()).toEqual(["aaaa1111", "bbbb2222"]);
    await row("dataset cifar").getByRole("cell", { name: "bbbb2222, differs" }).waitFor();
    expect(await row("pretrained vit").count()).toBe(0);
    await page.getByRole("button", { name: "1 equal value" }).first().click();
    await row("pretrained vit").getByText("f00d").waitFor();
  });
});
