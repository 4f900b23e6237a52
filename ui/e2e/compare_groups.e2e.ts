/** Runs put together by what they share: one line for each group, the exact mean with a band, on a real viewer. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { beforeEach, describe, expect, it } from "vitest";
import { append, eventLine } from "./run_root";
import { openPage, writeRun } from "./viewer";
import { SharedViewer } from "./visit";

/** Two learning rates, three seeds each; the third seed of the second rate logs every other step and stops early. */
const seeds = [0.1, 0.1, 0.1, 0.01, 0.01, 0.01].map((lr, at) => ({
  id: `20260501_00000${at}_aaaa0${at}`,
  alias: `seed ${at}`,
  lr,
  base: at,
  sparse: at === 5,
}));
const LIVE = "20260502_000000_bbbb00";
const ids = seeds.map((seed) => seed.id);
let liveDir = "";

const shared = new SharedViewer((root) => {
  for (const { id, alias, lr, base, sparse } of seeds) {
    const tags = base % 2 === 0 ? ["even"] : [];
    const dir = writeRun(root, {
      id,
      path: `sweep/${lr}`,
      alias,
      tags,
      status: base === 0 ? "failed" : "finished",
    });
    writeFileSync(join(dir, "assets.json"), JSON.stringify({ config: { args: { lr }, extra: {} } }));
    for (let step = 0; step <= (sparse ? 6 : 10); step += sparse ? 2 : 1)
      append(dir, "events.jsonl", eventLine(step, { loss: base + step }));
  }
  liveDir = writeRun(root, { id: LIVE, path: "live", alias: "going", status: "running" });
  append(liveDir, "events.jsonl", eventLine(0, { loss: 1 }) + eventLine(1, { loss: 2 }));
});
let page: Page;
beforeEach(() => {
  page = shared.page;
});

const open = (more = "", runs = ids) => page.goto(`${shared.address}/compare?runs=${runs.join(",")}${more}`);
const plot = (): Locator => page.getByRole("application", { name: "loss: " });
const chart = (): Locator => page.getByRole("region", { name: "loss", exact: true });
const picks = (): Locator => page.getByRole("region", { name: "Compared runs" });
const group = (name: string | RegExp): Locator =>
  picks()
    .getByRole("listitem")
    .filter({ has: page.getByRole("button", { name }) });
const says = (words: string) => expect.poll(() => plot().getAttribute("aria-label")).toContain(words);
const member = (name: string): string | null => new URL(page.url()).searchParams.get(name);
const chooser = async () => {
  await page.getByRole("button", { name: /^Group by/ }).click();
};
const way = (name: string): Locator =>
  page.getByRole("radiogroup", { name: "Group by" }).getByRole("radio", { name, exact: true });

/** The tooltip of the chart at a step, read by keys. */
async function tipAt(step: number): Promise<string> {
  await plot().focus();
  await page.keyboard.press("Home");
  for (let at = 0; at < step; at += 1) await page.keyboard.press("ArrowRight");
  return chart().locator(".tip").innerText();
}

