/** The recycle bin against the real server: the way there, back with undo, away for ever, its faces, the keyboard. */
import { existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Viewer, writeRun } from "./viewer";
import { oneBrowser, refusedUntilClicked, Visit } from "./visit";

const browser = oneBrowser();
let visit: Visit;
let root: string;
let viewer: Viewer;
let page: Page;

const grid = (): Locator => page.getByRole("grid", { name: "Deleted runs" });
const row = (name: string): Locator => grid().getByRole("row").filter({ hasText: name });
const toast = (text: string | RegExp): Locator => page.getByRole("status").getByText(text);
const dialog = (): Locator => page.getByRole("dialog");
const said = (part: Locator) => expect.poll(() => part.innerText());
const names = async (): Promise<string[]> => grid().getByRole("link").allInnerTexts();
const focused = (): Promise<string> => page.evaluate(() => document.activeElement?.textContent?.trim() ?? "");

const baseline = "20250114_153045_a1b2c3";
const folderOf = join("runs/cv/detection/yolo", baseline);

async function post(path: string, body: unknown): Promise<void> {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(viewer.address + path, { method: "POST", headers, body: JSON.stringify(body) });
  expect(answer.status).toBe(200);
}
const softDelete = (...ids: string[]): Promise<void> => post("/api/runs/soft-delete", { run_ids: ids });

async function begin(fixture: string | null, options = {}): Promise<void> {
  visit = await Visit.start(browser(), fixture, options);
  ({ root, viewer, page } = visit);
}
const finish = (): Promise<void> => visit.end();

async function open(address = "/recycle-bin"): Promise<void> {
  await page.goto(viewer.address + address);
  await grid().waitFor();
}

