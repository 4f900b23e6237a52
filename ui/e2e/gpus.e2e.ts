/** The GPUs page against the real server; where a GPU must be seen, its figures are given on the network. */
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeDatasetRun } from "./asset_root";
import { giveGpus, gpu, minutes, node, telemetry } from "./gpu_answers";
import { Sshd } from "./sshd";
import { lightViewer, removeFolder, scratch, Viewer, writeRun } from "./viewer";
import { oneBrowser, Visit } from "./visit";

const browser = oneBrowser();
let visit: Visit;
let root: string;
let viewer: Viewer;
let page: Page;

const card = (index: number): Locator => page.getByRole("article", { name: new RegExp(`^GPU ${index}: `) });
const host = (): Locator => page.getByRole("region", { name: "Host" });
const said = (part: Locator) => expect.poll(() => part.innerText());
const meter = (part: Locator, name: string): Locator => part.getByRole("meter", { name });
const open = (address = "/gpus") => page.goto(viewer.address + address);

async function begin(options = {}, prepare?: (root: string, home: string) => void): Promise<void> {
  visit = await Visit.start(browser(), "runicorn-0.7.2", options, prepare);
  ({ root, viewer, page } = visit);
}
const finish = (): Promise<void> => visit.end();

const train = { pid: 4711, user: "ada", program: "python train.py", used_mib: 96_000 };

describe("on this machine, which has no GPU", () => {
  beforeEach(() => begin());
  afterEach(finish);

  it("says that no driver was found and still shows the host: processor, memory, disk and its traffic", async () => {
    await open("/runs");
    await page.getByRole("navigation").getByRole("link", { name: "GPUs" }).click();
    await page.getByRole("heading", { name: "No GPU to show on this machine" }).waitFor();
    await page.getByText("No NVIDIA driver was found on this machine").waitFor();
    for (const name of ["Processor", "Memory", "Disk"]) {
      const value = async () => Number(await meter(host(), name).getAttribute("aria-valuenow"));
      await expect.poll(value).toBeGreaterThanOrEqual(0);
    }
    await said(host()).toMatch(/\d+ cores?/);
    await said(host()).toMatch(/read .+\/s\s+write .+\/s/);
    expect(new URL(page.url()).pathname).toBe("/gpus");
  });

  it("is reached from the command palette", async () => {
    await open("/runs");
    await page.getByRole("grid", { name: "Runs" }).waitFor();
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").fill("gpus");
    await page.keyboard.press("Enter");
    await host().waitFor();
  });

  it("waits, says that nothing answers, and goes on with Try again", async () => {
    const figures = /\/api\/(gpu\/telemetry|system\/monitor)/;
    await page.route(figures, () => {});
    await open();
    await page.locator(".waiting").waitFor();
    await page.unroute(figures);
    await page.route(figures, (request) =>
      request.fulfill({ status: 503, json: { detail: "the driver is stuck", code: "STUCK" } }),
    );
    await page.reload();
    await said(page.getByRole("alert")).toContain("the driver is stuck");
    await page.unroute(figures);
    await page.getByRole("button", { name: "Try again" }).click();
    await host().waitFor();
    await page.getByRole("heading", { name: "No GPU to show on this machine" }).waitFor();
  });

  it("shows the host when only the GPUs fail, and says what failed", async () => {
    await page.route("**/api/gpu/telemetry", (request) =>
      request.fulfill({ status: 500, json: { detail: "the driver is stuck", code: "STUCK" } }),
    );
    await open();
    await said(page.getByRole("alert")).toContain("the driver is stuck");
    await meter(host(), "Memory").waitFor();
  });
});

