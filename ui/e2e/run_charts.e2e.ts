/** What the charts of a run say and give beside their lines: range, loaded points, links, pictures, marks, bands. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { beforeEach, describe, expect, it } from "vitest";
import { eventLine, LIVE, ODD, writeLiveRun, writeOddRun } from "./run_root";
import { writeRun } from "./viewer";
import { SharedViewer } from "./visit";

const NOISE = "20260301_000000_a0a0a0";
const OTHER = "20260302_000000_b0b0b0";
/** Spikes of the noisy run, and how many points it has. */
const SPIKES = new Map([
  [4000, 1000],
  [9000, -1000],
  [15_000, 5000],
]);
const POINTS = 20_000;

function writeNoise(root: string, id: string): void {
  const dir = writeRun(root, { id, path: "noise", status: "finished" });
  const rows: string[] = [];
  for (let step = 1; step <= POINTS; step += 1) {
    const loss = SPIKES.get(step) ?? 5 + Math.sin(step * 12.9898) * 2;
    rows.push(
      eventLine(step, { loss, ...(step <= 3 ? { "layer/10": step, "layer/9": step, "a/b": step } : {}) }),
    );
  }
  writeFileSync(join(dir, "events.jsonl"), rows.join(""));
}

const shared = new SharedViewer((root) => {
  writeNoise(root, NOISE);
  writeNoise(root, OTHER);
  writeLiveRun(root, LIVE);
  writeOddRun(root);
});
let page: Page;
beforeEach(() => {
  page = shared.page;
});

const open = (id: string, query = "") =>
  page.goto(`${shared.address}/run/${id}${query === "" ? "" : `?${query}`}`);
const plot = (metric: string, within: Page | Locator = page): Locator =>
  within.getByRole("application", { name: `${metric}: ` });
const full = (metric: string): Locator => page.getByRole("dialog", { name: metric, exact: true });

/** How many pixels of a canvas are of a colour of the theme, with an alpha between two. */
function inkOf(canvas: Locator, token: string, [low, high]: [number, number] = [250, 255]): Promise<number> {
  return canvas.first().evaluate(
    (element, { token, low, high }) => {
      const { width, height } = element as HTMLCanvasElement;
      const hex = getComputedStyle(document.documentElement).getPropertyValue(token).trim();
      const rgb = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
      const context = (element as HTMLCanvasElement).getContext("2d") as CanvasRenderingContext2D;
      const { data } = context.getImageData(0, 0, width, height);
      let ink = 0;
      for (let at = 0; at < data.length; at += 4) {
        const alpha = data[at + 3] ?? 0;
        // Faint pixels come back a little off their colour.
        if (
          alpha >= low &&
          alpha <= high &&
          rgb.every((part, i) => Math.abs(part - (data[at + i] ?? 0)) <= 4)
        )
          ink += 1;
      }
      return ink;
    },
    { token, low, high },
  );
}

describe("the range without outliers", () => {
  it("lets the bulk of a curve fill the chart, marks and counts what is cut off, and is in the address", async () => {
    await open(NOISE, "q=loss");
    const canvas = plot("loss").locator("canvas");
    await expect.poll(() => plot("loss").getAttribute("aria-label")).toContain("from −1000 to 5000");
    await expect.poll(() => inkOf(canvas, "--s1")).toBeGreaterThan(100);
    const squeezed = await inkOf(canvas, "--s1");
    await page.getByRole("combobox", { name: "Range" }).selectOption("without outliers");
    await page.getByText("↑ 2 ↓ 1 · 3 drawn points outside the range").waitFor();
    await expect
      .poll(() => plot("loss").getAttribute("aria-label"))
      .toContain("3 drawn points outside the range");
    await expect.poll(() => inkOf(canvas, "--s1")).toBeGreaterThan(10 * squeezed);
    await expect.poll(() => page.url()).toContain("range=robust");
    await page.reload();
    await page.getByText("3 drawn points outside the range").waitFor();
    await page.getByRole("combobox", { name: "Range" }).selectOption("all");
    await page.getByText("3 drawn points outside the range").waitFor({ state: "detached" });
    await expect.poll(() => page.url()).not.toContain("range=");
  });

  it("counts within the zoom, and keeps the full values in the cross-hair", async () => {
    await open(NOISE, "chart=loss&range=robust&from=3990&to=4010");
    await full("loss").getByText("1 drawn point outside the range").waitFor();
    await plot("loss", full("loss")).focus();
    await page.keyboard.press("Home");
    // The first point is the one before the window.
    for (let step = 3989; step < 4000; step += 1) await page.keyboard.press("ArrowRight");
    await expect.poll(() => full("loss").locator(".value").textContent()).toBe("1000");
  });

  it("holds for a comparison too", async () => {
    await page.goto(`${shared.address}/compare?runs=${NOISE},${OTHER}&range=robust&q=loss`);
    await page.getByText("6 drawn points outside the range").waitFor();
  });
});