describe("with deleted runs", () => {
  beforeEach(() => begin("runicorn-0.7.2"));
  afterEach(finish);

  it("is reached from the rail and lists deleted runs, the newest deletion first", async () => {
    await page.goto(`${viewer.address}/runs`);
    await page.getByRole("navigation").getByRole("link", { name: "Recycle bin" }).click();
    await grid().waitFor();
    expect(new URL(page.url()).pathname).toBe("/recycle-bin");
    await expect.poll(names).toEqual(["20250119_090000_de1e7f", "trash"]);
    for (const text of ["Failed", "rl/old", "with its folder"]) await said(row("de1e7f")).toContain(text);
    for (const text of ["Finished", "chosen by hand"]) await said(row("trash")).toContain(text);
  });

  it("is reached from the command palette", async () => {
    await page.goto(`${viewer.address}/runs`);
    await page.getByRole("grid", { name: "Runs" }).waitFor();
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").fill("recycle");
    await page.keyboard.press("Enter");
    await grid().waitFor();
  });

  it("shows a run that is deleted elsewhere, without a reload", async () => {
    await open();
    await softDelete(baseline);
    await expect.poll(names).toEqual(["yolo-baseline", "20250119_090000_de1e7f", "trash"]);
    await said(page.getByRole("main").getByRole("status").last()).toContain("3 deleted runs");
  });

  it("loses runs that are deleted for good elsewhere, without a reload", async () => {
    await open();
    await post("/api/recycle-bin/empty", { confirm: true });
    await page.getByRole("heading", { name: "The recycle bin is empty" }).waitFor();
  });

  it("restores the chosen run with its key, and Undo deletes it again", async () => {
    await softDelete(baseline);
    await open(`/recycle-bin?selected=${baseline}`);
    await grid().focus();
    await page.keyboard.press("r");
    await toast("Restored yolo-baseline").waitFor();
    await expect.poll(names).not.toContain("yolo-baseline");
    expect(existsSync(join(root, folderOf, ".deleted"))).toBe(false);
    await page.getByRole("button", { name: "Undo" }).click();
    await toast("Moved yolo-baseline back to the recycle bin").waitFor();
    await expect.poll(names).toContain("yolo-baseline");
    expect(existsSync(join(root, folderOf, ".deleted"))).toBe(true);
  });

  it("restores all ticked runs at once, ticked by keys", async () => {
    await open();
    await grid().focus();
    await page.keyboard.press("Control+a");
    const deeds = page.getByRole("group", { name: "2 ticked" });
    await deeds.getByRole("button", { name: "Restore" }).click();
    await toast("Restored 2 runs").waitFor();
    await page.getByRole("heading", { name: "The recycle bin is empty" }).waitFor();
    await page.getByRole("button", { name: "Go to the runs" }).click();
    await page.getByRole("grid", { name: "Runs" }).getByRole("row").filter({ hasText: "trash" }).waitFor();
  });

  it("ticks with the pointer, a range with Shift, and the boxes show it", async () => {
    await softDelete(baseline);
    await open();
    const box = (name: string) => page.getByRole("checkbox", { name: `Tick ${name}` });
    await box("yolo-baseline").click();
    await expect.poll(() => box("yolo-baseline").isChecked()).toBe(true);
    await box("trash").click({ modifiers: ["Shift"] });
    await page.getByText("3 ticked").waitFor();
    for (const name of ["yolo-baseline", "20250119_090000_de1e7f", "trash"]) {
      expect(await box(name).isChecked()).toBe(true);
    }
    await page.keyboard.press("Escape");
    await expect.poll(() => box("trash").isChecked()).toBe(false);
  });

  it("deletes for good only after a question with the server's numbers, whose first answer is no", async () => {
    await softDelete(baseline);
    await open(`/recycle-bin?selected=${baseline}`);
    await grid().focus();
    await page.keyboard.press("Delete");
    await expect.poll(() => dialog().getAttribute("aria-label")).toBe("Delete 1 run for good?");
    await said(dialog()).toMatch(/Saved files that nothing else uses\s+1\s+Space of these files\s+851 B/);
    await expect.poll(focused).toBe("Cancel");
    await page.keyboard.press("Enter");
    await expect.poll(() => dialog().count()).toBe(0);
    expect(await names()).toContain("yolo-baseline");

    await page.keyboard.press("Delete");
    await dialog().getByRole("button", { name: "Delete 1 run for good" }).click();
    await toast("Deleted 1 run for good").waitFor();
    await expect.poll(names).toEqual(["20250119_090000_de1e7f", "trash"]);
    expect(existsSync(join(root, folderOf))).toBe(false);
  });

  it("is emptied only by a second deliberate step", async () => {
    await open();
    await page.getByRole("button", { name: "Empty the bin…" }).click();
    const confirm = dialog().getByRole("button", { name: "Delete 2 runs for good" });
    const sure = dialog().getByRole("checkbox", { name: "I know that these 2 runs cannot be brought back" });
    await sure.waitFor();
    expect(await confirm.isDisabled()).toBe(true);
    await sure.check();
    await confirm.click();
    await toast("The recycle bin is empty: 2 runs deleted for good").waitFor();
    await page.getByRole("heading", { name: "The recycle bin is empty" }).waitFor();
    expect(existsSync(join(root, "runs/.recycle/20250119_080000_de1e7e"))).toBe(false);
  });

  it("takes the consent back when other runs join the bin meanwhile", async () => {
    await open();
    await page.getByRole("button", { name: "Empty the bin…" }).click();
    await dialog().getByRole("checkbox").check();
    await softDelete(baseline);
    await dialog()
      .getByRole("checkbox", { name: "I know that these 3 runs cannot be brought back" })
      .waitFor();
    expect(await dialog().getByRole("checkbox").isChecked()).toBe(false);
    await page.keyboard.press("Escape");
    await expect.poll(() => names().then((list) => list.length)).toBe(3);
  });

  it("says why the numbers could not be told and asks again", async () => {
    await open();
    await page.route("**/api/runs/permanent-delete", (request) =>
      request.fulfill({ status: 500, json: { detail: "archive is locked", code: "LOCKED" } }),
    );
    await page.getByRole("button", { name: "Delete for good…" }).click();
    await said(dialog().getByRole("alert")).toContain("archive is locked");
    await page.unroute("**/api/runs/permanent-delete");
    await dialog().getByRole("button", { name: "Try again" }).click();
    await said(dialog()).toContain("Space of these files");
  });

  it("finds by words, sorts by heads and keeps the view in the address", async () => {
    await softDelete(baseline);
    await open();
    await page.keyboard.press("/");
    await page.keyboard.type("rl");
    await expect.poll(names).toEqual(["20250119_090000_de1e7f", "trash"]);
    await page.getByRole("columnheader", { name: "Folder" }).getByRole("button").click();
    await expect.poll(names).toEqual(["trash", "20250119_090000_de1e7f"]);
    await expect.poll(() => new URL(page.url()).search).toBe("?q=rl&sort=path");
    await page.reload();
    await expect.poll(names).toEqual(["trash", "20250119_090000_de1e7f"]);
    await page.getByRole("searchbox").fill("nosuch");
    await page.getByText("No deleted run fits this search").waitFor();
    await grid().getByRole("button", { name: "Clear the search" }).click();
    await expect.poll(() => names().then((list) => list.length)).toBe(3);
  });

  it("opens a deleted run with Enter", async () => {
    await softDelete(baseline);
    await open(`/recycle-bin?selected=${baseline}`);
    await grid().focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => new URL(page.url()).pathname).toBe(`/run/${baseline}`);
    await page.getByRole("button", { name: "Put back" }).waitFor();
  });

  it("shows that it waits, that it failed in the server's words, and goes on with Try again", async () => {
    await page.route("**/api/recycle-bin", () => {});
    await page.goto(`${viewer.address}/recycle-bin`);
    await page.locator(".waiting").waitFor();
    await page.unroute("**/api/recycle-bin");
    const asked = await refusedUntilClicked(page, "/api/recycle-bin", {
      detail: "the bin is stuck",
      code: "STUCK",
    });
    await page.reload();
    await said(page.getByRole("alert")).toContain("the bin is stuck");
    await page.getByRole("button", { name: "Try again" }).click();
    await grid().waitFor();
    await asked();
  });

  it("says that the storage folder is missing, and shows the bin when it is back", async () => {
    const away = join(visit.folder, "away");
    renameSync(root, away);
    await page.goto(`${viewer.address}/recycle-bin`);
    await said(page.getByRole("alert")).toContain("The storage folder is not there");
    renameSync(away, root);
    await expect.poll(names).toEqual(["20250119_090000_de1e7f", "trash"]);
  });

  it("fits a window of 720 pixels", async () => {
    await page.setViewportSize({ width: 720, height: 600 });
    await open();
    const over = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(await over()).toBeLessThanOrEqual(0);
    await page.getByRole("button", { name: "Restore" }).click();
    await toast(/^Restored/).waitFor();
  });
});

describe("with nothing deleted", () => {
  beforeEach(() => begin(null));
  afterEach(finish);

  it("explains what the bin is for, and shows the first run that is deleted", async () => {
    await page.goto(`${viewer.address}/recycle-bin`);
    await page.getByRole("heading", { name: "The recycle bin is empty" }).waitFor();
    await page.getByText("Nothing leaves the bin by itself").waitFor();
    const id = "20261120_120000_abc123";
    writeRun(root, { id, path: "live/now", alias: "short-lived", status: "finished" });
    const list = async () => (await fetch(`${viewer.address}/api/runs/${id}`)).status;
    await expect.poll(list).toBe(200);
    await softDelete(id);
    await expect.poll(names).toEqual(["short-lived"]);
  });
});

it("speaks Chinese", async () => {
  await begin("runicorn-0.7.2", { locale: "zh-CN" });
  await page.goto(`${viewer.address}/recycle-bin`);
  await page.getByRole("grid", { name: "已删除的实验" }).waitFor();
  await page.getByRole("button", { name: "清空回收站…" }).waitFor();
  await finish();
});
