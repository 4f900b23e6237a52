/** Draws the pictures of the documentation: `npm run screenshots` writes `docs/screenshots/*.png`. */
import { mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, it } from "vitest";
import { writeStudy } from "./asset_root";
import { giveGpus, minutes, node, telemetry } from "./gpu_answers";
import { RUN as GPU_RUN, writeGpuRun, writeMinutes } from "./gpu_run";
import { freePort, Sshd } from "./sshd";
import { generateRoot, openBrowser, openPage, removalMillis, removeFolder, scratch, Viewer } from "./viewer";

const pictures = resolve(dirname(fileURLToPath(import.meta.url)), "../../docs/screenshots");
let browser: Browser;
let folder: string;

beforeAll(async () => {
  browser = await openBrowser();
  folder = scratch();
  mkdirSync(pictures, { recursive: true });
});
afterAll(async () => {
  await browser?.close();
  await removeFolder(folder);
}, removalMillis);

interface RunListAnswer {
  fields: string[];
  rows: unknown[][];
}

interface Picture {
  name: string;
  address: string;
  options?: BrowserContextOptions;
  /** Brings the page into the state of the picture. */
  ready: (page: Page) => Promise<unknown>;
}

/** Draws each picture on a fresh reader of one viewer. */
async function draw(viewer: Viewer, list: readonly Picture[]): Promise<void> {
  for (const { name, address, options, ready } of list) {
    const view = await openPage(browser, options);
    await view.page.goto(viewer.address + address);
    await ready(view.page);
    // The bell and the link come when the page stands.
    await view.page.waitForFunction(() => performance.now() > 1_200);
    await view.page.screenshot({ path: join(pictures, `${name}.png`) });
    await view.close();
  }
}

const charts = (page: Page) => page.locator("canvas").first().waitFor({ timeout: 30_000 });
const pictureOf = (selector: string) => (page: Page) =>
  page
    .locator(selector)
    .first()
    .evaluate((image) => (image as HTMLImageElement).decode());
const dark: BrowserContextOptions = { colorScheme: "dark" };

const narrow: BrowserContextOptions = { viewport: { width: 900, height: 700 } };
const chinese: BrowserContextOptions = { locale: "zh-CN" };
const patience = { timeout: 120_000 };
const deed = (name: string | RegExp) => (page: Page) =>
  page.getByRole("region").getByRole("button", { name }).first().click();
const connect = deed(/^(Connect|连接)$/);

