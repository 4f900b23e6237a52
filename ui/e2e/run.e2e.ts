import type { Locator, Page, Response } from "playwright-core";
import { beforeEach, describe, expect, it } from "vitest";
import { RunPage } from "./run_page";
import {
  append,
  EMPTY,
  eventLine,
  finish,
  HOSTILE,
  LIVE,
  LONG,
  MEDIA,
  ODD,
  SPIKE,
  WIDE,
  writeEmptyRun,
  writeHostileRun,
  writeLiveRun,
  writeLongRun,
  writeMediaRun,
  writeOddRun,
  writeWideRun,
} from "./run_root";
import { copyFixture } from "./viewer";

const YOLO = "20250114_153045_a1b2c3";
const DATA = "20250120_111111_0a0b0c";
const BROKEN = "20250123_010101_badbad";
const OLD = "20250119_080000_de1e7e";

const shared = new RunPage((root) => {
  copyFixture("runicorn-0.6.0", root);
  writeLiveRun(root, LIVE);
  writeLongRun(root);
  writeHostileRun(root);
  writeEmptyRun(root);
  writeMediaRun(root);
  writeOddRun(root);
  writeWideRun(root);
});
let page: Page;
beforeEach(() => {
  page = shared.page;
});

const open = (id: string, query = "") => shared.open(id, query);
const ownLiveRun = () => shared.ownLiveRun();

const chart = (metric: string): Locator => page.getByRole("region", { name: metric, exact: true });
const plot = (metric: string): Locator => page.getByRole("application", { name: `${metric}: ` });

/** The next answer of the series endpoint that draws this metric and fits; a late one to an earlier wish does not. */
async function nextSeries(
  metric: string,
  fits: (asked: SeriesRequest, answer: SeriesAnswer) => boolean = () => true,
): Promise<{ request: SeriesRequest; answer: SeriesAnswer }> {
  const requestOf = (one: Response) => one.request().postDataJSON() as SeriesRequest;
  const response = await page.waitForResponse(async (one) => {
    if (!one.url().endsWith("/api/series") || !requestOf(one).metrics.includes(metric)) return false;
    return fits(requestOf(one), (await one.json()) as SeriesAnswer);
  });
  return { request: requestOf(response), answer: (await response.json()) as SeriesAnswer };
}

interface SeriesRequest {
  metrics: string[];
  x: string;
  from: number | null;
  to: number | null;
  log_x: boolean;
  smoothing: { kind: string; amount: number } | null;
  cursor: string | null;
}

/** How much of the x axis was asked for. */
const widthOf = (asked: SeriesRequest): number => (asked.to ?? Infinity) - (asked.from ?? -Infinity);

interface SeriesAnswer {
  delta: boolean;
  series: { metric: string; x: number[]; y: number[]; smooth: number[] | null; points: number }[];
}

/** What a chart's drawing says of itself, once it says this. */
const says = (metric: string, words: string) =>
  expect.poll(() => plot(metric).getAttribute("aria-label")).toContain(words);

/** How many pixels of a chart's canvas are of the first series' colour. */
function inkOf(metric: string): Promise<number> {
  return plot(metric)
    .locator("canvas")
    .evaluate((element) => {
      const canvas = element as HTMLCanvasElement;
      const context = canvas.getContext("2d");
      const colour = getComputedStyle(document.documentElement).getPropertyValue("--s1").trim();
      const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
      const { data } = (context as CanvasRenderingContext2D).getImageData(0, 0, canvas.width, canvas.height);
      let ink = 0;
      for (let at = 0; at < data.length; at += 4) {
        if (data[at] === red && data[at + 1] === green && data[at + 2] === blue && data[at + 3] === 255)
          ink += 1;
      }
      return ink;
    });
}

