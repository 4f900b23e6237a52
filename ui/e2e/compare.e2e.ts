/** The Compare page in a browser, on a real viewer: from the list to curves and differences, and every face. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { beforeEach, describe, expect, it } from "vitest";
import { append, eventLine } from "./run_root";
import { Sshd } from "./sshd";
import { lightViewer, openPage, removeFolder, scratch, Viewer, writeRun } from "./viewer";
import { SharedViewer } from "./visit";

const BASE = "20260201_000000_ba5e00";
const WIDE_LR = "20260202_000000_1a12e0";
const LIVE = "20260203_000000_11fe00";
const GONE = "20990101_000000_000000";

interface Recorded {
  id: string;
  alias: string;
  args: Record<string, unknown>;
  status?: string;
  /** The value of `train/loss` at a step. */
  loss: (step: number) => number;
  more?: Record<string, number>;
}

function record(root: string, { id, alias, args, status = "finished", loss, more = {} }: Recorded): string {
  const dir = writeRun(root, { id, path: "cmp", alias, status });
  for (let step = 1; step <= 30; step += 1) {
    append(dir, "events.jsonl", eventLine(step, { "train/loss": loss(step), lr: 0.1, ...more }));
  }
  const config = { args, extra: {}, config_files: [] };
  writeFileSync(
    join(dir, "assets.json"),
    JSON.stringify({ code: {}, config, datasets: [], pretrained: [], outputs: [] }),
  );
  writeFileSync(join(dir, "summary.json"), JSON.stringify({ best: loss(30) }));
  return dir;
}

const shared = new SharedViewer((root) => {
  const args = { lr: 0.1, seed: 7, model: "resnet", opt: { name: "adamw" } };
  record(root, { id: BASE, alias: "base", args, loss: () => 4 });
  record(root, {
    id: WIDE_LR,
    alias: "higher lr",
    args: { ...args, lr: 0.3, amp: true },
    loss: () => 2,
    more: { "val/acc": 0.5 },
  });
  record(root, { id: LIVE, alias: "still going", args, status: "running", loss: () => 1 });
  for (let i = 0; i < 1004; i += 1) {
    const dir = writeRun(root, {
      id: `20260301_00${String(i).padStart(4, "0")}_aaaa00`,
      path: "many",
      status: "finished",
    });
    append(dir, "events.jsonl", eventLine(1, { loss: i }) + eventLine(2, { loss: i / 2 }));
  }
});
const { root } = shared;
let page: Page;
beforeEach(() => {
  page = shared.page;
});

const open = (ids: readonly string[], more = "") =>
  page.goto(`${shared.address}/compare?runs=${ids.join(",")}${more}`);

const chart = (metric: string): Locator => page.getByRole("region", { name: metric, exact: true });
const plot = (metric: string): Locator => page.getByRole("application", { name: `${metric}: ` });
const picks = (): Locator => page.getByRole("region", { name: "Compared runs" });
const pick = (name: string): Locator => picks().getByRole("listitem").filter({ hasText: name });
const shown = (name: string): Locator => page.getByRole("checkbox", { name: `Show ${name}` });
const table = (): Locator => page.getByRole("table");
const row = (name: string): Locator =>
  table()
    .getByRole("row")
    .filter({ has: page.getByRole("rowheader", { name, exact: true }) });

const says = (metric: string, words: string) =>
  expect.poll(() => plot(metric).getAttribute("aria-label")).toContain(words);

/** The colour and dashes beside a run's name. */
const lookOf = (name: string): Promise<string> =>
  pick(name)
    .locator("svg path")
    .first()
    .evaluate((path) => `${getComputedStyle(path).stroke} ${path.getAttribute("stroke-dasharray") ?? ""}`);

/** How many pixels of a chart's canvas are of a colour such as `rgb(1, 2, 3)`; what stands out is on the second one. */
function inkOf(metric: string, colour: string, layer = 0): Promise<number> {
  return plot(metric)
    .locator("canvas")
    .nth(layer)
    .evaluate((element, wanted) => {
      const canvas = element as HTMLCanvasElement;
      const context = canvas.getContext("2d") as CanvasRenderingContext2D;
      const [red, green, blue] = (wanted.match(/\d+/g) ?? []).map(Number);
      const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
      let ink = 0;
      for (let at = 0; at < data.length; at += 4) {
        if (data[at] === red && data[at + 1] === green && data[at + 2] === blue && data[at + 3] === 255)
          ink += 1;
      }
      return ink;
    }, colour);
}

