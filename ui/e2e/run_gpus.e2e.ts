/** The GPUs under a run's charts: the viewer reads the one-minute means of an earlier start, so that no GPU is needed here. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BEGAN, RUN, STEPS, writeGpuRun, writeMinutes } from "./gpu_run";
import type { Viewer } from "./viewer";
import { oneBrowser, Visit } from "./visit";

const browser = oneBrowser();
let visit: Visit;
let viewer: Viewer;
let page: Page;

const group = (): Locator => page.getByRole("region", { name: "GPU while this ran" });
const chart = (name: string): Locator => page.getByRole("region", { name, exact: true });
const gpuChart = (): Locator => chart("GPU utilisation, %");
const said = (part: Locator) => expect.poll(() => part.innerText());
/** Where the cross-hair stands in a chart, in percent of its width; null for nowhere. */
const cross = async (name: string): Promise<number | null> => {
  const line = chart(name).locator(".over > .line");
  const left = (await line.count()) === 0 ? null : await line.evaluate((one: HTMLElement) => one.style.left);
  return left === null ? null : Number.parseFloat(left);
};
const near = (name: string, percent: number) =>
  expect.poll(async () => Math.abs(((await cross(name)) ?? 1000) - percent)).toBeLessThan(1);

/** Moves the pointer to a place of a chart, in percent of its width. */
async function pointAt(name: string, percent: number): Promise<void> {
  const plot = chart(name).locator(".over");
  await plot.scrollIntoViewIfNeeded();
  const box = await plot.boundingBox();
  if (!box) throw new Error(`${name} is not drawn`);
  await page.mouse.move(box.x + (box.width * percent) / 100, box.y + box.height / 2);
}

async function drag(name: string, from: number, to: number): Promise<void> {
  await pointAt(name, from);
  await page.mouse.down();
  await pointAt(name, to);
  await page.mouse.up();
}

async function begin(withMinutes = true, prepare: (root: string) => void = () => {}): Promise<void> {
  visit = await Visit.start(browser(), null, {}, (root, home) => {
    writeGpuRun(root);
    prepare(root);
    if (withMinutes) writeMinutes(home);
  });
  ({ viewer, page } = visit);
}
const open = (query = "") => page.goto(`${viewer.address}/run/${RUN}?${query}`);
const query = (name: string): string | null => new URL(page.url()).searchParams.get(name);

