/** What people keep beside their runs: views of the table by name, notes, and names and tags changed where they stand. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Viewer } from "./viewer";
import { oneBrowser, Visit } from "./visit";

const browser = oneBrowser();
let visit: Visit;
let page: Page;

const RUN = "20250114_153045_a1b2c3";
const grid = (): Locator => page.getByRole("grid", { name: "Runs" });
const row = (name: string): Locator => grid().getByRole("row").filter({ hasText: name });
const names = async (): Promise<string[]> => grid().getByRole("link").allInnerTexts();
const heads = async (): Promise<string[]> =>
  (await grid().getByRole("columnheader").allInnerTexts()).map((text) => text.trim()).filter(Boolean);
const panel = (): Locator => page.getByRole("dialog", { name: "Views" });
const views = (): Promise<void> => page.getByRole("button", { name: "Views", exact: true }).click();

async function open(more = ""): Promise<void> {
  await page.goto(`${visit.viewer.address}/runs${more}`);
  await grid().waitFor();
}

beforeEach(async () => {
  visit = await Visit.start(browser(), "runicorn-0.7.2");
  page = visit.page;
});
afterEach(() => visit.end());

describe("views", () => {
  it("keep search, order and columns under a name, and bring them back, also after the viewer was restarted", async () => {
    await open("?q=yolo&sort=run&columns=tags,state");
    await expect.poll(heads).toEqual(["Run", "Tags", "State"]);
    const found = await names();
    await views();
    await panel().getByText("No view is kept yet.").waitFor();
    await panel().getByRole("textbox", { name: "Keep this view as" }).fill("my yolos");
    await page.keyboard.press("Enter");
    await page.getByText("Kept the view my yolos").waitFor();
    const { address, root, home } = visit.viewer;
    await visit.viewer.stop();
    visit.viewer = await Viewer.start(root, home, Number(new URL(address).port));
    await page.goto(`${address}/runs?columns=path`);
    await expect.poll(heads).toEqual(["Run", "Folder"]);
    await views();
    await panel().getByRole("button", { name: "my yolos", exact: true }).click();
    await expect.poll(heads).toEqual(["Run", "Tags", "State"]);
    await expect.poll(names).toEqual(found);
    await views();
    expect(
      await panel().getByRole("button", { name: "my yolos", exact: true }).getAttribute("aria-current"),
    ).toBe("true");
  });

  it("are deleted with a way back", async () => {
    await open("?q=yolo");
    await views();
    await panel().getByRole("textbox", { name: "Keep this view as" }).fill("gone soon");
    await panel().getByRole("button", { name: "Keep", exact: true }).click();
    await views();
    await panel().getByRole("button", { name: "Delete the view gone soon" }).click();
    await panel().getByText("No view is kept yet.").waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await views();
    await panel().getByRole("button", { name: "gone soon", exact: true }).waitFor();
  });

  it("say when they cannot be read, and come with another try", async () => {
    await page.route("**/api/run-views", (route) =>
      route.fulfill({ status: 500, json: { detail: "the state folder is gone" } }),
    );
    await open();
    await views();
    await panel().getByText("the state folder is gone").waitFor();
    await page.unroute("**/api/run-views");
    await panel().getByRole("button", { name: "Try again" }).click();
    await panel().getByText("No view is kept yet.").waitFor();
  });
});

describe("in the cells", () => {
  it("a run is renamed by key, Escape leaves it as it was", async () => {
    await open(`?selected=${RUN}`);
    await grid().focus();
    await page.keyboard.press("F2");
    const field = grid().getByRole("textbox", { name: "Change the name: yolo-baseline" });
    await field.fill("nonsense");
    await page.keyboard.press("Escape");
    await expect.poll(() => field.count()).toBe(0);
    await page.keyboard.press("F2");
    await field.fill("yolo the first");
    await page.keyboard.press("Enter");
    await row("yolo the first").waitFor();
    expect(await grid().evaluate((found) => found === document.activeElement)).toBe(true);
    const meta = JSON.parse(
      readFileSync(join(visit.root, "runs/cv/detection/yolo", RUN, "meta.json"), "utf8"),
    );
    expect(meta.alias).toBe("yolo the first");
  });

  it("tags are changed where they stand", async () => {
    await open("?columns=tags");
    await row("yolo-baseline").hover();
    await row("yolo-baseline")
      .getByRole("button", { name: /^Change the tags/ })
      .click();
    await grid()
      .getByRole("textbox", { name: /^Change the tags/ })
      .fill("one, two");
    await page.keyboard.press("Enter");
    await expect.poll(() => row("yolo-baseline").innerText()).toContain("two");
  });

  it("a note is written, kept beside the run and not in its files, and found again", async () => {
    await open("?columns=note");
    await row("yolo-baseline").hover();
    await row("yolo-baseline")
      .getByRole("button", { name: /^Write a note/ })
      .click();
    await grid()
      .getByRole("textbox", { name: /^Write a note/ })
      .fill("lr was too high");
    await page.keyboard.press("Enter");
    await expect.poll(() => row("yolo-baseline").innerText()).toContain("lr was too high");
    await page.reload();
    await expect.poll(() => row("yolo-baseline").innerText()).toContain("lr was too high");
    const kept = readFileSync(join(visit.viewer.home, "state", "annotations.json"), "utf8");
    expect(JSON.parse(kept).notes[RUN].text).toBe("lr was too high");
  });

  it("tags of many runs are changed at once, and back again", async () => {
    await open("?columns=tags");
    await page.getByRole("checkbox", { name: "Tick every run shown" }).check();
    await page.getByRole("button", { name: "Tags…", exact: true }).click();
    await page.getByRole("textbox", { name: "Add tags" }).fill("batch-7");
    await page.keyboard.press("Enter");
    const tagged = grid().getByText("batch-7", { exact: true });
    await expect.poll(() => tagged.count()).toBeGreaterThan(5);
    await page.getByRole("button", { name: "Undo" }).click();
    await expect.poll(() => tagged.count()).toBe(0);
  });
});