const inkColour = async (name: string): Promise<string> => (await lookOf(name)).split(")")[0] ?? "";

/** Moves the pointer to a share of a chart's plot, from its left and its top. */
async function pointAt(metric: string, left: number, top: number): Promise<void> {
  const box = await plot(metric).locator(".over").boundingBox();
  if (!box) throw new Error("the chart has no place");
  await page.mouse.move(box.x + box.width * left, box.y + box.height * top);
}

describe("choosing", () => {
  const tick = async (name: string) => {
    await page
      .getByRole("grid", { name: "Runs" })
      .getByRole("checkbox", { name: `Tick ${name}` })
      .click();
  };

  it("ticked runs are compared by the key C, and Escape goes back", async () => {
    await page.goto(`${shared.address}/runs?q=path:cmp`);
    await tick("base");
    await page.keyboard.press("c");
    expect(page.url()).toContain("/runs");
    await tick("higher lr");
    await page.keyboard.press("c");
    await page.waitForURL(`**/compare?runs=${BASE},${WIDE_LR}`);
    await says("train/loss", "runs: 2,");
    await page.keyboard.press("Escape");
    await page.waitForURL("**/runs");
  });

  it("goes back to the list with the compared runs ticked, so that one more can be added", async () => {
    await open([BASE, WIDE_LR]);
    await page.getByRole("button", { name: /^Add or change runs/ }).click();
    await page.getByText("2 ticked").waitFor();
    await page.getByRole("searchbox", { name: "Search runs" }).fill("path:cmp");
    await tick("still going");
    await page.keyboard.press("c");
    await page.waitForURL(`**/compare?runs=${BASE},${WIDE_LR},${LIVE}`);
    await says("train/loss", "runs: 3,");
  });

  it("ticked runs are compared by the button under the list", async () => {
    await page.goto(`${shared.address}/runs?q=path:cmp`);
    await tick("still going");
    await expect.poll(() => page.getByRole("button", { name: "Compare", exact: true }).count()).toBe(0);
    await tick("base");
    await page.getByRole("button", { name: "Compare", exact: true }).click();
    await page.waitForURL(`**/compare?runs=${LIVE},${BASE}`);
  });

  it("ticked runs are compared from the palette", async () => {
    await page.goto(`${shared.address}/runs?q=path:cmp`);
    await tick("base");
    await tick("higher lr");
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "Search runs and actions" }).fill("compare");
    await page.getByRole("option", { name: "Compare the 2 ticked runs" }).click();
    await page.waitForURL(`**/compare?runs=${BASE},${WIDE_LR}`);
  });

  it("is taught where no runs are chosen", async () => {
    await page.goto(`${shared.address}/runs`);
    await page.getByRole("link", { name: "Compare" }).click();
    await page.getByRole("heading", { name: "Choose the runs to compare" }).waitFor();
    await page.getByRole("button", { name: "Go to the runs" }).click();
    await page.waitForURL("**/runs");
  });
});