describe("head", () => {
  it("says who the run is and how it is, with the reason", async () => {
    await open(LIVE);
    await page.getByRole("heading", { name: "live one" }).waitFor();
    await page.getByText("Running", { exact: true }).waitFor();
    await page.getByText("its process is alive").waitFor();
    await page.getByText(LIVE, { exact: true }).first().waitFor();
    await page.getByRole("link", { name: "live/net" }).waitFor();
    await expect.poll(() => page.title()).toContain("live one");
  });

  it("shows a face for a run that is not here, with a way back", async () => {
    await open("20990101_000000_000000");
    await page.getByRole("heading", { name: "No run here has this id" }).waitFor();
    await page.getByRole("button", { name: "Back to runs" }).click();
    await page.waitForURL(/\/runs/);
  });

  it("says that a deleted run is in the recycle bin and puts it back", async () => {
    await page.request.post(`${shared.address}/api/runs/soft-delete`, { data: { run_ids: [OLD] } });
    await open(OLD);
    await page.getByText("This run is in the recycle bin").waitFor();
    await page.getByRole("button", { name: "Put back" }).click();
    await page.getByText("This run is in the recycle bin").waitFor({ state: "detached" });
  });

  it("renames a run and tags it", async () => {
    await open(MEDIA);
    await page.getByRole("button", { name: "Name and tags" }).click();
    await page.getByLabel("Name", { exact: true }).fill("pictures");
    await page.getByLabel("Tags", { exact: true }).fill("one, two");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByRole("heading", { name: "pictures" }).waitFor();
    await page.getByText("two", { exact: true }).waitFor();
  });

  it("moves a run to the recycle bin and takes it back", async () => {
    await open(EMPTY);
    await page.getByRole("button", { name: "More actions" }).click();
    await page.getByRole("menuitem", { name: "Move to recycle bin" }).click();
    await page.getByText("This run is in the recycle bin").waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText("This run is in the recycle bin").waitFor({ state: "detached" });
  });

  it("exports a run as a zip", async () => {
    await open(MEDIA);
    await page.getByRole("button", { name: "More actions" }).click();
    const saving = page.waitForEvent("download");
    await page.getByRole("menuitem", { name: "Export as zip" }).click();
    expect((await saving).suggestedFilename()).toBe(`${MEDIA}.zip`);
  });

  it("goes through its parts by number and back to the list by Escape", async () => {
    await open(YOLO);
    await page.getByRole("heading", { level: 1 }).waitFor();
    for (const [key, name] of [
      ["2", "Logs"],
      ["3", "Images"],
      ["4", "Assets"],
      ["5", "Overview"],
      ["1", "Charts"],
    ] as const) {
      await page.keyboard.press(key);
      await page.locator('[role="tab"][aria-selected="true"]', { hasText: name }).waitFor();
    }
    await page.keyboard.press("Escape");
    await page.waitForURL(/\/runs/);
  });

  it("goes on to the neighbours in the list", async () => {
    await open(DATA, "tab=logs");
    await page.getByRole("button", { name: /Next run in the list/ }).waitFor();
    await page.keyboard.press("]");
    await page.waitForURL(
      (url) => url.pathname.startsWith("/run/") && !url.pathname.endsWith(DATA) && url.search === "?tab=logs",
    );
    await page.getByRole("button", { name: /Previous run in the list/ }).waitFor();
    await page.keyboard.press("[");
    await page.waitForURL(`**/run/${DATA}?tab=logs`);
  });
});