describe("groups", () => {
  it("by a configuration value are one line each, the mean of their runs, and the address remembers it", async () => {
    await open();
    await says("runs: 6, points drawn: 59");
    await chooser();
    await way("lr").click();
    await says("lines: 2, points drawn: 22,");
    await expect.poll(() => member("group")).toBe("config:lr");
    await page.keyboard.press("Escape");
    await group("0.01").getByText("3 runs").waitFor();
    await group("0.1").getByText("3 runs").waitFor();
    await chart().getByText("means of 2 groups · min–max").waitFor();

    // Of lr 0.1 the seeds 0, 1, 2 log base + step; of 0.01 the seeds 3 and 4 do, and 5 at even steps up to 6.
    const tip = (await tipAt(3)).replaceAll(/\s+/g, " ");
    expect(tip).toContain("0.1 4 3…5");
    // 6 and 7 at step 3, and 7 of the sparse run, carried from step 2.
    expect(tip).toContain("0.01 6.6667 6…7");
    const late = (await tipAt(8)).replaceAll(/\s+/g, " ");
    expect(late).toContain("0.01 11.500 11…12");

    await page.reload();
    await says("lines: 2, points drawn: 22,");
  });

  it("may be of states, folders, tags or one tag", async () => {
    await open("&group=state");
    await group("Failed").getByText("1 run").waitFor();
    await group("Finished").getByText("5 runs").waitFor();
    await chooser();
    await way("Folder").click();
    await group("sweep/0.1").getByText("3 runs").waitFor();
    await way("even").click();
    await group("without even").getByText("3 runs").waitFor();
    await group(/^even/).getByText("3 runs").waitFor();
    await says("lines: 2,");
    await way("nothing").click();
    await says("runs: 6,");
    expect(member("group")).toBeNull();
  });

  it("have a band of the standard error, or none", async () => {
    await open("&group=config:lr");
    await says("lines: 2,");
    await chooser();
    await page.getByRole("radio", { name: "Standard error" }).check({ force: true });
    await chart().getByText("± standard error").waitFor();
    // 3, 4, 5 at step 3: the deviation is 1, over the root of three 0.57735.
    await page.keyboard.press("Escape");
    await expect.poll(async () => (await tipAt(3)).replaceAll(/\s+/g, " ")).toContain("0.1 4 3.4226…4.5774");
    await expect.poll(() => member("band")).toBe("standard_error");
    await chooser();
    await page.getByRole("radio", { name: "None" }).check({ force: true });
    await expect.poll(async () => chart().locator(".facts").innerText()).not.toContain("±");
  });

  it("open to their runs, which can be hidden out of the mean and drawn behind it", async () => {
    await open("&group=config:lr");
    await says("lines: 2,");
    await group("0.1").getByRole("button", { name: /^0\.1/ }).click();
    await picks().getByRole("checkbox", { name: "Show seed 2" }).uncheck();
    await group("0.1").getByText("2 of 3").waitFor();
    // The seeds 0 and 1 are left.
    await expect.poll(async () => (await tipAt(3)).replaceAll(/\s+/g, " ")).toContain("0.1 3.5000 3…4");
    await picks().getByRole("checkbox", { name: "Show 0.01" }).uncheck();
    await says("lines: 1,");
    await picks().getByRole("checkbox", { name: "Show 0.01" }).check();
    await says("lines: 2,");
    await chooser();
    await page.getByRole("checkbox", { name: "Show the runs behind the means" }).check();
    // Two means and five runs.
    await says("lines: 7,");
    await expect.poll(() => member("each")).toBe("1");
  });

  it("stand out when they are pointed at, in the list and in the chart", async () => {
    await open("&group=config:lr");
    await says("lines: 2,");
    await group("0.1").hover();
    await plot().locator("canvas").nth(1).waitFor();
    await page.mouse.move(2, 2);
    await plot().locator("canvas").nth(1).waitFor({ state: "detached" });
    const box = await plot().locator(".over").boundingBox();
    if (!box) throw new Error("the chart has no place");
    // At the right end the mean of 0.1 stands at 11, that of 0.01 at 13.5; the axis ends a little above 14.
    await page.mouse.move(box.x + box.width * 0.99, box.y + box.height * 0.1);
    await expect.poll(() => group("0.01").getAttribute("class")).toContain("pointed");
  });

  it("follow a run of theirs that grows", async () => {
    await open("&group=state", [...ids, LIVE]);
    await group("Running").waitFor();
    await says("points drawn: 24");
    append(liveDir, "events.jsonl", eventLine(2, { loss: 99 }));
    await says("from 0 to 99");
  });

  it("say that the values could not be loaded, and try again when asked", async () => {
    await page.route("**/api/run-values", (route) => route.abort());
    await open("&group=config:lr");
    const note = picks().getByRole("status");
    await note.getByText(/^Not loaded/).waitFor();
    await page.unroute("**/api/run-values");
    await note.getByRole("button", { name: "Try again" }).click();
    await says("lines: 2,");
  });

  it("can be used in a narrow window, in Chinese and in the dark", async () => {
    const narrow = await openPage(shared.browser, {
      viewport: { width: 900, height: 640 },
      locale: "zh-CN",
      colorScheme: "dark",
    });
    await narrow.page.goto(`${shared.address}/compare?runs=${ids.join(",")}&group=config:lr`);
    await narrow.page.getByRole("button", { name: /^分组依据/ }).click();
    await narrow.page.getByRole("radio", { name: "文件夹" }).waitFor();
    const wider = await narrow.page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    expect(wider).toBe(false);
    expect(narrow.faults).toEqual([]);
    await narrow.close();
  });
});
