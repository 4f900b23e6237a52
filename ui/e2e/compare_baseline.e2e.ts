/** One run as the baseline that the others are held against: in the list, the table, the charts and the values. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { beforeEach, describe, expect, it } from "vitest";
import { append, eventLine } from "./run_root";
import { openPage, writeRun } from "./viewer";
import { SharedViewer } from "./visit";

const A = "20260601_000000_aaaa00";
const B = "20260602_000000_bbbb00";
const C = "20260603_000000_cccc00";

const shared = new SharedViewer((root) => {
  for (const [id, alias, lr, best, loss] of [
    [A, "first", 0.1, 0.5, 2],
    [B, "second", 0.1, 0.75, 1],
    [C, "third", 0.3, 0.4, 4],
  ] as const) {
    const dir = writeRun(root, { id, path: "base", alias, status: "finished" });
    writeFileSync(join(dir, "assets.json"), JSON.stringify({ config: { args: { lr }, extra: {} } }));
    const summary = {
      best_metric_name: "acc",
      best_metric_value: best,
      best_metric_step: 1,
      best_metric_mode: "max",
    };
    writeFileSync(join(dir, "summary.json"), JSON.stringify(summary));
    for (let step = 0; step < 20; step += 1)
      append(dir, "events.jsonl", eventLine(step, { loss, acc: best / 2 }));
  }
});
let page: Page;
beforeEach(() => {
  page = shared.page;
});

const open = (more = "") => page.goto(`${shared.address}/compare?runs=${A},${B},${C}${more}`);
const picks = (): Locator => page.getByRole("region", { name: "Compared runs" });
const pick = (name: string): Locator => picks().getByRole("listitem").filter({ hasText: name });
const bar = (): Locator => page.getByRole("group", { name: "Baseline" });
const member = (name: string): string | null => new URL(page.url()).searchParams.get(name);
const plot = (): Locator => page.getByRole("application", { name: "loss: " });
const row = (name: string): Locator =>
  page
    .getByRole("table")
    .getByRole("row")
    .filter({ has: page.getByRole("rowheader", { name, exact: true }) });

describe("the baseline", () => {
  it("is chosen by its button, and the list says how the others differ, with direction", async () => {
    await open();
    await pick("first").hover();
    await page.getByRole("button", { name: "Hold the others against first" }).click();
    await bar().getByText("first").waitFor();
    await expect.poll(() => member("baseline")).toBe(A);
    await pick("second").getByText("+0.25 · +50.0 %").waitFor();
    await pick("second").getByText("better").waitFor();
    await pick("third").getByText("−0.1 · −20.0 %").waitFor();
    await pick("third").getByText("worse").waitFor();
    await bar().getByText("More is better").waitFor();
    await page.reload();
    await pick("second").getByText("+0.25 · +50.0 %").waitFor();
    await page.getByRole("button", { name: "No baseline" }).click();
    await pick("second").getByText("+0.25").waitFor({ state: "detached" });
    await expect.poll(() => member("baseline")).toBeNull();
  });

  it("is chosen by the key B on a row, and once more is none", async () => {
    await open();
    await picks().getByRole("checkbox", { name: "Show second" }).focus();
    await page.keyboard.press("b");
    await bar().getByText("second").waitFor();
    await pick("first").getByText("−0.25 · −33.3 %").waitFor();
    await page.keyboard.press("b");
    await bar().waitFor({ state: "detached" });
  });

  it("says no direction of a metric of which nobody knows it", async () => {
    await open(`&baseline=${A}`);
    await bar()
      .getByRole("combobox", { name: "What the difference is of" })
      .selectOption({ label: "last loss" });
    await pick("second").getByText("−1 · −50.0 %").waitFor();
    expect(
      await pick("second")
        .getByText(/better|worse/)
        .count(),
    ).toBe(0);
    await expect.poll(() => member("diff")).toBe("last:loss");
    expect(await bar().getByText("More is better").count()).toBe(0);
  });

  it("has its differences in the table, and marks what is not as it has it", async () => {
    await open(`&baseline=${C}&tab=changed`);
    await row("best acc").waitFor();
    expect(await row("best acc").getByRole("cell").allInnerTexts()).toEqual([
      expect.stringMatching(/^0\.50000\s*\+0\.1 · \+25\.0 %\s*better$/),
      expect.stringMatching(/^0\.75000\s*\+0\.35 · \+87\.5 %\s*better$/),
      "0.40000",
    ]);
    expect(await row("last loss").getByRole("cell").first().innerText()).toMatch(/^2\s*−2 · −50\.0 %$/);
    // Without a baseline 0.3 would be the odd one.
    expect(await row("lr").getByRole("cell", { name: "0.1, differs" }).count()).toBe(2);
    await page.getByRole("columnheader", { name: /third/ }).getByRole("img", { name: "Baseline" }).waitFor();
    await page.getByRole("searchbox", { name: "Find names and values" }).fill("loss");
    await row("best acc").waitFor({ state: "detached" });
    await row("last loss").waitFor();
  });

  it("is bold in the charts and in the parallel coordinates, and the scatter plot says the difference", async () => {
    await open();
    await expect.poll(() => plot().getAttribute("aria-label")).toContain("runs: 3,");
    /** Rows of pixels of the first canvas at one column that are not empty: how thick the lines are together. */
    const ink = () =>
      plot()
        .locator("canvas")
        .first()
        .evaluate((element) => {
          const canvas = element as HTMLCanvasElement;
          const context = canvas.getContext("2d") as CanvasRenderingContext2D;
          const { data } = context.getImageData(Math.round(canvas.width * 0.53), 0, 1, canvas.height);
          let sum = 0;
          for (let at = 3; at < data.length; at += 4) sum += data[at] ?? 0;
          return sum;
        });
    const before = await ink();
    await pick("first").hover();
    await page.keyboard.press("b");
    await page.mouse.move(2, 2);
    await expect.poll(ink).toBeGreaterThan(before + 150);
    await page.keyboard.press("2");
    await expect.poll(() => page.locator("path.line.strong").getAttribute("data-run")).toBe(A);
    await page.getByRole("combobox", { name: "Up" }).selectOption("last:loss");
    await page.getByRole("link", { name: /second: .* loss 1 \(−1 · −50\.0 %\)/ }).waitFor();
  });

  it("goes with its run when that is taken out", async () => {
    await open(`&baseline=${B}`);
    await bar().waitFor();
    await pick("second").hover();
    await page.getByRole("button", { name: "Take second out of the comparison" }).click();
    await bar().waitFor({ state: "detached" });
    await expect.poll(() => member("baseline")).toBeNull();
  });

  it("can be used in a narrow window, in Chinese and in the dark", async () => {
    const narrow = await openPage(shared.browser, {
      viewport: { width: 900, height: 640 },
      locale: "zh-CN",
      colorScheme: "dark",
    });
    await narrow.page.goto(`${shared.address}/compare?runs=${A},${B}&baseline=${A}`);
    await narrow.page.getByRole("group", { name: "基准" }).waitFor();
    await narrow.page.getByText("更好").first().waitFor();
    expect(await narrow.page.evaluate(() => document.documentElement.scrollWidth > innerWidth)).toBe(false);
    expect(narrow.faults).toEqual([]);
    await narrow.close();
  });
});
