/** Runs of this machine and of a connected host in one comparison, over a real SSH server; and what is seen when the host is away. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { append, eventLine, imageLine, png, snapshot } from "./run_root";
import { Sshd } from "./sshd";
import { lightViewer, openPage, removeFolder, scratch, type View, Viewer, writeRun } from "./viewer";
import { closeView, oneBrowser } from "./visit";

const NEAR = "20260801_000000_aaaa00";
const FAR = "20260802_000000_bbbb00";
const BOTH = `/${NEAR},ssh:gpu-test/${FAR}`;
const AWAY = `/${NEAR},ssh:elsewhere/${FAR}`;

function record(root: string, id: string, alias: string, lr: number, loss: number): void {
  const dir = writeRun(root, { id, path: "both", alias, status: "finished" });
  mkdirSync(join(dir, "media"));
  writeFileSync(join(dir, "assets.json"), JSON.stringify({ config: { args: { lr, seed: 7 }, extra: {} } }));
  writeFileSync(join(dir, "logs.txt"), `start of ${alias}\nepoch done on ${alias}\nend\n`);
  snapshot(dir, { "train.py": `import torch\nrate = ${lr}\n`, "same.py": "print(1)\n" });
  for (let step = 0; step < 10; step += 1) append(dir, "events.jsonl", eventLine(step, { loss }));
  for (const step of [3, 6]) {
    writeFileSync(join(dir, `media/${step}.png`), png(step * 30, 90, loss * 40));
    append(dir, "events.jsonl", imageLine(step, "samples", `media/${step}.png`, alias));
  }
}

const browserOf = oneBrowser();
let folder: string;
let sshd: Sshd;
let viewer: Viewer;
let view: View;
let page: Page;

const runs = (): Locator => page.getByRole("grid", { name: "Runs" });
const pick = (name: string): Locator =>
  page.getByRole("region", { name: "Compared runs" }).getByRole("listitem").filter({ hasText: name });
const says = (words: string) =>
  expect
    .poll(() => page.getByRole("application", { name: "loss: " }).getAttribute("aria-label"))
    .toContain(words);
const open = (keys: string, more = "") => page.goto(`${viewer.address}/at/all/compare?runs=${keys}${more}`);

beforeAll(async () => {
  folder = scratch();
  process.env.RUNICORN_VIEWERS ??= lightViewer(join(folder, "viewers"));
  sshd = await Sshd.start(folder);
  const home = join(folder, "home");
  const root = join(folder, "near-root");
  record(root, NEAR, "near run", 0.1, 1);
  record(sshd.root, FAR, "far run", 0.3, 5);
  const stanza = `Host gpu-test\n  HostName 127.0.0.1\n  Port ${sshd.port}\n  User ${sshd.username}\n`;
  Viewer.writeSshConfig(home, `${stanza}  IdentityFile ${sshd.key}\n  IdentitiesOnly yes\n`);
  viewer = await Viewer.start(root, home);
  view = await openPage(browserOf());
  page = view.page;
  await page.goto(`${viewer.address}/hosts?selected=ssh:gpu-test`);
  await page
    .getByRole("region", { name: "Server: gpu-test" })
    .getByRole("button", { name: "Connect", exact: true })
    .click();
  await page.getByRole("button", { name: "Trust and connect" }).click();
  await runs().getByText("far run").waitFor({ timeout: 120_000 });
  await closeView(view);
}, 280_000);
afterAll(async () => {
  await viewer?.stop();
  await sshd?.close();
  if (folder) await removeFolder(folder);
}, 60_000);
beforeEach(async () => {
  view = await openPage(browserOf());
  page = view.page;
});
afterEach(() => closeView(view));

describe("runs of several machines", () => {
  it("are compared together: curves, differences and values", async () => {
    await page.goto(`${viewer.address}/at/all/runs`);
    // The list of this machine stands first; a click then goes to what stands there when it lands.
    await runs().getByText("far run").waitFor();
    await runs().getByRole("checkbox", { name: "Tick near run" }).click();
    await runs().getByRole("checkbox", { name: "Tick far run" }).click();
    await page.keyboard.press("c");
    await page.waitForURL((url) => url.pathname === "/at/all/compare");
    expect(new URL(page.url()).searchParams.get("runs")).toBe(BOTH);
    await says("runs: 2, points drawn: 20, from 1 to 5");
    await pick("far run").getByText("gpu-test").waitFor();
    await expect
      .poll(() => pick("far run").getByRole("link").getAttribute("href"))
      .toContain("/at/ssh:gpu-test/run/");
    await page.reload();
    await says("runs: 2, points drawn: 20, from 1 to 5");

    await page.keyboard.press("3");
    const lr = page
      .getByRole("table")
      .getByRole("row")
      .filter({ has: page.getByRole("rowheader", { name: "lr", exact: true }) });
    await expect.poll(() => lr.getByRole("cell").allInnerTexts()).toEqual(["0.1", "0.3"]);
    await page.keyboard.press("2");
    await expect.poll(() => page.locator("path.line").count()).toBe(2);
  });

  it("have their code compared file by file", async () => {
    await open(BOTH, "&tab=changed&part=code");
    await page.getByText("1 file differs").waitFor();
    const diff = page.getByRole("region", { name: "train.py", exact: true });
    await diff.getByText("rate = 0.1").waitFor();
    await diff.getByText("rate = 0.3").waitFor();
    await page.getByRole("combobox", { name: "Before" }).selectOption({ label: "near run aaaa00" });
    expect(await page.getByRole("combobox", { name: "After" }).inputValue()).toBe(`ssh:gpu-test/${FAR}`);
  });

  it("have a mean for each host, and the list of groups says so where a group is split by that", async () => {
    const note = page.getByText("Each host averages its own runs");
    await open(BOTH, "&group=config:seed");
    await says("lines: 2, points drawn: 20, from 1 to 5");
    await note.waitFor();
    await open(BOTH, "&group=config:lr");
    await says("lines: 2, points drawn: 20, from 1 to 5");
    expect(await note.count()).toBe(0);
  });

  it("show their pictures in one grid, in the order of the runs, each from its own machine", async () => {
    await open(BOTH);
    await says("runs: 2,");
    await page.getByRole("tab", { name: "Images" }).click();
    const grid = page.getByRole("grid", { name: "Pictures of the compared runs" });
    for (const name of ["near run", "far run"]) {
      const picture = grid.getByRole("button", { name: `Show samples of ${name}, step 6, large` });
      await expect
        .poll(() => picture.getByRole("img").evaluate((image) => (image as HTMLImageElement).naturalWidth))
        .toBeGreaterThan(0);
    }
    expect(await grid.getByRole("columnheader").allInnerTexts()).toEqual(
      expect.arrayContaining([
        expect.stringContaining("near run"),
        expect.stringMatching(/far run\s*gpu-test/),
      ]),
    );
    expect(await grid.getByRole("link", { name: "far run" }).getAttribute("href")).toBe(
      `/at/ssh:gpu-test/run/${FAR}`,
    );
    expect(await grid.getByRole("link", { name: "near run" }).getAttribute("href")).toBe(`/run/${NEAR}`);

    await grid.getByRole("button", { name: "Show samples of far run, step 6, large" }).click();
    const large = page.getByRole("dialog");
    await large.getByText("far run · gpu-test").first().waitFor();
    await expect
      .poll(() => large.locator("img").evaluate((image) => (image as HTMLImageElement).naturalWidth))
      .toBe(32);
    await page.keyboard.press("ArrowLeft");
    await page.waitForURL((url) => url.searchParams.get("image") === "media/3.png");
  });

  it("have their logs searched together, and a found line leads to the run on its machine", async () => {
    await page.goto(`${viewer.address}/at/all/runs`);
    await runs().getByText("far run").waitFor();
    await runs().getByRole("checkbox", { name: "Tick near run" }).click();
    await runs().getByRole("checkbox", { name: "Tick far run" }).click();
    await page.keyboard.press("l");
    await page.waitForURL(
      (url) => url.pathname === "/at/all/compare" && url.searchParams.get("tab") === "logs",
    );
    await page.getByRole("searchbox", { name: "Search the logs" }).fill("epoch done");
    await page.getByText("2 lines in 2 of 2 runs").waitFor();
    const found = page.getByRole("region", { name: "Found in the logs" });
    const links = await found
      .getByRole("link")
      .evaluateAll((all) => all.map((link) => new URL((link as HTMLAnchorElement).href).pathname));
    expect(links).toEqual([
      `/run/${NEAR}`,
      `/run/${NEAR}`,
      `/at/ssh:gpu-test/run/${FAR}`,
      `/at/ssh:gpu-test/run/${FAR}`,
    ]);
    await found.getByRole("link", { name: "epoch done on far run" }).click();
    await page.waitForURL((url) => url.pathname === `/at/ssh:gpu-test/run/${FAR}`);
    expect(new URL(page.url()).searchParams.get("line")).toBe("2");
    await page.getByText("epoch done on far run").first().waitFor();
  });

  it("of which one is on a host that is away: it alone is missing, by the name of the host, on every part", async () => {
    await open(AWAY);
    await says("runs: 1, points drawn: 10");
    await pick(FAR).getByText("elsewhere is not reachable").waitFor();
    await page.keyboard.press("4");
    const grid = page.getByRole("grid", { name: "Pictures of the compared runs" });
    await grid.getByRole("button", { name: "Show samples of near run, step 6, large" }).waitFor();
    await grid.getByRole("alert").getByText("elsewhere is not reachable").waitFor();
    await page.keyboard.press("5");
    await page.getByRole("searchbox", { name: "Search the logs" }).fill("epoch done");
    await page.getByText("1 line in 1 of 2 runs").waitFor();
    const found = page.getByRole("region", { name: "Found in the logs" });
    await found.getByRole("alert").getByText("elsewhere is not reachable").waitFor();
  });

  it("come by themselves once their host is connected: pictures, and what their logs hold", async () => {
    const other = await openPage(browserOf());
    const host = other.page.getByRole("region", { name: "Server: gpu-test" });
    await other.page.goto(`${viewer.address}/hosts?selected=ssh:gpu-test`);
    await host.getByRole("button", { name: "Stop" }).click();
    await other.page.getByRole("status").getByText("Stopped the viewer on gpu-test").waitFor();

    const searching = await openPage(browserOf());
    await searching.page.goto(`${viewer.address}/at/all/compare?runs=${BOTH}&tab=logs&find=epoch+done`);
    await searching.page.getByText("1 line in 1 of 2 runs").waitFor();
    await searching.page
      .getByRole("region", { name: "Found in the logs" })
      .getByText("gpu-test is not reachable")
      .waitFor();
    await open(BOTH, "&tab=images");
    const grid = page.getByRole("grid", { name: "Pictures of the compared runs" });
    await grid.getByRole("alert").getByText("gpu-test is not reachable").waitFor();

    await host.getByRole("button", { name: "Connect", exact: true }).click();
    await other.page.getByRole("grid", { name: "Runs" }).waitFor();
    await grid.getByRole("button", { name: "Show samples of far run, step 6, large" }).waitFor();
    await searching.page.getByText("2 lines in 2 of 2 runs").waitFor();
    await closeView(searching);
    await closeView(other);
  });
});