describe("charts", () => {
  it("stand in groups, each with its last value", async () => {
    await open(LIVE);
    await page.getByRole("button", { name: /^train/ }).waitFor();
    await chart("train/loss").getByText("0.050000").waitFor();
    await chart("train/acc").getByText("0.20000").waitFor();
    await says("train/loss", "20 points drawn");
    await expect.poll(() => inkOf("train/loss")).toBeGreaterThan(50);
  });

  it("fold by group, and the address remembers it", async () => {
    await open(LIVE);
    await chart("train/loss").waitFor();
    await page.getByRole("button", { name: /^train/ }).click();
    await chart("train/loss").waitFor({ state: "detached" });
    await page.waitForURL(/fold=/);
    await page.reload();
    await page.getByRole("button", { name: /^train/, expanded: false }).waitFor();
    await chart("lr").waitFor();
    await expect.poll(() => chart("train/loss").count()).toBe(0);
  });

  it("are found by a part of their name", async () => {
    await open(LIVE);
    await chart("lr").waitFor();
    await page.getByRole("searchbox", { name: "Find metrics" }).fill("acc");
    await chart("lr").waitFor({ state: "detached" });
    await chart("train/acc").waitFor();
    await page.getByText("1 of 3 charts").waitFor();
  });

  it("zoomed by a drag ask the server again, and a spike of one point is there on every scale", async () => {
    const first = nextSeries("loss");
    await open(LONG);
    const whole = (await first).answer.series[0];
    expect(whole?.points).toBe(200_000);
    expect(whole?.x.length).toBeLessThanOrEqual(4 * 1500);
    expect(Math.max(...(whole?.y ?? []))).toBe(SPIKE.value);
    await says("loss", "to 99.5");

    const second = nextSeries("loss", (asked) => asked.from !== null);
    const box = await plot("loss").locator(".over").boundingBox();
    if (!box) throw new Error("the chart has no place");
    await page.mouse.move(box.x + box.width * 0.6, box.y + 50);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.65, box.y + 50, { steps: 4 });
    await page.mouse.up();
    const { request, answer } = await second;
    expect(request.from).toBeGreaterThan(115_000);
    expect(request.to).toBeLessThan(135_000);
    expect(answer.series[0]?.y).toContain(SPIKE.value);
    await page.waitForURL(/from=.*to=/);

    const third = nextSeries("loss", (asked) => asked.from === null);
    await plot("loss").dblclick({ position: { x: 200, y: 60 } });
    await third;
    await page.waitForURL((url) => !url.search.includes("from="));
  });

  it("zoom by the wheel and by keys, and Escape shows everything before it leaves the page", async () => {
    await open(LONG);
    await plot("loss").waitFor();
    await says("loss", "to 99.5");
    await plot("loss").hover();
    const wheeled = nextSeries("loss", (asked) => asked.from !== null);
    await page.keyboard.down("Control");
    await page.mouse.wheel(0, -240);
    await page.keyboard.up("Control");
    const wheel = widthOf((await wheeled).request);

    await plot("loss").focus();
    const keyed = nextSeries("loss", (asked) => widthOf(asked) < wheel);
    await page.keyboard.press("+");
    await keyed;
    const reset = nextSeries("loss", (asked) => asked.from === null);
    await page.keyboard.press("Escape");
    await reset;
    expect(page.url()).toContain(`/run/${LONG}`);
  });

  it("are smoothed over the whole series, the raw line stays behind", async () => {
    await open(LONG);
    await plot("loss").waitFor();
    const smoothed = nextSeries("loss", (asked) => asked.smoothing !== null);
    await page.getByLabel("Smoothing").selectOption("ema");
    const { request, answer } = await smoothed;
    expect(request.smoothing).toEqual({ kind: "ema", amount: 0.9 });
    const series = answer.series[0];
    expect(series?.smooth).toHaveLength(series?.x.length ?? -1);
    expect(Math.max(...(series?.y ?? []))).toBe(SPIKE.value);
    expect(Math.max(...(series?.smooth ?? []))).toBeLessThan(SPIKE.value / 2);
    await chart("loss")
      .getByText(/EMA 0.9/)
      .waitFor();
    await page.waitForURL(/smooth=ema/);
  });

  it("have logarithmic axes and say what cannot stand on them", async () => {
    await open(ODD, "q=mixed");
    await plot("mixed").waitFor();
    await page.getByRole("button", { name: "log y" }).click();
    await chart("mixed").getByText("5 not above 0").waitFor();
    const asked = nextSeries("mixed", (request) => request.log_x);
    await page.getByRole("button", { name: "log x" }).click();
    await asked;
  });

  it("run over steps, times or another metric", async () => {
    await open(LIVE);
    await plot("train/loss").waitFor();
    for (const x of ["relative_step", "wall_time", "relative_time", "metric:train/acc"]) {
      const asked = nextSeries("train/loss", (request) => request.x === x);
      // Thousands of names are listed when someone comes to the list.
      await page.getByLabel("X axis").focus();
      await page.getByLabel("X axis").selectOption(x);
      await asked;
    }
    await chart("train/loss")
      .getByText(/^train\/acc ·/)
      .waitFor();
  });

  it("draw gaps, single points, constants, repeated and backward steps, huge and tiny values", async () => {
    await open(ODD);
    for (const metric of ["gaps", "constant", "huge", "tiny", "back", "one"]) {
      await chart(metric).scrollIntoViewIfNeeded();
      await plot(metric).waitFor();
      await expect.poll(() => inkOf(metric), { message: metric }).toBeGreaterThan(2);
    }
    await chart("gaps")
      .getByText(/3 NaN or infinite/)
      .waitFor();
    await says("back", "3 points drawn");
    await says("huge", "4e19");
  });

  it("share one cross-hair, moved by pointer or arrows, and read the value out", async () => {
    await open(LIVE);
    await plot("train/loss").waitFor();
    await plot("train/acc").waitFor();
    await plot("train/loss").focus();
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowRight");
    await chart("train/loss").getByText("0.50000").first().waitFor();
    await chart("train/acc").getByText("0.020000").first().waitFor();
    await chart("train/loss").getByText("step 2", { exact: true }).waitFor();
  });

  it("get new points while the run writes, and only the new ones travel", async () => {
    const { id, dir } = await ownLiveRun();
    await open(id);
    await says("train/loss", "20 points drawn");
    const stepsIn = (answer: SeriesAnswer) =>
      answer.series.find((series) => series.metric === "train/loss")?.x ?? [];
    const update = nextSeries("train/loss", (_, answer) => stepsIn(answer).includes(21));
    append(dir, "events.jsonl", eventLine(21, { "train/loss": 0.321, "train/acc": 0.5, lr: 0.001 }));
    await chart("train/loss").getByText("0.32100").waitFor();
    const { request, answer } = await update;
    expect(request.cursor).not.toBeNull();
    expect(answer.delta).toBe(true);
    expect(stepsIn(answer)).toEqual([21]);
    await says("train/loss", "21 points drawn");
  });

  it("appear for a metric that is logged for the first time", async () => {
    const { id, dir } = await ownLiveRun();
    await open(id);
    await chart("train/loss").waitFor();
    append(dir, "events.jsonl", eventLine(22, { "val/new": 5 }));
    await chart("val/new").waitFor();
  });

  it("are pinned to the top, and stay so", async () => {
    await open(LIVE);
    await chart("train/loss").hover();
    await page.getByRole("button", { name: "Pin train/loss to the top" }).click();
    await page.getByRole("region", { name: "Pinned" }).getByText("train/loss").first().waitFor();
    await page.reload();
    await page.getByRole("region", { name: "Pinned" }).waitFor();
  });

  it("fill the page one at a time", async () => {
    await open(LIVE, "chart=train%2Floss");
    const full = page.getByRole("dialog", { name: "train/loss" });
    await full.getByRole("application", { name: "train/loss: " }).waitFor();
    await page.keyboard.press("Escape");
    await full.waitFor({ state: "detached" });
    expect(page.url()).toContain(`/run/${LIVE}`);
  });

  it("are fetched and drawn only where one looks", async () => {
    const asked = new Set<string>();
    page.on("request", (request) => {
      if (!request.url().endsWith("/api/series")) return;
      for (const metric of (request.postDataJSON() as SeriesRequest).metrics) asked.add(metric);
    });
    await open(WIDE);
    await plot("layer/0").waitFor();
    expect(asked.size).toBeLessThan(60);
    expect(await page.locator("canvas").count()).toBeLessThan(60);
    await page.getByText("600 charts").waitFor();
    await plot("layer/0").hover();
    await page.mouse.wheel(0, 1_000_000);
    await plot("layer/599").waitFor();
    await chart("layer/599").getByText("602", { exact: true }).waitFor();
    await plot("layer/0").waitFor({ state: "detached" });
    expect(asked.size).toBeLessThan(200);
  });

  it("teach when there are none", async () => {
    await open(EMPTY);
    await page.getByText("This run ended without logging a number.").waitFor();
  });

  it("say why they cannot be loaded, and try again", async () => {
    await page.route("**/api/series", (route) =>
      route.fulfill({ status: 500, json: { detail: "The disk did not answer." } }),
    );
    await open(LIVE, "q=lr");
    await page.getByText("The disk did not answer.").waitFor();
    await page.unroute("**/api/series");
    await page.getByRole("button", { name: "Try again" }).first().click();
    await plot("lr").waitFor();
  });
});