/** Hosts of a made-up cluster; all of them are one server on this machine. */
async function drawHosts(sshd: Sshd): Promise<void> {
  generateRoot(sshd.root, 120, 60);
  for (const name of ["runicorn_data", "vision/runs"]) generateRoot(join(sshd.home, name), 12);
  const home = join(folder, "home-hosts");
  const closed = await freePort();
  const stanza = (name: string, port: number) =>
    `Host ${name}\n  HostName 127.0.0.1\n  Port ${port}\n  User ${sshd.username}\n  IdentityFile ${sshd.key}\n  IdentitiesOnly yes\n`;
  Viewer.writeSshConfig(
    home,
    ["gpu-01", "gpu-02", "gpu-03", "gpu-04"]
      .map((name) => stanza(name, name === "gpu-02" ? closed : sshd.port))
      .join("\n"),
  );
  const viewer = await Viewer.start(generateRoot(join(folder, "near/experiments"), 60, 60), home);
  const log = async (page: Page) => {
    await deed("Viewer log")(page);
    await page
      .getByRole("region")
      .locator("pre")
      .or(page.getByText("has written nothing yet"))
      .waitFor(patience);
  };
  const list = (page: Page) => page.getByRole("grid", { name: /^(Servers|服务器)$/ }).waitFor();
  const failed = async (page: Page) => {
    await connect(page);
    await page.getByRole("dialog").getByRole("alert").waitFor(patience);
  };
  const asked = async (page: Page) => {
    await connect(page);
    await page.getByRole("dialog").getByRole("img").waitFor(patience);
  };
  await draw(viewer, [
    { name: "hosts-key", address: "/hosts?selected=ssh:gpu-01", ready: asked },
    { name: "hosts-key-zh", address: "/hosts?selected=ssh:gpu-01", options: chinese, ready: asked },
    { name: "hosts-failed", address: "/hosts?selected=ssh:gpu-02", ready: failed },
    {
      name: "hosts-connect",
      address: "/hosts?selected=ssh:gpu-03",
      ready: async (page) => {
        await connect(page);
        await page.getByRole("button", { name: "Trust and connect" }).click();
        await page.locator("canvas").first().waitFor(patience);
        await page.goto(`${viewer.address}/hosts?selected=ssh:gpu-03`);
        await deed("Show another folder…")(page);
        await page.getByRole("button", { name: "Look for folders with runs" }).click(patience);
        await page
          .getByRole("dialog")
          .getByText(/\d runs/)
          .first()
          .waitFor(patience);
      },
    },
    { name: "hosts-light", address: "/hosts?selected=ssh:gpu-03", ready: log },
    { name: "hosts-dark", address: "/hosts?selected=ssh:gpu-02", options: dark, ready: list },
    { name: "hosts-zh", address: "/hosts?selected=ssh:gpu-03", options: chinese, ready: list },
    { name: "hosts-narrow", address: "/hosts?selected=ssh:gpu-03", options: narrow, ready: list },
    {
      name: "runs-remote",
      address: "/at/ssh:gpu-03/runs",
      ready: async (page) => {
        await charts(page);
        await page.getByRole("button", { name: /^Host:/ }).click();
      },
    },
    { name: "runs-all-hosts-dark", address: "/at/all/runs", options: dark, ready: charts },
  ]);
  // Both folders are made alike: a run has its namesake on the server.
  const { rows } = (await (await fetch(`${viewer.address}/api/run-list`)).json()) as RunListAnswer;
  const keys = rows.slice(0, 3).flatMap(([id]) => [`/${id}`, `ssh:gpu-03/${id}`]);
  await draw(viewer, [
    { name: "compare-hosts", address: `/at/all/compare?runs=${keys.join(",")}`, ready: charts },
  ]);
  await sshd.stop();
  const down = (page: Page) =>
    page.getByRole("status").filter({ hasText: "is being made again" }).waitFor(patience);
  await draw(viewer, [{ name: "runs-link-down", address: "/at/ssh:gpu-03/runs", ready: down }]);
  await sshd.changeHostKey();
  await viewer.stop();
  const again = await Viewer.start(join(folder, "near/experiments"), home);
  await draw(again, [
    { name: "hosts-key-changed-dark", address: "/hosts?selected=ssh:gpu-03", options: dark, ready: asked },
  ]);
  await again.stop();

  const nothing = await Viewer.start(join(folder, "near/experiments"), join(folder, "home-no-hosts"));
  const teaches = (page: Page) =>
    page.getByRole("heading", { name: "Any server you can reach with SSH" }).waitFor();
  await draw(nothing, [
    { name: "hosts-empty", address: "/hosts", ready: teaches },
    { name: "hosts-empty-dark", address: "/hosts", options: dark, ready: teaches },
  ]);
  await nothing.stop();
}

