/** The Settings page, and the keys of each page in its help. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openPage } from "./viewer";
import { oneBrowser, Visit } from "./visit";

const browser = oneBrowser();
let visit: Visit;
let page: Page;

const part = (name: string): Locator => page.getByRole("region", { name });
const help = (): Locator => page.getByRole("dialog", { name: "Keyboard" });
const open = (address: string) => page.goto(visit.viewer.address + address);

beforeEach(async () => {
  visit = await Visit.start(browser(), "runicorn-0.7.2", { viewport: { width: 1280, height: 800 } });
  page = visit.page;
});
afterEach(() => visit.end());

describe("settings", () => {
  it("are a page of the rail, with a part for each address", async () => {
    await open("/runs");
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Settings" }).click();
    await part("Storage folder").getByText(visit.root, { exact: true }).waitFor();
    await page.getByRole("link", { name: "Look and language" }).click();
    await part("Look and language").getByRole("radio", { name: "Dark" }).check({ force: true });
    await expect.poll(() => page.evaluate(() => document.documentElement.dataset.theme)).toBe("dark");
    await part("Look and language").getByRole("radio", { name: "Compact" }).check({ force: true });
    await expect.poll(() => page.evaluate(() => document.documentElement.dataset.density)).toBe("compact");
    await page.reload();
    await expect.poll(() => page.evaluate(() => document.documentElement.dataset.theme)).toBe("dark");
    expect(new URL(page.url()).search).toBe("?section=look");
    await part("Look and language").getByRole("radio", { name: "简体中文" }).check({ force: true });
    await page.getByRole("heading", { name: "外观与语言" }).waitFor();
  });

  it("show another storage folder, and the last ones again", async () => {
    const other = join(visit.folder, "other");
    mkdirSync(other);
    await open("/settings");
    const storage = part("Storage folder");
    await storage.getByText("No other folder was shown yet.").waitFor();
    await storage.getByRole("button", { name: "Choose another folder…" }).click();
    await page.getByRole("textbox", { name: "Folder" }).fill(other);
    await page.keyboard.press("Enter");
    await storage.getByText(other, { exact: true }).first().waitFor();
    await storage.getByRole("button", { name: `Show ${visit.root}` }).click();
    await storage.getByRole("button", { name: `Show ${other}` }).waitFor();
  });

  it("hold the rules of what to be told of", async () => {
    await open("/settings?section=notifications");
    await part("Notifications").getByRole("button").first().waitFor();
  });

  it("say what the program is, where it keeps its things and what it said, and copy that for a report", async () => {
    await open("/settings?section=about");
    const about = part("About and diagnostics");
    await about.getByText(join(visit.viewer.home, "state"), { exact: true }).waitFor();
    await about.getByText(visit.viewer.address, { exact: true }).waitFor();
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await about.getByRole("button", { name: "Copy for a report" }).click();
    await page
      .getByRole("status")
      .getByText(/^Copied \d+ lines$/)
      .waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toContain("Version: ");
    expect(await about.getByRole("link", { name: /Every route/ }).getAttribute("href")).toBe("/docs");
  });

  it("wait, say that nothing answers, and come with another try", async () => {
    await page.route("**/api/config", (route) =>
      route.fulfill({ status: 503, json: { detail: "the disk is asleep" } }),
    );
    await open("/settings?section=about");
    await part("About and diagnostics").getByText("the disk is asleep").waitFor();
    await page.unroute("**/api/config");
    await part("About and diagnostics").getByRole("button", { name: "Try again" }).first().click();
    await part("About and diagnostics").getByText("State folder").waitFor();
  });

  it("are of use in a narrow window, in Chinese and in the dark", async () => {
    const options = { viewport: { width: 720, height: 500 }, locale: "zh-CN", colorScheme: "dark" } as const;
    const { page: other, close } = await openPage(browser(), options);
    await other.goto(`${visit.viewer.address}/settings?section=shortcuts`);
    await other.getByRole("searchbox", { name: "查找按键" }).waitFor();
    const over = () => other.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    await expect.poll(over).toBeLessThanOrEqual(0);
    await close();
  });
});

describe("keys", () => {
  it("are listed for the page one is on, then for everywhere", async () => {
    await open("/runs");
    await page.getByRole("grid", { name: "Runs" }).waitFor();
    await page.keyboard.press("?");
    await help().getByText("compare the ticked runs").waitFor();
    await help().getByText("go anywhere, do anything").waitFor();
    expect(await help().getByText("to the run before or after it in the list").count()).toBe(0);
    await page.keyboard.press("Escape");
    await open("/run/20250114_153045_a1b2c3");
    await page.getByRole("tablist").waitFor();
    await page.keyboard.press("?");
    await help().getByText("to the run before or after it in the list").waitFor();
    expect(await help().getByText("compare the ticked runs").count()).toBe(0);
  });

  it("are all found by a word or a key in the settings", async () => {
    await open("/runs");
    await page.getByRole("grid", { name: "Runs" }).waitFor();
    await page.keyboard.press("?");
    await help().getByRole("button", { name: "All keys…" }).click();
    const keys = part("Keyboard");
    await keys.getByText("restore the ticked runs, or the chosen one").waitFor();
    await keys.getByRole("searchbox", { name: "Find a key" }).fill("baseline");
    await keys.getByText("take the chosen run as the baseline of all others").waitFor();
    expect(await keys.getByText("restore the ticked runs, or the chosen one").count()).toBe(0);
    await keys.getByRole("searchbox", { name: "Find a key" }).fill("no such deed");
    await keys.getByText("No key does that.").waitFor();
  });

  it("and pages are reached from the palette: the settings", async () => {
    await open("/runs");
    await page.getByRole("grid", { name: "Runs" }).waitFor();
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").fill("settings");
    await page.keyboard.press("Enter");
    await part("Storage folder").waitFor();
  });
});