describe("charts", () => {
  it("are one for each metric of any run, grouped, with a line for each run that has it", async () => {
    await open([BASE, WIDE_LR]);
    await page.getByRole("button", { name: /^train/ }).waitFor();
    await says("train/loss", "runs: 2, points drawn: 60, from 2 to 4");
    await says("val/acc", "runs: 1, points drawn: 30");
    await expect.poll(async () => inkOf("train/loss", await inkColour("base"))).toBeGreaterThan(50);
    await expect.poll(async () => inkOf("train/loss", await inkColour("higher lr"))).toBeGreaterThan(50);
    await expect.poll(async () => inkOf("val/acc", await inkColour("base"))).toBe(0);
  });

  it("keep the colour of each run when others are added or taken away", async () => {
    await open([BASE, WIDE_LR]);
    const before = [await lookOf("base"), await lookOf("higher lr")];
    expect(before[0]).not.toBe(before[1]);
    await open([BASE, WIDE_LR, LIVE]);
    expect([await lookOf("base"), await lookOf("higher lr")]).toEqual(before);
    await pick("base").hover();
    await page.getByRole("button", { name: "Take base out of the comparison" }).click();
    await pick("base").waitFor({ state: "detached" });
    expect(await lookOf("higher lr")).toBe(before[1]);
    await says("train/loss", "runs: 2,");
    await page.goBack();
    await pick("base").waitFor();
  });

  it("lose the line of a run that is hidden, and the address remembers it", async () => {
    await open([BASE, WIDE_LR]);
    await says("train/loss", "runs: 2,");
    await shown("base").uncheck();
    await says("train/loss", "runs: 1,");
    await expect.poll(async () => inkOf("train/loss", await inkColour("base"))).toBe(0);
    await page.waitForURL(/hide=/);
    await page.reload();
    await says("train/loss", "runs: 1,");
    await page.getByRole("button", { name: "Hide all" }).click();
    await chart("train/loss").waitFor();
    await page.getByText("Every run of this chart is hidden").first().waitFor();
    await page.getByRole("button", { name: "Show all" }).click();
    await says("train/loss", "runs: 2,");
  });

  it("bring the line forward whose row is pointed at, and mark the row whose line is pointed at", async () => {
    await open([BASE, WIDE_LR]);
    await says("train/loss", "runs: 2,");
    const colour = await inkColour("base");
    await expect.poll(() => inkOf("train/loss", colour)).toBeGreaterThan(50);
    const over = plot("train/loss").locator("canvas").nth(1);
    await pick("base").hover();
    await expect.poll(() => inkOf("train/loss", colour, 1)).toBeGreaterThan(100);
    await pick("higher lr").hover();
    await expect.poll(() => inkOf("train/loss", colour, 1)).toBe(0);
    await page.mouse.move(2, 2);
    await over.waitFor({ state: "detached" });

    // 4 is the top of the chart, 2 its foot.
    await pointAt("train/loss", 0.5, 0.06);
    await expect.poll(() => pick("base").getAttribute("class")).toContain("pointed");
    await pointAt("train/loss", 0.5, 0.94);
    await expect.poll(() => pick("higher lr").getAttribute("class")).toContain("pointed");
    await chart("train/loss").locator(".tip").getByText("base").waitFor();
  });

  it("are read by keys alone: along a line, and from line to line", async () => {
    await open([BASE, WIDE_LR]);
    await says("train/loss", "runs: 2,");
    await plot("train/loss").focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowDown");
    await expect.poll(() => pick("base").getAttribute("class")).toContain("pointed");
    await page.keyboard.press("ArrowDown");
    await expect.poll(() => pick("higher lr").getAttribute("class")).toContain("pointed");
  });

  it("share smoothing, axes and zoom", async () => {
    await open([BASE, WIDE_LR]);
    await says("train/loss", "runs: 2,");
    const asked = page.waitForRequest((request) => {
      const body = request.url().endsWith("/api/series") ? request.postDataJSON() : null;
      return body?.smoothing?.kind === "ema" && body.runs.length === 2;
    });
    await page.getByLabel("Smoothing").selectOption("ema");
    await asked;
    await page.getByRole("button", { name: "log y" }).click();
    await chart("train/loss")
      .getByText(/step · log y · EMA 0.9 · 2 runs/)
      .waitFor();
    await pointAt("train/loss", 0.2, 0.5);
    await page.mouse.down();
    await pointAt("train/loss", 0.6, 0.5);
    await page.mouse.up();
    await page.waitForURL(/from=.*to=/);
    await page.getByLabel("X axis").selectOption("relative_time");
    await page.waitForURL(
      (url) => url.searchParams.get("x") === "relative_time" && !url.searchParams.has("from"),
    );
    await says("train/loss", "runs: 2, points drawn: 60");
  });

  it("grow with a running run", async () => {
    const dir = record(root, {
      id: "20260204_000000_9209e0",
      alias: "growing",
      args: {},
      status: "running",
      loss: () => 3,
    });
    await open([BASE, "20260204_000000_9209e0"]);
    await says("train/loss", "points drawn: 60");
    append(dir, "events.jsonl", eventLine(31, { "train/loss": 9 }));
    await says("train/loss", "points drawn: 61, from 3 to 9");
    append(dir, "events.jsonl", eventLine(32, { "test/new": 1 }));
    await chart("test/new").waitFor();
  });

  it("are of a thousand runs at most, and it is said that others are left out", async () => {
    const ids = Array.from({ length: 1004 }, (_, i) => `20260301_00${String(i).padStart(4, "0")}_aaaa00`);
    await open(ids);
    await page.getByText("The first 1,000 runs are compared; 4 more in this address are left out.").waitFor();
    await says("loss", "runs: 1000, points drawn: 2000");
    await pointAt("loss", 0.01, 0.5);
    await chart("loss").locator(".tip").getByText("and 990 more").waitFor();
  });
});