describe("the line about loaded points", () => {
  it("says how many of how many are there, and that no more will come of an ended run", async () => {
    await open(NOISE, "q=loss");
    const line = page.getByText(/^Loaded [\d,]+ of 20,009 points · ended, no more will come$/);
    await line.waitFor();
    const told = async () =>
      Number(/Loaded ([\d,]+)/.exec((await line.textContent()) ?? "")?.[1]?.replaceAll(",", ""));
    await expect.poll(told).toBeGreaterThan(500);
    expect(await told()).toBeLessThan(10_000);
  });

  it("says since when a running run is followed", async () => {
    await open(LIVE);
    await page.getByText(/^Loaded 60 of 60 points · live since \d\d:\d\d$/).waitFor();
  });
});

describe("a chart over the whole page", () => {
  it("gives a link to exactly this view", async () => {
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await open(NOISE, "chart=loss&from=3000&to=5000&smooth=ema%3A0.5&logy=1");
    await full("loss").getByRole("button", { name: "Copy link" }).click();
    await page.getByText("Link to this view copied.").waitFor();
    const link = new URL(await page.evaluate(() => navigator.clipboard.readText()));
    expect(link.pathname).toBe(`/run/${NOISE}`);
    expect(Object.fromEntries(link.searchParams)).toEqual({
      chart: "loss",
      from: "3000",
      to: "5000",
      smooth: "ema:0.5",
      logy: "1",
    });
    await page.goto("about:blank");
    await page.goto(link.href);
    await full("loss")
      .getByText(/EMA 0.5/)
      .waitFor();
    await full("loss").getByRole("button", { name: "Show everything" }).waitFor();
  });

  it("goes to the clipboard as a picture with its name, on its ground", async () => {
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await open(NOISE, "chart=loss");
    const canvas = plot("loss", full("loss")).locator("canvas");
    await expect.poll(() => inkOf(canvas, "--s1")).toBeGreaterThan(100);
    await full("loss").getByRole("button", { name: "Copy picture" }).click();
    await page.getByText("Picture copied.").waitFor();
    const copied = await page.evaluate(async () => {
      const [item] = await navigator.clipboard.read();
      const picture = await createImageBitmap((await item?.getType("image/png")) as Blob);
      const read = new OffscreenCanvas(picture.width, picture.height).getContext(
        "2d",
      ) as OffscreenCanvasRenderingContext2D;
      read.drawImage(picture, 0, 0);
      const { data } = read.getImageData(0, 0, picture.width, picture.height);
      let clear = 0;
      for (let at = 3; at < data.length; at += 4) if (data[at] !== 255) clear += 1;
      return { width: picture.width, height: picture.height, clear };
    });
    const own = await canvas.evaluate((element) => {
      const { width, height } = element as HTMLCanvasElement;
      return { width, height };
    });
    expect(copied).toEqual({ width: own.width, height: own.height + 34, clear: 0 });
  });

  it("is saved as a picture", async () => {
    await open(NOISE, "chart=loss");
    const saving = page.waitForEvent("download");
    await full("loss").getByRole("button", { name: "Save picture" }).click();
    expect((await saving).suggestedFilename()).toBe("loss.png");
  });

  it("says so where pictures cannot be copied", async () => {
    await page.addInitScript(() => {
      Object.defineProperty(window, "ClipboardItem", { value: undefined });
    });
    await open(NOISE, "chart=loss");
    await full("loss").getByRole("button", { name: "Copy picture" }).click();
    await page.getByText("This browser does not put pictures on the clipboard.").waitFor();
  });
});

describe("what a chart shows", () => {
  it("marks NaN and infinities in the colour of warnings", async () => {
    await open(ODD, "q=gaps");
    await expect.poll(() => inkOf(plot("gaps").locator("canvas"), "--warn")).toBeGreaterThan(20);
    await open(ODD, "q=constant");
    await plot("constant").waitFor();
    expect(await inkOf(plot("constant").locator("canvas"), "--warn")).toBe(0);
  });

  it.each(["ema:0.9", "gaussian:8", "running_mean:50"])(
    "keeps the band of the raw values behind a line smoothed by %s",
    async (smooth) => {
      await open(NOISE, `q=loss&range=robust&smooth=${smooth}`);
      const canvas = plot("loss").locator("canvas");
      await expect.poll(() => inkOf(canvas, "--s1", [70, 84])).toBeGreaterThan(5000);
      await expect.poll(() => inkOf(canvas, "--s1")).toBeGreaterThan(200);
    },
  );

  it("has groups in a natural order, the one without a name first", async () => {
    await open(NOISE);
    await plot("layer/9").waitFor();
    const names = await page
      .locator("[data-metric]")
      .evaluateAll((all) => all.map((one) => one.getAttribute("data-metric")));
    expect(names).toEqual(["loss", "a/b", "layer/9", "layer/10"]);
  });
});
