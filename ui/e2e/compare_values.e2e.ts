/** Recorded values against each other on the Compare page: parallel coordinates with ranges, and the scatter plot. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { beforeEach, describe, expect, it } from "vitest";
import { append, eventLine } from "./run_root";
import { openPage, writeRun } from "./viewer";
import { closeView, SharedViewer } from "./visit";

const rates = [0.00001, 0.0001, 0.001, 0.01, 0.1];
const optimizers = ["adam", "adam", "sgd", "sgd", "lion"];
const ids = rates.map((_, at) => `20260401_00000${at}_aaaa0${at}`);
const PLAIN = "20260402_000000_bbbb00";

const shared = new SharedViewer((root) => {
  rates.forEach((lr, at) => {
    const dir = writeRun(root, { id: ids[at] ?? "", path: "sweep", alias: `run ${at}`, status: "finished" });
    const config = { args: { lr, optimizer: optimizers[at], seed: 7 }, extra: {}, config_files: [] };
    writeFileSync(join(dir, "assets.json"), JSON.stringify({ config }));
    writeFileSync(join(dir, "summary.json"), JSON.stringify({ acc: 0.5 + at / 10 }));
    append(dir, "events.jsonl", eventLine(1, { loss: 5 - at }) + eventLine(2, { loss: 4 - at }));
  });
  writeRun(root, { id: PLAIN, path: "plain", status: "finished" });
});
let page: Page;
beforeEach(() => {
  page = shared.page;
});

const open = (more = "") => page.goto(`${shared.address}/compare?runs=${ids.join(",")}&tab=values${more}`);
const parallel = (): Locator => page.getByRole("group", { name: /^Parallel coordinates/ });
const scatter = (): Locator => page.getByRole("figure", { name: /^Scatter plot/ });
const lines = (): Locator => parallel().locator("path.line");
const edge = (name: string): Locator => parallel().getByRole("slider", { name, exact: true });
const heads = (): Promise<string[]> => parallel().locator(".head b").allInnerTexts();
const picked = (name: string): Locator =>
  page.getByRole("region", { name: "Compared runs" }).getByRole("listitem").filter({ hasText: name });

const member = (name: string): string | null => new URL(page.url()).searchParams.get(name);

describe("parallel coordinates", () => {
  it("are reached by tab and key, and show the columns that differ, a line for each run", async () => {
    await page.goto(`${shared.address}/compare?runs=${ids.join(",")}`);
    await page.getByRole("region", { name: "loss", exact: true }).waitFor();
    await page.keyboard.press("2");
    await expect.poll(heads).toEqual(["lr", "optimizer", "acc", "loss"]);
    await expect.poll(() => lines().count()).toBe(5);
    await expect.poll(() => member("tab")).toBe("values");
  });

  it("keep only the runs of a dragged range, here, in the list and in the charts, and the address remembers it", async () => {
    await open();
    const grip = parallel().locator('[data-axis="config:lr"]');
    const box = await grip.boundingBox();
    if (!box) throw new Error("no axis");
    await page.mouse.move(box.x + 12, box.y + 4);
    await page.mouse.down();
    await page.mouse.move(box.x + 12, box.y + box.height * 0.4, { steps: 4 });
    await page.mouse.up();
    await page.getByText("2 of 5 runs lie within the chosen ranges").waitFor();
    await expect.poll(() => lines().count()).toBe(2);
    await expect.poll(() => picked("run 0").locator(".off").count()).toBe(1);
    await expect.poll(() => picked("run 4").locator(".off").count()).toBe(0);

    await page.getByRole("tab", { name: "Charts" }).click();
    const plot = page.getByRole("application", { name: "loss: " });
    await expect.poll(() => plot.getAttribute("aria-label")).toContain("runs: 2,");
    await page.reload();
    await expect.poll(() => plot.getAttribute("aria-label")).toContain("runs: 2,");
    await page.getByRole("button", { name: "Clear the ranges" }).click();
    await expect.poll(() => plot.getAttribute("aria-label")).toContain("runs: 5,");
  });

  it("are brushed by keys alone: both edges of every axis are sliders", async () => {
    await open();
    await edge("Highest acc").focus();
    await page.keyboard.press("PageDown");
    await page.keyboard.press("PageDown");
    await expect.poll(() => lines().count()).toBe(3);
    await expect.poll(() => edge("Highest acc").getAttribute("aria-valuetext")).toBe("0.74000");
    await edge("Lowest acc").focus();
    await page.keyboard.press("PageUp");
    await expect.poll(() => lines().count()).toBe(2);
    await page.keyboard.press("Escape");
    await expect.poll(() => lines().count()).toBe(5);
  });

  it("have words as places of an axis, each named, and bring the line forward whose run is pointed at", async () => {
    await open();
    await expect.poll(() => edge("Highest optimizer").getAttribute("aria-valuetext")).toBe("sgd");
    await expect.poll(() => edge("Lowest optimizer").getAttribute("aria-valuetext")).toBe("adam");
    await parallel().getByText("lion").waitFor();
    await picked("run 3").hover();
    await expect.poll(() => parallel().locator("path.front").count()).toBe(1);
    const line = parallel().locator(`path.line[data-run="${ids[1]}"]`);
    await line.dispatchEvent("pointerenter");
    await expect.poll(() => picked("run 1").getAttribute("class")).toContain("pointed");
  });

  it("take the columns that are chosen, and the address remembers them", async () => {
    await open();
    await page.getByRole("button", { name: "Columns" }).click();
    await page.getByRole("searchbox", { name: "Find columns" }).fill("seed");
    await page.getByRole("checkbox", { name: /^seed/ }).check();
    await page.keyboard.press("Escape");
    await expect.poll(heads).toEqual(["lr", "optimizer", "acc", "loss", "seed"]);
    await expect.poll(() => member("axes")).toContain("config:seed");
    await page.reload();
    await expect.poll(heads).toEqual(["lr", "optimizer", "acc", "loss", "seed"]);
  });
});

describe("the scatter plot", () => {
  it("has a point for each run, whose link leads to the run", async () => {
    await open("&x_value=config:lr&y_value=summary:acc");
    await expect.poll(() => scatter().getByRole("link").count()).toBe(5);
    const point = scatter().getByRole("link", { name: "run 4: lr 0.10000, acc 0.90000" });
    await point.focus();
    await scatter().getByText("run 4: lr 0.10000, acc 0.90000").waitFor();
    await page.keyboard.press("Enter");
    await expect.poll(() => new URL(page.url()).pathname).toBe(`/run/${ids[4]}`);
  });

  it("shows any two columns, chosen by name", async () => {
    await open();
    await page.getByLabel("Across").selectOption("loss");
    await page.getByRole("combobox", { name: "Up" }).selectOption("lr");
    await scatter().getByRole("link", { name: "run 0: loss 4, lr 1e−5" }).waitFor();
    await expect.poll(() => member("x_value")).toBe("last:loss");
  });
});

describe("faces of the values", () => {
  it("teach how values are recorded where there are none", async () => {
    await page.goto(`${shared.address}/compare?runs=${PLAIN}&tab=values`);
    await page.getByRole("heading", { name: "No values to set against each other" }).waitFor();
  });

  it("say that the values could not be loaded, and try again", async () => {
    await page.route("**/api/run-values", (route) => route.abort());
    await open();
    await page.getByRole("heading", { name: "This could not be loaded" }).waitFor();
    await page.unroute("**/api/run-values");
    await page.getByRole("button", { name: "Try again" }).click();
    await expect.poll(() => lines().count()).toBe(5);
  });

  it("wait in words", async () => {
    let release: () => void = () => {};
    const held = new Promise<void>((done) => {
      release = done;
    });
    await page.route("**/api/run-values", async (route) => {
      await held;
      await route.continue();
    });
    await open();
    await page.getByRole("status").filter({ hasText: "Loading" }).waitFor();
    release();
    await expect.poll(() => lines().count()).toBe(5);
  });

  it("can be used in a narrow window, in Chinese and in the dark", async () => {
    const narrow = await openPage(shared.browser, {
      viewport: { width: 720, height: 700 },
      locale: "zh-CN",
      colorScheme: "dark",
    });
    await narrow.page.goto(`${shared.address}/compare?runs=${ids.join(",")}&tab=values`);
    await narrow.page
      .getByRole("group", { name: /^平行坐标/ })
      .locator("path.line")
      .nth(4)
      .waitFor();
    const wide = await narrow.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(wide).toBeLessThanOrEqual(0);
    await closeView(narrow);
  });
});