describe("images", () => {
  it("stand by key, at the last step until another is chosen", async () => {
    await open(MEDIA, "tab=images");
    const samples = page.getByRole("figure").filter({ hasText: "samples" });
    await samples.getByText("the second").waitFor();
    expect(
      await samples
        .getByRole("img")
        .evaluate((image) =>
          (image as HTMLImageElement).decode().then(() => (image as HTMLImageElement).naturalWidth),
        ),
    ).toBe(32);
    await page.getByLabel("Step for all").fill("0");
    await samples.getByText("the first").waitFor();
    await page.waitForURL(/step=1/);
  });

  it("say which file is missing", async () => {
    await open(MEDIA, "tab=images");
    await page.getByRole("figure").filter({ hasText: "masks" }).getByText("The file is missing").waitFor();
  });

  it("are looked at large, with arrows for steps and keys", async () => {
    await open(MEDIA, "tab=images");
    await page.getByRole("button", { name: /Show samples, step 2/ }).click();
    const box = page.getByRole("dialog", { name: "Image viewer" });
    await box.getByText("the second").waitFor();
    await page.keyboard.press("ArrowLeft");
    await box.getByText("the first").waitFor();
    await page.keyboard.press("ArrowUp");
    await box.getByText("masks").waitFor();
    await page.keyboard.press("Escape");
    await box.waitFor({ state: "detached" });
    expect(page.url()).toContain(`/run/${MEDIA}`);
  });

  it("of the real SDK are shown", async () => {
    await open(YOLO, "tab=images");
    const picture = page.getByRole("figure").first().getByRole("img");
    const width = () => picture.evaluate((image) => (image as HTMLImageElement).naturalWidth);
    await expect.poll(width).toBeGreaterThan(0);
  });

  it("teach when there are none", async () => {
    await open(EMPTY, "tab=images");
    await page.getByRole("heading", { name: "No images" }).waitFor();
  });
});

