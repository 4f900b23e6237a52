/** The assets of all runs against the real server: find one, see where it is used, open the run; its faces, the keyboard. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { archive, hashOf, writeDatasetRun } from "./asset_root";
import type { Viewer } from "./viewer";
import { writeRun } from "./viewer";
import { oneBrowser, refusedUntilClicked, Visit } from "./visit";

const browser = oneBrowser();
let visit: Visit;
let viewer: Viewer;
let page: Page;

const [FIRST, SECOND, THIRD] = [1, 2, 3].map((n) => `2026060${n}_120000_da7a0${n}`) as [
  string,
  string,
  string,
];
const grid = (): Locator => page.getByRole("grid", { name: "Assets", exact: true });
const row = (name: string): Locator => grid().getByRole("row").filter({ hasText: name });
const detail = (name: string): Locator => page.getByRole("region", { name: `Asset: ${name}` });
const runs = (title: string): Locator => detail("images").getByRole("grid", { name: title });
const said = (part: Locator) => expect.poll(() => part.innerText());
const lines = () => grid().getByRole("row").count();
const at = () => new URL(page.url());

/** Three runs; two of them began with the same images, of which the first had an older version. */
function shareImages(root: string): void {
  const path = archive(root, hashOf("b"), 300);
  const images = { name: "images", uri: "/data/images", fingerprint: hashOf("b"), archive_path: path };
  const older = { name: "images", uri: "/data/images", fingerprint: hashOf("a") };
  const snapshot = (letter: string) => ({
    code: { snapshot: { workspace_root: "/home/me/seg", fingerprint: hashOf(letter) } },
  });
  writeDatasetRun(root, FIRST, "first", [older], snapshot("c"));
  writeDatasetRun(root, SECOND, "second", [images, { name: "labels", uri: "s3:/labels" }], snapshot("d"));
  writeDatasetRun(root, THIRD, "third", [images], snapshot("d"));
}

async function begin(fixture: string | null, options = {}, prepare?: (root: string) => void): Promise<void> {
  visit = await Visit.start(browser(), fixture, options, prepare);
  ({ viewer, page } = visit);
}

async function open(address = "/assets"): Promise<void> {
  await page.goto(viewer.address + address);
  await grid().waitFor();
}

describe("with runs that share a dataset", () => {
  beforeEach(() => begin(null, {}, shareImages));
  afterEach(() => visit.end());

  it("is reached from the rail; a dataset is found, shows where it is used, and leads to the run's assets and back", async () => {
    await page.goto(`${viewer.address}/runs`);
    await page.getByRole("navigation").getByRole("link", { name: "Assets" }).click();
    await grid().waitFor();
    expect(at().pathname).toBe("/assets");
    await page.getByRole("searchbox", { name: "Search assets" }).fill("bbbbbb");
    await expect.poll(lines).toBe(2);
    for (const text of ["Dataset", "images", "300 B", "/data/images"])
      await said(row("images")).toContain(text);
    await page.getByRole("searchbox", { name: "Search assets" }).press("Enter");
    const links = runs("Used by 2 runs").getByRole("link");
    await expect.poll(() => links.allInnerTexts()).toEqual(["third", "second"]);
    await links.filter({ hasText: "second" }).click();
    await expect.poll(() => at().pathname + at().search).toBe(`/run/${SECOND}?tab=assets`);
    const table = page.getByRole("region", { name: "Datasets" });
    await table.getByRole("link", { name: "used by 2 runs" }).click();
    await detail("images").waitFor();
    expect(at().pathname).toBe("/assets");
  });

  it("is reached from the command palette, and tells its key in the help", async () => {
    await page.goto(`${viewer.address}/runs`);
    await page.getByRole("grid", { name: "Runs" }).waitFor();
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").fill("assets");
    await page.keyboard.press("Enter");
    await grid().waitFor();
    await page.keyboard.press("?");
    await said(page.getByRole("dialog")).toContain("Assets");
  });

  it("shows one kind only, and keeps kind, search, order and choice in the address", async () => {
    await open();
    await expect.poll(lines).toBe(6);
    await page.getByRole("radio", { name: "Datasets" }).check();
    await expect.poll(lines).toBe(4);
    await page.getByRole("searchbox", { name: "Search assets" }).fill("images");
    await grid().getByRole("button", { name: "Size" }).click();
    await row("images").nth(1).click();
    await expect.poll(() => at().searchParams.get("selected")).toMatch(/^[0-9a-f]{32}$/);
    const { search } = at();
    for (const member of ["kind=dataset", "q=images", "sort=-size"]) expect(search).toContain(member);
    await page.reload();
    await expect.poll(lines).toBe(3);
    expect(await page.getByRole("radio", { name: "Datasets" }).isChecked()).toBe(true);
    await expect.poll(() => row("images").nth(1).getAttribute("aria-selected")).toBe("true");
  });

  it("is worked by keys alone: search, table, the run", async () => {
    await open();
    await page.keyboard.press("/");
    await page.keyboard.type("labels");
    await expect.poll(lines).toBe(2);
    await page.keyboard.press("ArrowDown");
    await detail("labels").waitFor();
    await page.keyboard.press("Enter");
    await expect.poll(() => at().pathname).toBe(`/run/${SECOND}`);
  });

  it("says how often a dataset changed, and leads to another version and to its runs beside each other", async () => {
    await open("/assets?kind=dataset&q=bbbb");
    const versions = detail("images").getByRole("region", { name: "Versions of images" });
    await said(versions).toContain("Changed 1 time");
    const href = await versions.getByRole("link", { name: "Compare runs of both" }).getAttribute("href");
    expect(href).toBe(`/compare?runs=${FIRST},${THIRD}&tab=changed`);
    await versions.getByRole("link", { name: "aaaaaaaaaa" }).click();
    await runs("Used by 1 run").waitFor();
    await said(detail("images")).toContain("none, only this reference");
  });

  it("leads from one code snapshot to what changed since the other", async () => {
    await open("/assets?kind=code&q=dddd");
    await said(detail("seg")).toContain("Made by 2 runs");
    await detail("seg").getByRole("link", { name: "What changed in the code" }).click();
    await expect.poll(() => at().search).toBe(`?runs=${FIRST},${THIRD}&tab=changed&part=code`);
    await page.getByRole("region", { name: "Compared runs" }).waitFor();
  });

  it("shows an asset that a new run names, without a reload", async () => {
    await open();
    await expect.poll(lines).toBe(6);
    writeDatasetRun(visit.root, "20260604_120000_da7a04", "fourth", [{ name: "fresh", uri: "/fresh" }]);
    await row("fresh").waitFor();
  });

  it("says what the archive holds, each file counted once", async () => {
    await open();
    const sizes = page.getByRole("group", { name: "Size of the archive" });
    await said(sizes).toMatch(
      /Archive: 300 B\s+600 B if each run kept its own copy\s+300 B saved .*\(50 %\)/,
    );
  });

  it("waits, says why it has no list, and goes on with Try again", async () => {
    const list = "**/api/asset-list*";
    await page.route(list, () => {});
    await page.goto(`${viewer.address}/assets`);
    await page.locator(".waiting").waitFor();
    await page.unroute(list);
    const asked = await refusedUntilClicked(page, "/api/asset-list", {
      detail: "the storage does not answer",
      code: "STORAGE_UNAVAILABLE",
    });
    await page.reload();
    await said(page.getByRole("alert")).toContain("the storage does not answer");
    await page.getByRole("button", { name: "Try again" }).click();
    await grid().waitFor();
    await asked();
  });

  it("says that nothing fits a search, and shows all again", async () => {
    await open("/assets?kind=output&q=nothing");
    await page.getByRole("heading", { name: "No asset fits this search" }).waitFor();
    await page.getByRole("button", { name: "Show all assets" }).click();
    await expect.poll(lines).toBe(6);
    await expect.poll(() => at().search).toBe("");
  });
});