describe("with GPU readings of that time", () => {
  beforeEach(() => begin());
  afterEach(() => visit.end());

  it("stands under the charts with the card that the run's process used: utilisation, memory, power, temperature", async () => {
    await open();
    for (const name of ["GPU utilisation, %", "GPU memory, %", "GPU power, W", "GPU temperature, °C"]) {
      await chart(name).locator("canvas").waitFor();
    }
    await page.getByText("The cards that the process of this run used.").waitFor();
    await said(gpuChart()).toMatch(/8\d %/);
    await pointAt("GPU utilisation, %", 40);
    await said(gpuChart().locator(".tip")).toMatch(/8\d/);
  });

  it.each([
    ["wall_time", BEGAN],
    ["relative_time", 0],
  ])(
    "lies on the same axis as the charts by %s, also after a zoom from either side",
    async (axis, origin) => {
      await open(`x=${axis}`);
      await gpuChart().locator("canvas").waitFor();
      for (const place of [25, 75]) {
        await pointAt("loss", place);
        const there = (await cross("loss")) ?? Number.NaN;
        await near("GPU utilisation, %", there);
      }
      await drag("loss", 20, 60);
      await expect.poll(() => Math.abs(Number(query("from")) - origin - 120)).toBeLessThan(6);
      await pointAt("loss", 30);
      await near("GPU memory, %", (await cross("loss")) ?? Number.NaN);
      const whole = Number(query("to")) - Number(query("from"));
      await drag("GPU power, W", 50, 90);
      await expect.poll(() => Number(query("to")) - Number(query("from"))).toBeLessThan(whole * 0.45);
      await pointAt("loss", 70);
      await near("GPU temperature, °C", (await cross("loss")) ?? Number.NaN);
    },
  );

  it("stays by time under charts by step: cross-hair and zoom follow the rows, both ways", async () => {
    await open();
    await gpuChart().locator("canvas").waitFor();
    await said(page.locator(".gpus")).toContain(
      "By wall time; zoom and cross-hair follow the rows of the charts by step.",
    );
    // Half of the steps are a quarter of the time.
    await pointAt("loss", 50);
    await near("GPU utilisation, %", 25);
    await pointAt("GPU utilisation, %", 64);
    const snapped = (await cross("GPU utilisation, %")) ?? Number.NaN;
    await near("loss", Math.sqrt(snapped / 100) * 100);
    const asked = page.waitForRequest((request) => {
      const since = Number(new URL(request.url()).searchParams.get("since"));
      return request.url().includes("/api/run-gpus/") && since > BEGAN + 60;
    });
    await drag("loss", 50, 100);
    const since = Number(new URL((await asked).url()).searchParams.get("since"));
    expect(Math.abs(since - (BEGAN + 150 - 60))).toBeLessThan(6);
    // Of the steps 300 to 600, in the time from 150 s to 600 s, step 450 was recorded after 337.5 s.
    await pointAt("loss", 50);
    await near("GPU utilisation, %", ((337.5 - 150) / 450) * 100);
    await drag("GPU memory, %", 0, 50);
    await expect.poll(() => Math.abs(Number(query("to")) - Math.sqrt(375 * STEPS))).toBeLessThan(6);
  });

  it("shows the marked moment, and marks one", async () => {
    await open(`at=${BEGAN + 150}`);
    const mark = gpuChart().locator(".mark");
    await expect
      .poll(() => mark.evaluate((one: HTMLElement) => Number.parseFloat(one.style.left)))
      .toBeCloseTo(25, 1);
    await pointAt("GPU utilisation, %", 75);
    await page.mouse.down();
    await page.mouse.up();
    await expect.poll(() => Math.abs(Number(query("at")) - BEGAN - 450)).toBeLessThan(40);
  });

  it("folds away, asks nothing then, and keeps that in the address", async () => {
    await open();
    await gpuChart().locator("canvas").waitFor();
    await group()
      .getByRole("button", { name: /^GPU while this ran/ })
      .click();
    await expect.poll(() => gpuChart().count()).toBe(0);
    await expect.poll(() => query("gpus")).toBe("0");
    let asked = 0;
    page.on("request", (request) => {
      if (request.url().includes("/api/run-gpus/")) asked += 1;
    });
    await page.reload();
    await chart("loss").locator("canvas").waitFor();
    await group()
      .getByRole("button", { name: /^GPU while this ran/ })
      .waitFor();
    expect(asked).toBe(0);
    await group()
      .getByRole("button", { name: /^GPU while this ran/ })
      .press("Enter");
    await gpuChart().locator("canvas").waitFor();
  });

  it("waits, says why it has nothing, and goes on with Try again", async () => {
    const figures = "**/api/run-gpus/*";
    await page.route(figures, () => {});
    await open();
    await page.locator(".gpus .waiting").waitFor();
    await page.unroute(figures);
    await page.route(figures, (request) =>
      request.fulfill({ status: 500, json: { detail: "the driver is stuck", code: "STUCK" } }),
    );
    await page.reload();
    await said(page.locator(".gpus").getByRole("alert")).toContain("the driver is stuck");
    await page.unroute(figures);
    await page.getByRole("button", { name: "Try again" }).click();
    await gpuChart().locator("canvas").waitFor();
  });
});

describe("without readings of that time", () => {
  afterEach(() => visit.end());

  it("says in a line that this machine has no driver", async () => {
    await begin(false);
    await open();
    await page.getByText("No GPU readings: this machine has no NVIDIA driver.").waitFor();
    expect(await page.locator(".gpus canvas").count()).toBe(0);
  });

  it("says where the run ran when that was on another machine", async () => {
    await begin(true, (root) => {
      const meta = { id: RUN, path: "gpu/net", created_at: BEGAN, hostname: "gpu-07", pid: process.pid };
      writeFileSync(join(root, "runs/gpu/net", RUN, "meta.json"), JSON.stringify(meta));
    });
    await open();
    await page.getByText("This run ran on gpu-07: only the viewer there knows its GPUs.").waitFor();
  });

  it("says that the viewer was not running, with an answer given on the network", async () => {
    await begin(false);
    const answer = { chosen_by: "all", reason: "no_readings", detail: null, gpus: [] };
    await page.route("**/api/run-gpus/*", (request) => request.fulfill({ json: answer }));
    await open();
    await page.getByText("No GPU readings from that time: the viewer was not running.").waitFor();
  });
});