describe("pictures", () => {
  it("of some hundred runs, light, dark, narrow and in Chinese", async () => {
    const root = generateRoot(join(folder, "me/experiments"), 400, 400);
    const viewer = await Viewer.start(root, join(folder, "home"));
    const curves = async (page: Page) => {
      await page
        .getByRole("gridcell", { name: /^(resnet|vit)/ })
        .nth(12)
        .waitFor();
      await page.getByRole("grid").getByRole("img").nth(20).waitFor();
      await charts(page);
    };
    const asks = (words: string) => async (page: Page) => {
      await charts(page);
      await page.keyboard.press("Control+k");
      await page.keyboard.type(words);
      await page.locator('[role="option"][aria-selected="true"]').waitFor();
    };
    const part = (page: Page) => page.locator("section h2").first().waitFor();
    const columns =
      "columns=!last:loss,curve:loss,max:acc,config:lr,config:model,state,started&sort=last:loss";
    await draw(viewer, [
      { name: "runs-light", address: "/runs", ready: charts },
      { name: "runs-dark", address: "/runs", options: dark, ready: charts },
      { name: "runs-zh", address: "/runs", options: { locale: "zh-CN" }, ready: charts },
      { name: "runs-narrow", address: "/runs", options: narrow, ready: charts },
      { name: "runs-columns", address: `/runs?${columns}`, ready: curves },
      { name: "runs-groups-dark", address: "/runs?group=path&sort=-best", options: dark, ready: charts },
      { name: "palette", address: "/runs", ready: asks("") },
      { name: "palette-dark", address: "/runs", options: dark, ready: asks("exp") },
      { name: "palette-zh", address: "/runs", options: chinese, ready: asks(">") },
      { name: "settings-light", address: "/settings", ready: part },
      { name: "settings-dark", address: "/settings?section=notifications", options: dark, ready: part },
      { name: "settings-zh", address: "/settings?section=shortcuts", options: chinese, ready: part },
      { name: "settings-narrow", address: "/settings?section=look", options: narrow, ready: part },
    ]);
    await viewer.stop();
  });

  it("of one run: charts, log, images, facts, gone", async () => {
    mkdirSync(join(folder, "samples"));
    const viewer = await Viewer.start(join(folder, "samples"), join(folder, "home-samples"));
    await fetch(`${viewer.address}/api/samples`, { method: "POST" });
    const list = (await (await fetch(`${viewer.address}/api/run-list`)).json()) as RunListAnswer;
    const run = (alias: string) => {
      const row = list.rows.find((cells) => cells[list.fields.indexOf("alias")] === alias);
      return `/run/${row?.[list.fields.indexOf("id")]}`;
    };
    const lines = (page: Page) => page.locator("[data-line]").nth(5).waitFor();
    const picture = pictureOf("figure img");
    const facts = (page: Page) => page.getByRole("listitem").nth(5).waitFor();
    const trained = run("resnet18 cosine + amp");
    const broken = run("vit-tiny, lr too high");
    await draw(viewer, [
      { name: "run-charts", address: `${trained}?smooth=ema:0.8`, ready: charts },
      { name: "run-charts-dark", address: `${trained}?smooth=ema:0.8`, options: dark, ready: charts },
      { name: "run-charts-zh", address: `${trained}?logy=1`, options: { locale: "zh-CN" }, ready: charts },
      { name: "run-logs-dark", address: `${broken}?tab=logs`, options: dark, ready: lines },
      { name: "run-images", address: `${trained}?tab=images`, ready: picture },
      { name: "run-overview", address: `${trained}?tab=overview`, ready: facts },
      { name: "run-narrow", address: trained, options: narrow, ready: charts },
      {
        name: "run-gone",
        address: "/run/20990101_000000_000000",
        ready: (page) => page.getByRole("alert").waitFor(),
      },
    ]);
    await viewer.stop();
  });

  it("of a comparison: charts, what changed, narrow and none chosen", async () => {
    mkdirSync(join(folder, "none"));
    const viewer = await Viewer.start(join(folder, "none"), join(folder, "home-compare"));
    await fetch(`${viewer.address}/api/samples`, { method: "POST" });
    const list = (await (await fetch(`${viewer.address}/api/run-list`)).json()) as RunListAnswer;
    const ids = (start: string) =>
      list.rows
        .filter((cells) => String(cells[list.fields.indexOf("alias")]).startsWith(start))
        .map((cells) => cells[list.fields.indexOf("id")])
        .join(",");
    const vision = `/compare?runs=${ids("resnet18")},${ids("vit")}`;
    const pointed = async (page: Page) => {
      await charts(page);
      const plot = await page.locator("article .over").nth(1).boundingBox();
      if (plot) await page.mouse.move(plot.x + plot.width * 0.4, plot.y + plot.height * 0.5);
      await page.locator(".tip").waitFor();
    };
    const table = (page: Page) => page.getByRole("table").waitFor();
    const picture = pictureOf("#part img");
    const axes = (page: Page) => page.locator("#part svg path").nth(3).waitFor();
    const hits = (page: Page) => page.locator("#part mark").nth(3).waitFor();
    const small: BrowserContextOptions = { viewport: { width: 720, height: 700 } };
    await draw(viewer, [
      { name: "compare-charts", address: `${vision}&smooth=ema:0.8`, ready: pointed },
      { name: "compare-charts-dark", address: vision, options: dark, ready: charts },
      { name: "compare-charts-zh", address: vision, options: chinese, ready: charts },
      { name: "compare-changed", address: `${vision}&tab=changed`, ready: table },
      { name: "compare-changed-dark", address: `${vision}&tab=changed`, options: dark, ready: table },
      { name: "compare-changed-zh", address: `${vision}&tab=changed`, options: chinese, ready: table },
      { name: "compare-groups", address: `${vision}&group=state`, ready: charts },
      { name: "compare-narrow", address: vision, options: small, ready: charts },
      { name: "compare-values", address: `${vision}&tab=values`, ready: axes },
      { name: "compare-values-dark", address: `${vision}&tab=values`, options: dark, ready: axes },
      { name: "compare-images", address: `${vision}&tab=images`, ready: picture },
      { name: "compare-images-dark", address: `${vision}&tab=images`, options: dark, ready: picture },
      { name: "compare-logs", address: `${vision}&tab=logs&find=loss`, ready: hits },
      { name: "compare-logs-zh", address: `${vision}&tab=logs&find=loss`, options: chinese, ready: hits },
      {
        name: "compare-empty",
        address: "/compare",
        ready: (page) => page.getByRole("button", { name: "Go to the runs" }).waitFor(),
      },
    ]);
    await viewer.stop();
  });

  it("of an empty folder and of one that is not there", async () => {
    mkdirSync(join(folder, "empty"));
    const empty = await Viewer.start(join(folder, "empty"), join(folder, "home-empty"));
    const heading = (page: Page) => page.getByRole("heading", { name: "No runs here yet" }).waitFor();
    await draw(empty, [
      { name: "runs-empty", address: "/runs", ready: heading },
      { name: "runs-empty-dark", address: "/runs", options: dark, ready: heading },
      {
        name: "runs-empty-zh",
        address: "/runs",
        options: chinese,
        ready: (page) => page.locator("pre").last().waitFor(),
      },
    ]);
    await removeFolder(join(folder, "empty"));
    const face = (page: Page) => page.getByRole("alert").waitFor();
    await draw(empty, [{ name: "runs-missing", address: "/runs", ready: face }]);
    await empty.stop();
  });

  it("of hosts: connected, failed, asked about, none at all", async () => {
    const far = join(folder, "far");
    mkdirSync(far);
    const sshd = await Sshd.start(far);
    try {
      await drawHosts(sshd);
    } finally {
      await sshd.close();
    }
  });

  it("of the recycle bin: light, dark, narrow, in Chinese, asking, empty", async () => {
    const root = generateRoot(join(folder, "bin/experiments"), 60);
    const viewer = await Viewer.start(root, join(folder, "home-bin"));
    const list = (await (await fetch(`${viewer.address}/api/run-list`)).json()) as RunListAnswer;
    const ids = list.rows.map((cells) => cells[list.fields.indexOf("id")]);
    await fetch(`${viewer.address}/api/runs/soft-delete`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ run_ids: ids.slice(0, 24) }),
    });
    const rows = (page: Page) => page.getByRole("grid").getByRole("link").nth(5).waitFor();
    const asks = async (page: Page) => {
      await rows(page);
      for (const at of [2, 3, 5]) await page.getByRole("checkbox").nth(at).click();
      await page.getByRole("button", { name: "Delete for good…" }).click();
      await page.getByRole("dialog").getByText("Space of these files").waitFor();
    };
    await draw(viewer, [
      { name: "recycle-bin-light", address: "/recycle-bin", ready: asks },
      { name: "recycle-bin-dark", address: "/recycle-bin", options: dark, ready: rows },
      { name: "recycle-bin-zh", address: "/recycle-bin", options: chinese, ready: rows },
      { name: "recycle-bin-narrow", address: "/recycle-bin", options: narrow, ready: rows },
    ]);
    await fetch(`${viewer.address}/api/recycle-bin/empty`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ confirm: true }),
    });
    const explains = (page: Page) =>
      page.getByRole("heading", { name: "The recycle bin is empty" }).waitFor();
    await draw(viewer, [{ name: "recycle-bin-empty", address: "/recycle-bin", ready: explains }]);
    await viewer.stop();
  });

  it("of assets: light, dark, narrow, in Chinese, none", async () => {
    const root = join(folder, "assets/experiments");
    writeStudy(root);
    const viewer = await Viewer.start(root, join(folder, "home-assets"));
    const used = (page: Page) => page.getByRole("region").getByRole("grid").getByRole("row").nth(2).waitFor();
    const made = async (page: Page) => {
      await page.getByText("warm start").click();
      await page.getByText("The same content").waitFor();
    };
    await draw(viewer, [
      { name: "assets-light", address: "/assets?q=cityscapes&sort=-size", ready: used },
      { name: "assets-dark", address: "/assets", options: dark, ready: made },
      { name: "assets-zh", address: "/assets", options: chinese, ready: used },
      {
        name: "assets-narrow",
        address: "/assets?kind=dataset",
        options: { viewport: { width: 720, height: 800 } },
        ready: used,
      },
    ]);
    await viewer.stop();
    mkdirSync(join(folder, "no-assets"));
    const none = await Viewer.start(join(folder, "no-assets"), join(folder, "home-no-assets"));
    const teaches = (page: Page) => page.getByText("log_dataset").waitFor();
    await draw(none, [{ name: "assets-empty", address: "/assets", ready: teaches }]);
    await none.stop();
  });

  it("of the GPUs under a run's charts: light, dark, narrow, without a driver", async () => {
    const root = join(folder, "gpu-run/experiments");
    const home = join(folder, "home-gpu-run");
    writeGpuRun(root);
    writeMinutes(home);
    const viewer = await Viewer.start(root, home);
    const pointed = async (page: Page) => {
      await page.locator(".gpus canvas").nth(3).waitFor();
      const plot = await page.locator("article .over").first().boundingBox();
      if (plot) await page.mouse.move(plot.x + plot.width * 0.4, plot.y + plot.height * 0.5);
      await page.locator(".gpus .over > .line").first().waitFor();
    };
    const run = `/run/${GPU_RUN}?x=relative_time`;
    await draw(viewer, [
      { name: "run-gpus", address: run, ready: pointed },
      { name: "run-gpus-dark", address: `/run/${GPU_RUN}`, options: dark, ready: pointed },
      { name: "run-gpus-narrow", address: run, options: narrow, ready: pointed },
    ]);
    await viewer.stop();
    const none = await Viewer.start(root, join(folder, "home-no-gpu"));
    const says = (page: Page) => page.getByText("no NVIDIA driver").waitFor();
    await draw(none, [{ name: "run-gpus-none", address: run, ready: says }]);
    await none.stop();
  });

  it("of GPUs: light, dark, narrow, in Chinese, a day, none", async () => {
    const root = generateRoot(join(folder, "gpus/experiments"), 12);
    const viewer = await Viewer.start(root, join(folder, "home-gpus"));
    // Two readings of the host make its rates.
    const rates = (page: Page) => page.getByText(/^(write|写) .+/).waitFor();
    const cards = async (page: Page) => {
      await giveGpus(page, () => telemetry(node()), minutes(8));
      await page.reload();
      await page.getByRole("article").nth(7).waitFor();
      await rates(page);
    };
    await draw(viewer, [
      { name: "gpus-light", address: "/gpus", ready: cards },
      { name: "gpus-day-dark", address: "/gpus?range=day", options: dark, ready: cards },
      { name: "gpus-zh", address: "/gpus", options: chinese, ready: cards },
      { name: "gpus-narrow", address: "/gpus", options: narrow, ready: cards },
      { name: "gpus-none", address: "/gpus", ready: rates },
    ]);
    await viewer.stop();
  });

  it("of 10,000 runs", async () => {
    const root = generateRoot(join(folder, "shared/experiments"), 10_000);
    const viewer = await Viewer.start(root, join(folder, "home-many"));
    const whole = async (page: Page) => {
      await page.getByText("10,002 runs").waitFor({ timeout: 60_000 });
      await charts(page);
    };
    await draw(viewer, [
      { name: "runs-10000", address: "/runs?sort=-best", ready: whole },
      {
        name: "runs-10000-wide-dark",
        address: "/runs?sort=-best",
        options: { ...dark, viewport: { width: 1920, height: 1080 } },
        ready: whole,
      },
    ]);
    await viewer.stop();
  });
});