it("teaches the lines that record assets when no run has any", async () => {
  await begin(null, {}, (root) => {
    writeRun(root, { id: FIRST, path: "bare", status: "finished" });
  });
  await page.goto(`${viewer.address}/assets`);
  await page.getByRole("heading", { name: "No run recorded an asset yet" }).waitFor();
  for (const call of ["snapshot_code=True", "log_dataset(", "log_pretrained(", "scan_outputs_once("]) {
    await said(page.getByRole("main")).toContain(call);
  }
  await page.getByRole("button", { name: "Go to the runs" }).click();
  await page.getByRole("grid", { name: "Runs" }).waitFor();
  await visit.end();
});

it("downloads the copy of a recorded dataset", async () => {
  await begin("runicorn-0.7.2");
  await open("/assets?kind=dataset&q=data/labels.csv");
  const [saved] = await Promise.all([
    page.waitForEvent("download"),
    detail("labels").getByRole("link", { name: "Download" }).click(),
  ]);
  expect(saved.suggestedFilename()).toBe("labels");
  const stream = await saved.createReadStream();
  let bytes = 0;
  for await (const piece of stream) bytes += (piece as Buffer).length;
  expect(bytes).toBe(21);
  await visit.end();
});

it("shows hostile names as text, and says which run's list is damaged", async () => {
  const hostile = "<img src=x onerror=alert(1)>\u202e\u001b[31m";
  await begin(null, {}, (root) => {
    writeDatasetRun(root, FIRST, "first", [
      { name: hostile, uri: { javascript: "alert(1)" } },
      { name: "x".repeat(20_000), uri: "javascript:alert(1)" },
      { name: "", uri: null },
    ]);
    const dir = writeRun(root, { id: SECOND, path: "bad", status: "finished" });
    writeFileSync(join(dir, "assets.json"), '{"datasets": [{');
  });
  let dialogs = 0;
  page.on("dialog", (dialog) => {
    dialogs += 1;
    void dialog.dismiss();
  });
  await open("/assets?q=onerror");
  await said(row("onerror")).toContain("<img src=x onerror=alert(1)>");
  await detail("").first().waitFor();
  expect(await page.locator("img").count()).toBe(0);
  expect(await page.locator("a[href^=javascript]").count()).toBe(0);
  await page.getByText("Not everything could be read").click();
  await said(page.getByRole("main")).toContain(`The list of assets of 1 run cannot be read: ${SECOND}`);
  const over = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(await over()).toBeLessThanOrEqual(0);
  expect(dialogs).toBe(0);
  await visit.end();
});

it("speaks Chinese, and stands in a narrow window", async () => {
  await begin("runicorn-0.7.2", { locale: "zh-CN", viewport: { width: 560, height: 800 } });
  await page.goto(`${viewer.address}/assets`);
  await page.getByRole("grid", { name: "资产列表" }).waitFor();
  await page.getByRole("radio", { name: "数据集" }).check();
  await page.getByRole("region", { name: /^资产：/ }).waitFor();
  const over = () =>
    page.evaluate(() => {
      const box = document.querySelector("#page .page");
      return (box?.scrollWidth ?? 0) - (box?.clientWidth ?? 0);
    });
  expect(await over()).toBeLessThanOrEqual(0);
  await visit.end();
});
