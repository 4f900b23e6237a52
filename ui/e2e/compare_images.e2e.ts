/** What the compared runs logged, side by side in a browser: one step for all, only what is in view is fetched. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { beforeEach, describe, expect, it } from "vitest";
import { append, eventLine, imageLine, png } from "./run_root";
import { writeRun } from "./viewer";
import { SharedViewer } from "./visit";

const RED = "20260401_000000_4ed000";
const BLUE = "20260402_000000_b1e000";
const BARE = "20260403_000000_ba4e00";
const LIVE = "20260404_000000_11fe00";
const GONE = "20990101_000000_000000";
const MANY = Array.from({ length: 1000 }, (_, at) => `20260501_00${String(at).padStart(4, "0")}_aaaa00`);

/** A run whose pictures are of one colour that grows with the step. */
function record(
  root: string,
  id: string,
  alias: string,
  keys: Record<string, readonly number[]>,
  status = "finished",
): string {
  const dir = writeRun(root, { id, path: "img", alias, status });
  mkdirSync(join(dir, "media"), { recursive: true });
  append(dir, "events.jsonl", eventLine(1, { loss: 1 }));
  for (const [key, steps] of Object.entries(keys)) {
    for (const step of steps) {
      const file = `media/${key}_${step}.png`;
      writeFileSync(join(dir, file), png(step % 256, 90, alias === "red" ? 30 : 200));
      append(dir, "events.jsonl", imageLine(step, key, file, `${alias} ${key} at ${step}`));
    }
  }
  return dir;
}

const shared = new SharedViewer((root) => {
  record(root, RED, "red", { samples: [10, 20, 30, 40], masks: [10] });
  record(root, BLUE, "blue", { samples: [15, 35], depth: [15] });
  append(
    writeRun(root, { id: BARE, path: "img", alias: "bare", status: "finished" }),
    "events.jsonl",
    eventLine(1, { loss: 1 }),
  );
  record(root, LIVE, "live", { samples: [10] }, "running");
  for (const id of MANY) record(root, id, `n${id.slice(9, 15)}`, { samples: [1, 2] });
});
let page: Page;
beforeEach(() => {
  page = shared.page;
});

const open = (ids: readonly string[], more = "") =>
  page.goto(`${shared.address}/compare?tab=images&runs=${ids.join(",")}${more}`);
const grid = (): Locator => page.getByRole("grid", { name: "Pictures of the compared runs" });
/** Looked for in the grid only: a thousand rows of the list beside it take long to look through. */
const picture = (key: string, run: string, step: number | string): Locator =>
  grid().getByRole("button", { name: `Show ${key} of ${run}, step ${step}, large` });
const slider = (): Locator => page.getByRole("slider", { name: "Step for all" });
const isDrawn = (button: Locator) =>
  expect
    .poll(() => button.getByRole("img").evaluate((image) => (image as HTMLImageElement).naturalWidth))
    .toBeGreaterThan(0);

describe("runs side by side", () => {
  it("stand in a grid of keys by runs, at the latest step of each", async () => {
    await page.goto(`${shared.address}/compare?runs=${RED},${BLUE}`);
    await page.getByRole("tab", { name: "Images" }).click();
    await isDrawn(picture("samples", "red", 40));
    await isDrawn(picture("samples", "blue", 35));
    await picture("masks", "red", 10).waitFor();
    expect(await grid().getByRole("rowheader").allInnerTexts()).toEqual(["depth", "masks", "samples"]);
    const masks = grid()
      .getByRole("row")
      .filter({ has: page.getByRole("rowheader", { name: "masks" }) });
    await masks.getByText("not logged").waitFor();
  });

  it("one slider moves all of them to the nearest step at or before, and the address keeps it", async () => {
    await open([RED, BLUE]);
    await picture("samples", "red", 40).waitFor();
    // Steps of all: 10, 15, 20, 30, 35, 40.
    await slider().fill("3");
    await picture("samples", "red", 30).waitFor();
    await picture("samples", "blue", 15).waitFor();
    await page.waitForURL(/step=30/);
    await slider().fill("0");
    await picture("samples", "red", 10).waitFor();
    await grid().getByText("nothing yet at this step").first().waitFor();
    await page.waitForURL(/step=10/);
    await page.reload();
    await picture("samples", "red", 10).waitFor();
    expect(await slider().getAttribute("aria-valuetext")).toBe("10");
  });

  it("arrow keys scrub from anywhere on the page, and Space plays to the end", async () => {
    await open([RED, BLUE], "&step=30");
    await picture("samples", "red", 30).waitFor();
    await page.keyboard.press("ArrowLeft");
    await picture("samples", "red", 20).waitFor();
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("ArrowLeft");
    await picture("samples", "red", 10).waitFor();
    await page.keyboard.press("Space");
    await page.getByRole("button", { name: "Pause" }).waitFor();
    await picture("samples", "red", 40).waitFor();
    await page.getByRole("button", { name: "Play the steps" }).waitFor();
    expect(await slider().getAttribute("aria-valuetext")).toBe("40 (latest)");
  });

  it("one key alone is shown in tiles that name their runs", async () => {
    await open([RED, BLUE, BARE]);
    await page.getByRole("button", { name: "samples", exact: true }).click();
    await page.waitForURL(/key=samples/);
    await isDrawn(picture("samples", "blue", 35));
    expect(await grid().getByRole("figure").allInnerTexts()).toEqual(
      ["red", "blue", "bare"].map((name) => expect.stringContaining(name)),
    );
    await page.getByRole("combobox", { name: "Key" }).selectOption("masks");
    await picture("masks", "red", 10).waitFor();
    await page.getByRole("combobox", { name: "Key" }).selectOption("All keys");
    await picture("samples", "red", 40).waitFor();
  });

  it("steps side by side make a row for each run, with a hole where a run logged nothing", async () => {
    await open([RED, BLUE], "&key=samples");
    await page.getByRole("button", { name: "Steps", exact: true }).click();
    await isDrawn(picture("samples", "red", 20));
    await isDrawn(picture("samples", "blue", 15));
    const heads = grid().getByRole("columnheader").filter({ hasText: /\d/ });
    expect(await heads.allInnerTexts()).toEqual(["10", "15", "20", "30", "35", "40"]);
    expect(await picture("samples", "blue", 20).count()).toBe(0);
    await page.waitForURL(/across=steps/);
  });

  it("a picture opens large and closes again", async () => {
    await open([RED, BLUE]);
    await picture("samples", "blue", 35).click();
    const box = page.getByRole("dialog", { name: "Image viewer" });
    await box.getByText("blue samples at 35").waitFor();
    await page.keyboard.press("ArrowLeft");
    await box.getByText("blue samples at 15").waitFor();
    await page.keyboard.press("Escape");
    await box.waitFor({ state: "detached" });
    await picture("samples", "red", 40).waitFor();
  });

  it("a hidden run leaves the grid", async () => {
    await open([RED, BLUE]);
    await picture("samples", "red", 40).waitFor();
    await page.getByRole("checkbox", { name: "Show red" }).uncheck();
    await picture("samples", "red", 40).waitFor({ state: "detached" });
    await picture("samples", "blue", 35).waitFor();
  });
});

