/** Folders and files from a file manager, dropped onto the window: by the shell's word, and as a browser sees them. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeRun } from "./viewer";
import { oneBrowser, Visit } from "./visit";

const browser = oneBrowser();
let visit: Visit;
let page: Page;
let other: string;

const dialog = (): Locator => page.getByRole("dialog", { name: "Choose the storage folder" });
const path = (): Locator => dialog().getByRole("textbox", { name: "Folder" });
const use = (): Locator => dialog().getByRole("button", { name: "Use this folder" });
const row = (name: string): Locator => page.getByRole("row").filter({ hasText: name });

/** What the desktop shell sends into its window. */
const told = (folder: string | null): Promise<unknown> =>
  page.evaluate(
    (folder) => dispatchEvent(new CustomEvent("runicorn:dropped", { detail: { folder } })),
    folder,
  );

/** A drag of a file manager over the middle of the page. */
async function drag(kinds: ("dragEnter" | "dragOver" | "drop")[], file: string): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: [file], dragOperationsMask: 1 };
  for (const type of kinds) await session.send("Input.dispatchDragEvent", { type, x: 500, y: 400, data });
  await session.detach();
}

beforeEach(async () => {
  visit = await Visit.start(browser(), "runicorn-0.7.2", { viewport: { width: 1280, height: 800 } });
  page = visit.page;
  other = join(visit.folder, "dropped");
  mkdirSync(other);
  writeRun(other, { id: "20261120_120000_abc123", path: "demo/first", alias: "from-the-dropped-folder" });
  await page.goto(`${visit.viewer.address}/runs`);
  await page.getByRole("grid").getByRole("row").nth(1).waitFor();
});
afterEach(() => visit.end());

describe("a folder that is dropped onto the window", () => {
  it("is offered with its path and shown only when the reader says so", async () => {
    await told(other);
    await dialog().getByText("You dropped this folder onto the window.").waitFor();
    expect(await path().inputValue()).toBe(other);
    await dialog().getByRole("button", { name: "Cancel" }).click();
    await dialog().waitFor({ state: "detached" });
    expect(await row("from-the-dropped-folder").count()).toBe(0);

    await told(other);
    await use().click();
    await row("from-the-dropped-folder").waitFor();
    await page.getByRole("status").getByText(`Showing ${other}`).waitFor();
  });

  it("takes the place of one that was dropped before, and is forgotten when the question ends", async () => {
    await told(visit.folder);
    await dialog().waitFor();
    await told(other);
    await expect.poll(() => path().inputValue()).toBe(other);
    await page.keyboard.press("Escape");
    await dialog().waitFor({ state: "detached" });
    await page.keyboard.press("Control+k");
    await page.keyboard.type("storage folder");
    await page.keyboard.press("Enter");
    await dialog().waitFor();
    expect(await path().inputValue()).toBe(visit.root);
    expect(await dialog().getByText("You dropped").count()).toBe(0);
  });

  it("is one of this machine, whichever is on screen", async () => {
    await page.goto(`${visit.viewer.address}/at/ssh:nobody/runs`);
    await page.getByRole("heading").first().waitFor();
    await told(other);
    await dialog().waitFor();
    expect(new URL(page.url()).pathname).toBe("/runs");
    expect(await path().inputValue()).toBe(other);
  });

  it("is asked for by its path where only a browser saw it", async () => {
    await drag(["dragEnter", "dragOver"], other);
    await page.getByText("Drop a folder to see its runs").waitFor();
    await drag(["drop"], other);
    await dialog().getByText("Where the dropped folder lies is not told here.").waitFor();
    expect(await path().inputValue()).toBe("");
    expect(await use().isDisabled()).toBe(true);
    expect(await page.getByText("Drop a folder to see its runs").count()).toBe(0);
  });
});

describe("a file that is dropped onto the window", () => {
  it("is not opened, and a message says why", async () => {
    const file = join(visit.folder, "notes.txt");
    writeFileSync(file, "notes");
    await drag(["dragEnter", "dragOver", "drop"], file);
    await page.getByText("Only folders can be opened").waitFor();
    expect(new URL(page.url()).pathname).toBe("/runs");
    expect(await dialog().count()).toBe(0);
    await page.reload();
    await told(null);
    await page.getByText("Only folders can be opened").waitFor();
  });
});