describe("with GPU answers given on the network", () => {
  let asked: number;
  let now: () => object;

  beforeEach(async () => {
    await begin();
    asked = 0;
    now = () => telemetry([gpu(0, [train]), gpu(1)]);
    await giveGpus(
      page,
      () => {
        asked += 1;
        return now();
      },
      minutes(2),
    );
  });
  afterEach(finish);

  it("has a card for each GPU: utilisation, memory, temperature, power, processes with user and command", async () => {
    await open();
    await expect.poll(() => page.getByRole("article").count()).toBe(2);
    await expect.poll(() => meter(card(0), "Utilisation").getAttribute("aria-valuenow")).toBe("97");
    await expect
      .poll(() => meter(card(0), "Memory").getAttribute("aria-valuetext"))
      .toBe("67 %, 94.3 GB of 140 GB");
    for (const text of ["H200", "Busy", "66 °C", "660 of 700 W", "1980 MHz"])
      await said(card(0)).toContain(text);
    const process = card(0).getByRole("table", { name: "Processes" }).getByRole("row").nth(1);
    for (const text of ["4711", "ada", "python train.py", "93.8 GB"]) await said(process).toContain(text);
    for (const text of ["Free", "No process uses this GPU"]) await said(card(1)).toContain(text);
    await said(page.getByRole("main").getByRole("status").first()).toContain("2 GPUs · 1 busy");
  });

  it("is reached from the summary in the top bar", async () => {
    await open("/runs");
    await page.getByRole("link", { name: "GPUs: 2 × H200, 1 busy" }).click();
    await card(0).waitFor();
    expect(new URL(page.url()).pathname).toBe("/gpus");
  });

  it("follows the figures without a reload and keeps the last ones, marked, when no answer comes", async () => {
    await open();
    await expect.poll(() => meter(card(1), "Utilisation").getAttribute("aria-valuenow")).toBe("0");
    now = () => telemetry([gpu(0, [train]), gpu(1, [], 55)]);
    await expect.poll(() => meter(card(1), "Utilisation").getAttribute("aria-valuenow")).toBe("55");
    await page.route("**/api/gpu/telemetry", (request) =>
      request.fulfill({ status: 500, json: { detail: "the driver is stuck", code: "STUCK" } }),
    );
    await said(page.getByRole("alert")).toContain("these are the last figures. the driver is stuck");
    await card(1).waitFor();
  });

  it("draws the last hour, and the day when asked, and keeps that in the address", async () => {
    await open();
    const trend = card(0).getByRole("img");
    await expect
      .poll(() => trend.getAttribute("aria-label"))
      .toMatch(/^Utilisation 97 %, mean \d+ %, highest 97 %/);
    const drawn = () => card(0).locator("figure > svg .util").getAttribute("d");
    await expect.poll(drawn).toMatch(/L\d+ /);
    const hour = await drawn();
    await page.getByRole("radio", { name: "24 hours" }).check();
    await expect.poll(() => new URL(page.url()).search).toBe("?range=day");
    await expect.poll(drawn).not.toBe(hour);
    // The night without work: the line reaches the ground.
    await expect.poll(drawn).toContain(" 100.0");
    await page.reload();
    await said(card(0)).toContain("24 h ago");
    await trend.hover({ position: { x: 60, y: 20 } });
    await said(card(0).locator("figcaption")).toMatch(/: utilisation \d+ %, memory \d+ %/);
    // The same by keys, from now on backwards.
    await page.mouse.move(0, 0);
    await said(card(0).locator("figcaption")).toMatch(/^Utilisation 97 %/);
    await trend.focus();
    await page.keyboard.press("ArrowLeft");
    await said(card(0).locator("figcaption")).toMatch(/: utilisation \d+ %, memory \d+ %/);
  });

  it("names the run of a process and leads to it", async () => {
    const id = "20261120_120000_abc123";
    // The run is of this test's own process, which is alive: that is what the real server finds out.
    writeRun(root, { id, path: "live/now", alias: "trains-here", status: "running" });
    now = () => telemetry([gpu(0, [{ ...train, pid: process.pid }])]);
    await open();
    const link = card(0).getByRole("link", { name: "trains-here" });
    await link.click();
    await expect.poll(() => new URL(page.url()).pathname).toBe(`/run/${id}`);
  });

  it("asks nothing while another page is shown", async () => {
    await open();
    await card(0).waitFor();
    await page.getByRole("navigation").getByRole("link", { name: "Runs" }).click();
    await page.getByRole("grid", { name: "Runs" }).waitFor();
    const monitors: string[] = [];
    page.on("request", (request) => {
      if (request.url().includes("/api/system/monitor")) monitors.push(request.url());
    });
    // The top bar asks on: two of its questions are longer than any pause of the page's.
    const before = asked;
    await expect.poll(() => asked).toBeGreaterThanOrEqual(before + 2);
    expect(monitors).toEqual([]);
  });

  it("fits eight cards into a window of 720 pixels", async () => {
    now = () => telemetry(node());
    await page.setViewportSize({ width: 720, height: 800 });
    await open();
    await card(7).waitFor();
    const over = () =>
      page.evaluate(() => {
        const box = document.querySelector("#page .page");
        return (box?.scrollWidth ?? 0) - (box?.clientWidth ?? 0);
      });
    expect(await over()).toBeLessThanOrEqual(0);
  });

  it("shows a dash for what a GPU does not tell", async () => {
    const silent = { index: 0, name: "Old card", processes: [] };
    now = () => telemetry([silent]);
    await open();
    await expect.poll(() => meter(card(0), "Utilisation").getAttribute("aria-valuetext")).toBe("–");
    await said(card(0)).not.toContain("NaN");
  });
});