describe("what changed", () => {
  it("shows differing values side by side, marks what is unusual and folds what is equal", async () => {
    await open([BASE, WIDE_LR, LIVE]);
    await says("train/loss", "runs: 3,");
    await page.keyboard.press("3");
    await row("lr").waitFor();
    expect(await row("lr").getByRole("cell").allInnerTexts()).toEqual(["0.1", "0.3", "0.1"]);
    await row("lr").getByRole("cell", { name: "0.3, differs" }).waitFor();
    await row("amp").getByRole("cell", { name: "true, differs" }).waitFor();
    expect(await row("amp").getByRole("cell").allInnerTexts()).toEqual([
      "not recorded",
      "true",
      "not recorded",
    ]);
    expect(await row("opt.name").count()).toBe(0);
    await page.getByRole("button", { name: "3 equal values" }).click();
    await row("opt.name").getByText("adamw").waitFor();
    await page.waitForURL(/equal=config/);
    await page.reload();
    await row("opt.name").waitFor();
  });

  it("is searched by names and values", async () => {
    await open([BASE, WIDE_LR], "&tab=changed");
    await row("lr").waitFor();
    await page.getByRole("searchbox", { name: "Find names and values" }).fill("amp");
    await row("lr").waitFor({ state: "detached" });
    await row("amp").waitFor();
    await page.getByRole("searchbox", { name: "Find names and values" }).fill("zzz");
    await page.getByRole("heading", { name: "Nothing holds “zzz”." }).waitFor();
    await page.getByRole("button", { name: "Clear the search" }).click();
    await row("lr").waitFor();
  });

  it("says that it could not be loaded, and tries again when asked", async () => {
    await page.route("**/api/run-detail/**", (route) => route.abort());
    await open([BASE, WIDE_LR], "&tab=changed");
    await page.getByRole("heading", { name: "This could not be loaded" }).waitFor();
    await page.unroute("**/api/run-detail/**");
    await page.getByRole("button", { name: "Try again" }).click();
    await row("lr").waitFor();
  });
});

