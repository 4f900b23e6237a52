/** The command palette: it reaches every run, every page, and everything that the page on screen can do. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator } from "playwright-core";
import { describe, expect, it } from "vitest";
import { eventLine, type Metrics } from "./run_root";
import { writeRun } from "./viewer";
import { SharedViewer } from "./visit";

const COUNT = 400;
const idOf = (at: number): string => `20260301_${String(at).padStart(6, "0")}_c0ffee`;

const shared = new SharedViewer((root) => {
  mkdirSync(root, { recursive: true });
  for (let at = 0; at < COUNT; at += 1) {
    const alias = at === 0 ? "the very oldest" : `night ${at}`;
    const dir = writeRun(root, {
      id: idOf(at),
      path: "cv/dark",
      alias,
      tags: at === 7 ? ["golden"] : [],
      status: at % 40 === 1 ? "failed" : "finished",
      createdAt: 1_772_000_000 + at,
    });
    const data: Metrics = at === 0 ? { loss: 1, "val/accuracy": 0.5 } : { loss: 1 };
    writeFileSync(join(dir, "events.jsonl"), eventLine(1, data));
  }
});

const palette = (): Locator => shared.page.getByRole("dialog", { name: "Search runs and actions" });
const options = (group: string): Locator =>
  palette().getByRole("group", { name: group, exact: true }).getByRole("option");
const grid = (): Locator => shared.page.getByRole("grid", { name: "Runs" });

async function open(address: string, ready: Locator): Promise<void> {
  await shared.page.goto(shared.address + address);
  await ready.waitFor();
  await shared.page.keyboard.press("Control+k");
  await palette().waitFor();
}

/** Types words and does what stands first. */
async function command(words: string): Promise<void> {
  await palette().getByRole("combobox").fill(words);
  await palette().locator('[aria-selected="true"]').waitFor();
  await shared.page.keyboard.press("Enter");
  await palette().waitFor({ state: "detached" });
}

describe("runs", () => {
  it("the oldest of many is reached by a part of its name", async () => {
    await open("/runs", grid());
    await command("very old");
    await shared.page.getByRole("heading", { name: "the very oldest" }).waitFor();
    expect(new URL(shared.page.url()).pathname).toBe(`/run/${idOf(0)}`);
  });

  it("are found by tag, and the closest name stands first", async () => {
    await open("/runs", grid());
    await palette().getByRole("combobox").fill("golden");
    await expect.poll(() => options("Runs").allInnerTexts()).toHaveLength(1);
    await palette().getByRole("combobox").fill("night 7");
    await expect.poll(() => options("Runs").first().innerText()).toMatch(/^night 7\b/);
  });

  it("more than it lists are shown in the table", async () => {
    await open("/runs", grid());
    await palette().getByRole("combobox").fill("night");
    await options("More runs").last().click();
    await expect.poll(() => new URL(shared.page.url()).searchParams.get("q")).toBe("night");
    await expect.poll(() => grid().getAttribute("aria-rowcount")).toBe(String(COUNT));
  });
});

describe("what the page on screen can do", () => {
  it("offers only what can be done now, with its key, and does it", async () => {
    await open("/runs", grid());
    await expect.poll(() => options("On this page").allInnerTexts()).not.toHaveLength(0);
    const now = await options("On this page").allInnerTexts();
    expect(now.some((text) => /baseline of all others\s+B$/.test(text))).toBe(true);
    expect(now.some((text) => /compare the ticked/i.test(text))).toBe(false);
    await command("only runs failed");
    await expect.poll(() => new URL(shared.page.url()).searchParams.get("status")).toBe("failed");
  });

  it("opens a menu of the page, which has the focus", async () => {
    await open("/runs", grid());
    await command("columns");
    const panel = shared.page.getByRole("dialog", { name: "Columns" });
    await panel.waitFor();
    await expect.poll(() => panel.evaluate((node) => node.contains(document.activeElement))).toBe(true);
  });

  it("groups the runs", async () => {
    await open("/runs", grid());
    await command("group by state");
    await shared.page.getByRole("treegrid", { name: "Runs" }).waitFor();
  });

  it("goes to a part of a run, to one of its charts, and changes the axis", async () => {
    await open(`/run/${idOf(0)}`, shared.page.getByRole("tab", { name: "Logs" }));
    await command("show val/accuracy large");
    await shared.page.getByRole("dialog", { name: /val\/accuracy/ }).waitFor();
    await shared.page.goto(`${shared.address}/run/${idOf(0)}`);
    await shared.page.locator("article[data-metric] canvas").first().waitFor();
    await shared.page.keyboard.press("Control+k");
    await command("x axis: wall time");
    await expect.poll(() => new URL(shared.page.url()).searchParams.get("x")).toBe("wall_time");
    await shared.page.keyboard.press("Control+k");
    await command("show overview");
    await expect.poll(() => new URL(shared.page.url()).searchParams.get("tab")).toBe("overview");
  });

  it("takes a run of a comparison as its baseline", async () => {
    const address = `/compare?runs=${idOf(1)},${idOf(2)}`;
    await open(address, shared.page.getByRole("tab", { name: "What changed" }));
    await command("take night 2 as the baseline");
    await expect.poll(() => new URL(shared.page.url()).searchParams.get("baseline")).toBe(idOf(2));
  });

  it("ends with the page: another page offers its own", async () => {
    await open("/settings", shared.page.getByRole("heading", { name: "Storage folder" }));
    await palette().getByRole("combobox").fill("baseline");
    await palette().getByText("Nothing is called that").waitFor();
  });
});

describe("everywhere", () => {
  it("a part of the settings, the lines' colours and a link are reached from any page", async () => {
    await open("/gpus", shared.page.getByRole("main"));
    await command("settings: keyboard");
    await shared.page.getByRole("heading", { name: "Keyboard" }).waitFor();
    await shared.page.keyboard.press("Control+k");
    await command("lines: high contrast");
    await expect.poll(() => shared.page.locator("html").getAttribute("data-palette")).toBe("contrast");
    await shared.page.keyboard.press("Control+k");
    await command("copy a link");
    await shared.page.getByRole("status").getByText("Copied").waitFor();
  });

  it("a view that was kept by name is shown", async () => {
    const kept = await shared.page.request.put(`${shared.address}/api/run-views/failures`, {
      data: { query: "status=failed&sort=name" },
    });
    expect(kept.status()).toBe(200);
    await open("/gpus", shared.page.getByRole("main"));
    await palette().getByRole("combobox").fill("view failures");
    await options("Everywhere").first().waitFor();
    await shared.page.keyboard.press("Enter");
    await grid().waitFor();
    expect(new URL(shared.page.url()).search).toBe("?status=failed&sort=name");
  });

  it("> in front leaves the runs out", async () => {
    await open("/runs", grid());
    await palette().getByRole("combobox").fill("> go to");
    await expect.poll(() => options("Everywhere").count()).toBeGreaterThan(3);
    expect(await options("Runs").count()).toBe(0);
  });
});