it("shows another machine's host, GPUs, assets and recycle bin over SSH, in the same window", {
  timeout: 240_000,
}, async () => {
  const far = scratch();
  process.env.RUNICORN_VIEWERS ??= lightViewer(join(far, "viewers"));
  const sshd = await Sshd.start(far);
  try {
    const id = "20260102_000000_fa0001";
    writeDatasetRun(sshd.root, id, "far one", [{ name: "far images", uri: "/far/images" }]);
    const stanza = `Host far\n  HostName 127.0.0.1\n  Port ${sshd.port}\n  User ${sshd.username}\n  IdentityFile ${sshd.key}\n  IdentitiesOnly yes\n`;
    await begin({}, (_, home) => Viewer.writeSshConfig(home, stanza));
    await open("/hosts?selected=ssh:far");
    await page.getByRole("region").getByRole("button", { name: "Connect", exact: true }).click();
    await page.getByRole("button", { name: "Trust and connect" }).click();
    await page.getByRole("grid", { name: "Runs" }).getByText("far one").waitFor({ timeout: 120_000 });

    await page.getByRole("navigation").getByRole("link", { name: "GPUs" }).click();
    await meter(host(), "Memory").waitFor();
    expect(new URL(page.url()).pathname).toBe("/at/ssh:far/gpus");

    await page.getByRole("navigation").getByRole("link", { name: "Assets" }).click();
    await page
      .getByRole("region", { name: "Asset: far images" })
      .getByRole("link", { name: "far one" })
      .click();
    await page.getByRole("region", { name: "Datasets" }).getByRole("link", { name: "used by 1 run" }).click();
    await page.getByRole("region", { name: "Asset: far images" }).waitFor();
    expect(new URL(page.url()).pathname).toBe("/at/ssh:far/assets");

    await page.getByRole("navigation").getByRole("link", { name: "Runs" }).click();
    await page.getByRole("grid", { name: "Runs" }).focus();
    await page.keyboard.press("Delete");
    await page.getByRole("navigation").getByRole("link", { name: "Recycle bin" }).click();
    const bin = page.getByRole("grid", { name: "Deleted runs" });
    await expect.poll(() => bin.getByRole("link").allInnerTexts()).toEqual(["far one"]);
    expect(new URL(page.url()).pathname).toBe("/at/ssh:far/recycle-bin");
    await page.getByRole("button", { name: "Restore" }).click();
    await page.getByRole("status").getByText("Restored far one").waitFor();
    await finish();
  } finally {
    await sshd.close();
    await removeFolder(far);
  }
});

it("speaks Chinese, with GPU answers given on the network", async () => {
  await begin({ locale: "zh-CN" });
  await giveGpus(page, () => telemetry([gpu(0, [train])]), minutes(1));
  await open();
  await page.getByRole("article", { name: "GPU 0：H200" }).waitFor();
  await page.getByRole("meter", { name: "利用率" }).waitFor();
  await finish();
});