describe("faces", () => {
  it("a run that is gone is said so in its row, the others are compared", async () => {
    await open([BASE, GONE, WIDE_LR]);
    await pick(GONE).getByText("No run here has this id").waitFor();
    await says("train/loss", "runs: 2,");
    await pick(GONE).hover();
    await page.getByRole("button", { name: `Take ${GONE} out of the comparison` }).click();
    await page.waitForURL((url) => !url.search.includes(GONE));
    await says("train/loss", "runs: 2,");
  });

  it("nothing but runs that are gone", async () => {
    await open([GONE]);
    await page.getByRole("heading", { name: "None of these runs is here" }).waitFor();
  });

  it("waits for the runs in words", async () => {
    let release: () => void = () => {};
    const held = new Promise<void>((done) => {
      release = done;
    });
    await page.route("**/api/run-metrics", async (route) => {
      await held;
      await route.continue();
    });
    await open([BASE, WIDE_LR]);
    await page.getByRole("status").filter({ hasText: "Loading" }).waitFor();
    release();
    await says("train/loss", "runs: 2,");
  });

  it("a failed fetch of all runs, of one chart and of what one run recorded can be tried again", async () => {
    await page.route("**/api/run-metrics", (route) => route.abort());
    await open([BASE, WIDE_LR]);
    await page.getByRole("heading", { name: "This could not be loaded" }).waitFor();
    await page.unroute("**/api/run-metrics");
    await page.route("**/api/series", (route) => route.abort());
    await page.getByRole("button", { name: "Try again" }).click();
    await page.locator('[data-metric="train/loss"]').getByRole("alert").waitFor();
    await page.unroute("**/api/series");
    await page.locator('[data-metric="train/loss"]').getByRole("button", { name: "Try again" }).click();
    await says("train/loss", "runs: 2,");

    await page.route(`**/api/run-detail/${BASE}`, (route) => route.abort());
    await page.getByRole("tab", { name: "What changed" }).click();
    await page.getByRole("button", { name: "Load base again" }).waitFor();
    await page.unroute(`**/api/run-detail/${BASE}`);
    await page.getByRole("button", { name: "Load base again" }).click();
    await row("lr").getByText("0.3").waitFor();
    await expect.poll(() => page.getByRole("button", { name: "Load base again" }).count()).toBe(0);
  });

  it("can be used in a narrow window, in Chinese and in the dark", async () => {
    const narrow = await openPage(shared.browser, {
      viewport: { width: 720, height: 600 },
      locale: "zh-CN",
      colorScheme: "dark",
    });
    await narrow.page.goto(`${shared.address}/compare?runs=${BASE},${WIDE_LR}`);
    await narrow.page.getByRole("heading", { name: "对比" }).waitFor();
    await narrow.page.getByRole("application", { name: "train/loss: 2 个实验" }).waitFor();
    const wider = await narrow.page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    expect(wider).toBe(false);
    await narrow.page.getByRole("tab", { name: "差异" }).click();
    await narrow.page
      .getByRole("button", { name: /个相同的值/ })
      .first()
      .waitFor();
    expect(narrow.faults).toEqual([]);
    await narrow.close();
  });
});

describe("runs of another host", { timeout: 240_000 }, () => {
  it("are compared from that host's list, under its address", async () => {
    const far = scratch();
    process.env.RUNICORN_VIEWERS ??= lightViewer(join(far, "viewers"));
    const sshd = await Sshd.start(far);
    const home = join(far, "home");
    const stanza = `Host gpu-test\n  HostName 127.0.0.1\n  Port ${sshd.port}\n  User ${sshd.username}\n`;
    Viewer.writeSshConfig(home, `${stanza}  IdentityFile ${sshd.key}\n  IdentitiesOnly yes\n`);
    for (const [id, alias] of [
      ["20260102_000000_fa0001", "far one"],
      ["20260103_000000_fa0002", "far two"],
    ] as const) {
      const dir = writeRun(sshd.root, { id, path: "far", alias, status: "finished" });
      append(dir, "events.jsonl", eventLine(1, { loss: 1 }) + eventLine(2, { loss: 2 }));
    }
    const near = await Viewer.start(root, home);
    try {
      await page.goto(`${near.address}/hosts?selected=ssh:gpu-test`);
      await page
        .getByRole("region", { name: "Server: gpu-test" })
        .getByRole("button", { name: "Connect", exact: true })
        .click();
      await page.getByRole("button", { name: "Trust and connect" }).click();
      const grid = page.getByRole("grid", { name: "Runs" });
      await grid.getByRole("checkbox", { name: "Tick far one" }).click({ timeout: 120_000 });
      await grid.getByRole("checkbox", { name: "Tick far two" }).click();
      await page.keyboard.press("c");
      await page.waitForURL("**/at/ssh:gpu-test/compare?runs=20260102_000000_fa0001,20260103_000000_fa0002");
      await says("loss", "runs: 2, points drawn: 4");
      await page.reload();
      await pick("far two").waitFor();
      await says("loss", "runs: 2, points drawn: 4");
    } finally {
      await near.stop();
      await sshd.close();
      await removeFolder(far);
    }
  });
});