describe("faces", () => {
  it("teach when none of the runs logged an image", async () => {
    await open([BARE]);
    await page.getByRole("heading", { name: "No images" }).waitFor();
  });

  it("say that nobody logged a key, and lead back to all", async () => {
    await open([RED, BLUE], "&key=nothing");
    await page.getByRole("heading", { name: "None of these runs logged “nothing”." }).waitFor();
    await page.getByRole("button", { name: "All keys" }).click();
    await picture("samples", "red", 40).waitFor();
  });

  it("say that all runs are hidden", async () => {
    await open([RED], `&hide=${RED}`);
    await page.getByRole("heading", { name: "Every run is hidden" }).waitFor();
  });

  it("a run that is not here says so in its own cells", async () => {
    await open([RED, GONE], "&key=samples");
    await picture("samples", "red", 40).waitFor();
    await grid().getByRole("button", { name: "Try again" }).waitFor();
  });

  it("a list that did not arrive is asked for again", async () => {
    let fails = true;
    await page.route("**/api/run-images/**", (route) =>
      fails && route.request().url().includes(BLUE) ? route.abort() : route.continue(),
    );
    await open([RED, BLUE], "&key=samples");
    const again = grid().getByRole("button", { name: "Try again" });
    await again.waitFor();
    fails = false;
    await again.click();
    await isDrawn(picture("samples", "blue", 35));
  });

  it("a running run's new picture comes by itself", async () => {
    await open([LIVE], "&key=samples");
    await picture("samples", "live", 10).waitFor();
    const dir = join(shared.root, "runs/img", LIVE);
    writeFileSync(join(dir, "media/new.png"), png(1, 2, 3));
    append(dir, "events.jsonl", imageLine(77, "samples", "media/new.png"));
    await isDrawn(picture("samples", "live", 77));
  });
});

describe("a thousand runs", () => {
  it("only those in view are asked for and drawn, wherever one scrolls to", async () => {
    const asked: string[] = [];
    page.on("request", (request) => {
      if (/\/api\/run-(images|file|thumbnail)\//.test(request.url())) asked.push(request.url());
    });
    await open(MANY, "&key=samples");
    await isDrawn(grid().getByRole("button").first());
    expect(await grid().getByRole("figure").count()).toBeLessThan(80);
    expect(asked.length).toBeLessThan(200);
    await grid().evaluate((element) => element.scrollTo({ top: element.scrollHeight }));
    await isDrawn(picture("samples", "n000999", 2));
    expect(await grid().getByRole("figure").count()).toBeLessThan(80);
    expect(asked.length).toBeLessThan(400);
    expect(asked.some((url) => url.includes(MANY[500] ?? ""))).toBe(false);
  });

  it("a step moves all of them at once", async () => {
    await open(MANY, "&key=samples");
    await picture("samples", "n000000", 2).waitFor();
    const tookMillis = await page.evaluate(async () => {
      const began = performance.now();
      for (const key of ["ArrowLeft", "ArrowRight", "ArrowLeft", "ArrowRight", "ArrowLeft"]) {
        document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
        await new Promise(requestAnimationFrame);
      }
      return performance.now() - began;
    });
    await picture("samples", "n000000", 1).waitFor();
    expect(tookMillis).toBeLessThan(3_000);
  });
});