describe("assets", () => {
  it("are listed with what is known of them, and downloaded", async () => {
    await open(DATA, "tab=assets");
    const datasets = page.getByRole("region", { name: "Datasets" });
    await datasets.waitFor();
    await page.getByRole("region", { name: "Outputs" }).waitFor();
    const saving = page.waitForEvent("download");
    await page
      .getByRole("region", { name: "Outputs" })
      .getByRole("link", { name: "Download" })
      .first()
      .click();
    expect(await (await saving).failure()).toBeNull();
  });

  it("show the code that ran", async () => {
    await open(YOLO, "tab=assets");
    const code = page.getByRole("region", { name: "Code snapshot" });
    await code.getByRole("treeitem", { name: /\.py/ }).first().click();
    await code.locator("[data-line]").first().waitFor();
    await page.waitForURL(/file=/);
  });

  it("teach when there are none", async () => {
    await open(EMPTY, "tab=assets");
    await page.getByRole("heading", { name: "No assets" }).waitFor();
  });
});

describe("overview", () => {
  it("shows configuration with search, summary, state and files", async () => {
    await open(YOLO, "tab=overview");
    const config = page.getByRole("region", { name: "Configuration" });
    await config.getByRole("listitem").first().waitFor();
    await page.getByRole("region", { name: "Summary" }).getByText("best_metric_name").waitFor();
    await page.getByRole("region", { name: "How its state is known" }).getByText("Written word").waitFor();
    await page.getByRole("region", { name: "Files" }).getByText("events.jsonl").waitFor();
  });

  it("says what of a damaged run could not be read, and shows the rest", async () => {
    await open(BROKEN, "tab=overview");
    await page.getByRole("region", { name: "What could not be read" }).getByText("meta.json").waitFor();
    await page.keyboard.press("1");
    await page.getByRole("application").first().waitFor();
  });
});

describe("hostile content", () => {
  it("is inert on every part of the page", async () => {
    const popups: string[] = [];
    page.on("dialog", (dialog) => {
      popups.push(dialog.message());
      void dialog.dismiss();
    });
    for (const tab of ["charts", "logs", "images", "assets", "overview"]) {
      await open(HOSTILE, `tab=${tab}`);
      await page.getByRole("heading", { level: 1, name: /<script>/ }).waitFor();
      await page
        .getByRole("tabpanel")
        .getByText(/<script>|<img/)
        .locator("visible=true")
        .first()
        .waitFor();
      expect(
        await page
          .getByRole("tabpanel")
          .locator("script, a[href^='javascript:'], iframe, object, embed")
          .count(),
      ).toBe(0);
      expect(await page.title()).not.toBe("owned");
    }
    expect(popups).toEqual([]);
  });

  it("is never served as a page of ours", async () => {
    const file = await page.request.get(`${shared.address}/api/run-file/${HOSTILE}?file=media/evil.html`);
    expect(file.headers()["content-disposition"]).toContain("attachment");
    expect(file.headers()["x-content-type-options"]).toBe("nosniff");
    const svg = await page.request.get(`${shared.address}/api/run-file/${HOSTILE}?file=media/evil.svg`);
    expect(svg.headers()["content-security-policy"]).toContain("sandbox");
    const outside = await page.request.get(
      `${shared.address}/api/run-file/${HOSTILE}?file=../../../../etc/passwd`,
    );
    expect(outside.status()).toBeGreaterThanOrEqual(400);
    const asset = await page.request.get(
      `${shared.address}/api/runs/${HOSTILE}/assets/download?path=/etc/passwd`,
    );
    expect(asset.status()).toBe(403);
  });
});

describe("a run that ends while one looks", () => {
  it("says so and stops its clock", async () => {
    const { id, dir } = await ownLiveRun();
    await open(id);
    await page.getByText("Running", { exact: true }).waitFor();
    finish(dir, "finished");
    await page.getByText("The run has ended: Finished.").waitFor();
    await page.getByText("Running", { exact: true }).waitFor({ state: "detached" });
  });
});
