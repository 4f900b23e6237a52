/** The Runs page against the real server: its main job, its faces, the keyboard, both themes and languages. */
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { copyFixture, Viewer, writeRun } from "./viewer";
import { oneBrowser, refusedUntilClicked, Visit } from "./visit";

const browser = oneBrowser();
let visit: Visit;
let root: string;
let viewer: Viewer;
let page: Page;

const grid = (): Locator => page.getByRole("grid", { name: "Runs" });
const row = (name: string): Locator => grid().getByRole("row").filter({ hasText: name });
const preview = (): Locator => page.getByRole("region", { name: /^Preview/ });
const search = (): Locator => page.getByRole("searchbox", { name: "Search runs" });
const toast = (text: string | RegExp): Locator => page.getByRole("status").getByText(text);

const columnHead = (name: string): Locator => page.getByRole("columnheader", { name });

/** What a part of the page says, asked until it fits. */
const said = (part: Locator) => expect.poll(() => part.innerText());

/** What the table shows, top to bottom: the name or id of each run. */
const names = async (): Promise<string[]> => grid().getByRole("link").allInnerTexts();

async function open(address = "/runs"): Promise<void> {
  await page.goto(viewer.address + address);
  await grid().waitFor();
}

async function begin(fixture: string | null, options = {}): Promise<void> {
  visit = await Visit.start(browser(), fixture, options);
  ({ root, viewer, page } = visit);
}
const finish = (): Promise<void> => visit.end();

describe("with recorded runs", () => {
  beforeEach(() => begin("runicorn-0.7.2"));
  afterEach(finish);

  it("lists every run with state, folder, tags and best metric, and leaves deleted ones out", async () => {
    await open();
    await expect.poll(() => grid().getAttribute("aria-rowcount")).toBe("14");
    for (const text of ["Finished", "baseline", "cv/detection/yolo"]) {
      await said(row("yolo-baseline")).toContain(text);
    }
    await said(row("c0ffee")).toContain("Failed");
    await expect.poll(() => page.getByText("de1e7e").count()).toBe(0);
  });

  it("says why a run that was recorded as running has failed", async () => {
    await open("/runs?selected=20250118_120000_deadbe");
    await said(preview()).toContain("its process is gone");
    await said(preview()).toContain("Failed");
  });

  it("marks a damaged run with its problem and lists the others as ever", async () => {
    await open();
    const mark = row("20250123_010101_badbad").getByRole("img", { name: /^Problem: .+/ });
    await mark.waitFor();
  });

  it("finds runs by words, folder, state and comparison, and keeps the view in the address", async () => {
    await open();
    await search().fill("tag:baseline");
    await expect.poll(names).toEqual(["yolo-baseline"]);
    await expect.poll(() => page.url()).toContain("q=tag%3Abaseline");
    await search().fill("");
    await page.getByRole("treeitem", { name: /^cv/ }).click();
    await page.getByRole("button", { name: /^Failed/ }).click();
    await expect.poll(names).toEqual(["oom"]);
    await expect.poll(() => new URL(page.url()).search).toBe("?path=cv&status=failed");
    await page.reload();
    await grid().waitFor();
    await expect.poll(names).toEqual(["oom"]);
  });

  it("sorts by any column, the other way at the second click, runs without a value last", async () => {
    await open("/runs?path=cv");
    const head = columnHead("Best metric");
    await head.getByRole("button").click();
    await expect.poll(() => head.getAttribute("aria-sort")).toBe("descending");
    const values = async () => {
      const cells = await grid().locator('[role="row"] [role="gridcell"]:nth-child(4) .mono').allInnerTexts();
      return cells.map(Number).filter((value) => !Number.isNaN(value));
    };
    const falls = (found: number[]) => found.every((value, at) => at === 0 || value <= (found[at - 1] ?? 0));
    await expect.poll(values).toSatisfy((found: number[]) => found.length === 2 && falls(found));
    const falling = await values();
    await head.getByRole("button").click();
    await expect.poll(() => head.getAttribute("aria-sort")).toBe("ascending");
    await expect.poll(values).toEqual([...falling].reverse());
  });

  it("shows nothing found and the way out", async () => {
    await open("/runs?q=nosuchrun");
    await page.getByText("No run fits this search").waitFor();
    await grid().getByRole("button", { name: "Clear the search" }).click();
    await expect.poll(() => names().then((list) => list.length)).toBe(13);
  });

  it("shows the chosen run beside the list: facts, first charts, summary and last log lines", async () => {
    await open("/runs?selected=20250114_153045_a1b2c3");
    const region = page.getByRole("region", { name: "Preview: yolo-baseline" });
    await expect.poll(() => region.locator("canvas").count()).toBe(3);
    await expect.poll(() => region.getByRole("group", { name: "Log" }).innerText()).not.toBe("");
    await said(region).toContain("20250114_153045_a1b2c3 · cv/detection/yolo");
  });

  it("shows a run that is written while the page is open, and its end, without a reload", async () => {
    await open();
    const dir = writeRun(root, { id: "20261120_120000_abc123", path: "live/now", alias: "written-now" });
    await expect.poll(() => row("written-now").innerText()).toContain("Running");
    await page.getByRole("treeitem", { name: /^live/ }).waitFor();
    writeFileSync(
      join(dir, "status.json"),
      JSON.stringify({ status: "finished", ended_at: Date.now() / 1000 }),
    );
    await expect.poll(() => row("written-now").innerText()).toContain("Finished");
  });

  it("deletes with the key and brings back with undo", async () => {
    await open("/runs?selected=20250114_153045_a1b2c3");
    await grid().focus();
    await page.keyboard.press("Delete");
    await toast("Deleted yolo-baseline").waitFor();
    await expect.poll(names).not.toContain("yolo-baseline");
    await page.getByRole("button", { name: "Undo" }).click();
    await toast("Restored").waitFor();
    await expect.poll(names).toContain("yolo-baseline");
    const run = join(root, "runs/cv/detection/yolo/20250114_153045_a1b2c3");
    expect(existsSync(join(run, "events.jsonl"))).toBe(true);
    expect(readdirSync(run)).not.toContain(".deleted");
  });

  it("deletes all ticked runs at once and offers one undo for them", async () => {
    await open("/runs?path=cv");
    await page.getByRole("checkbox", { name: "Tick every run shown" }).check();
    await page.getByText("5 ticked").waitFor();
    await page.getByRole("group", { name: "5 ticked" }).getByRole("button", { name: "Delete" }).click();
    await toast("Deleted 5 runs").waitFor();
    await page.getByText("No run fits this search").waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await expect.poll(() => names().then((list) => list.length)).toBe(5);
  });

  it("renames a run and sets its tags; the file on disk says the same", async () => {
    await open("/runs?selected=20250114_153045_a1b2c3");
    await grid().focus();
    await page.keyboard.press("e");
    const dialog = page.getByRole("dialog", { name: "Rename and tag" });
    await dialog.getByLabel("Name").fill("<b>renamed</b>");
    await dialog.getByLabel("Tags").fill("v2, keep");
    await page.keyboard.press("Enter");
    await said(row("<b>renamed</b>")).toContain("keep");
    const meta = JSON.parse(
      readFileSync(join(root, "runs/cv/detection/yolo/20250114_153045_a1b2c3/meta.json"), "utf8"),
    );
    expect(meta).toMatchObject({ alias: "<b>renamed</b>", tags: ["v2", "keep"], python: "3.11.7" });
  });

  it("adds a tag to several runs", async () => {
    await open("/runs?path=nlp");
    await page.getByRole("checkbox", { name: "Tick every run shown" }).check();
    await page.getByRole("button", { name: "Tags…", exact: true }).click();
    const dialog = page.getByRole("dialog", { name: "Tags of 3 runs" });
    await dialog.getByLabel("Add tags").fill("seen");
    await dialog.getByRole("button", { name: "Save" }).click();
    await expect.poll(() => row("seen").count()).toBe(3);
  });

  it("works with the keyboard alone: search, move, tick, open, go back", async () => {
    await open();
    await page.keyboard.press("/");
    await page.keyboard.type("path:cv");
    await expect.poll(() => names().then((list) => list.length)).toBe(5);
    await page.keyboard.press("ArrowDown");
    const first = await names();
    await page.keyboard.press("ArrowDown");
    await expect.poll(() => preview().innerText()).toContain(first[1] ?? "");
    await page.keyboard.press("Space");
    await page.getByText("1 ticked").waitFor();
    await page.keyboard.press("Shift+ArrowDown");
    await page.getByText("2 ticked").waitFor();
    await page.keyboard.press("Escape");
    await expect.poll(() => page.getByText(/ticked$/).count()).toBe(0);
    await page.keyboard.press("End");
    await page.keyboard.press("Enter");
    await expect.poll(() => new URL(page.url()).pathname).toMatch(/^\/run\//);
    await page.goBack();
    await grid().waitFor();
    await expect.poll(() => new URL(page.url()).searchParams.get("q")).toBe("path:cv");
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
    await page.keyboard.press("Escape");
    await expect.poll(() => page.getByRole("dialog").count()).toBe(0);
  });

  it("reaches everything with Tab, in the order of reading, with a visible focus", async () => {
    await open();
    const seen: string[] = [];
    for (let step = 0; step < 60 && !seen.includes("grid"); step += 1) {
      await page.keyboard.press("Tab");
      const focus = await page.evaluate(() => {
        const at = document.activeElement as HTMLElement;
        // What shows the focus may stand on the element, beside a hidden input, or around both.
        const parts = [at, at.nextElementSibling, at.parentElement, at.parentElement?.parentElement];
        const look = () =>
          parts.map((part) => {
            if (!part) return "";
            const { outline, boxShadow, borderColor, backgroundColor } = getComputedStyle(part);
            return [outline, boxShadow, borderColor, backgroundColor].join();
          });
        const focused = look();
        at.blur();
        const plain = look();
        at.focus();
        return {
          name: at.getAttribute("aria-label") ?? at.innerText ?? at.tagName,
          role: at.getAttribute("role"),
          isSeen: focused.some((part, at) => part !== plain[at]),
        };
      });
      expect(focus.isSeen, focus.name).toBe(true);
      seen.push(focus.role ?? focus.name);
    }
    const order = ["Go to the runs", "tree", "Search runs", "grid"].map((name) => seen.indexOf(name));
    expect(order.every((at) => at >= 0)).toBe(true);
    expect(order).toEqual([...order].sort((a, b) => a - b));
  });

  it("walks the folders with the arrow keys", async () => {
    await open();
    const tree = page.getByRole("tree", { name: "Folders" });
    await tree.focus();
    await page.keyboard.press("ArrowDown");
    await expect.poll(() => new URL(page.url()).searchParams.get("path")).toBe("cv");
    await page.keyboard.press("ArrowLeft");
    await expect.poll(() => page.getByRole("treeitem", { name: /^detection/ }).count()).toBe(0);
    await page.keyboard.press("ArrowRight");
    await page.getByRole("treeitem", { name: /^detection/ }).waitFor();
  });

  it("goes to a run and changes the look from the palette", async () => {
    await open();
    await page.keyboard.press("Control+k");
    await page.keyboard.type("dark");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.evaluate(() => document.documentElement.dataset.theme)).toBe("dark");
    await page.keyboard.press("Control+k");
    await page.keyboard.type("yolo-base");
    await page.keyboard.press("Enter");
    await expect.poll(() => new URL(page.url()).pathname).toBe("/run/20250114_153045_a1b2c3");
  });

  it("hides columns, keeps their widths, and resets them", async () => {
    await open();
    await page.getByRole("button", { name: "Columns" }).click();
    await page.getByRole("checkbox", { name: "Folder" }).uncheck();
    await page.keyboard.press("Escape");
    await expect.poll(() => columnHead("Folder").count()).toBe(0);
    const head = columnHead("State");
    const width = async () => (await head.boundingBox())?.width ?? 0;
    const before = await width();
    await head.getByRole("button").focus();
    await page.keyboard.press("Shift+ArrowRight");
    await expect.poll(width).toBe(before + 16);
    await page.reload();
    await expect.poll(width).toBe(before + 16);
    await expect.poll(() => columnHead("Folder").count()).toBe(0);
    await page.getByRole("button", { name: "Columns" }).click();
    await page.getByRole("button", { name: "Reset columns" }).click();
    await columnHead("Folder").waitFor();
  });

  it.each([900, 720])("is usable at %i px, which is also twice that at double zoom", async (width) => {
    await page.setViewportSize({ width, height: 600 });
    await open();
    await expect.poll(() => names().then((list) => list.length)).toBe(13);
    const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    await expect.poll(overflow).toBeLessThanOrEqual(0);
    await page.getByRole("button", { name: "Folders" }).click();
    await page.getByRole("treeitem", { name: /^nlp/ }).click();
    await expect.poll(() => names().then((list) => list.length)).toBe(3);
  });

  it("tells the shell that it has painted, once there is something to see", async () => {
    const painted = page.waitForRequest((request) => request.url().endsWith("/api/desktop/painted"));
    await open();
    expect((await painted).method()).toBe("POST");
  });

  it("asks nobody but its own server", async () => {
    const strangers: string[] = [];
    page.on("request", (request) => {
      if (!request.url().startsWith(viewer.address) && !/^(data|blob):/.test(request.url()))
        strangers.push(request.url());
    });
    await open("/runs?selected=20250114_153045_a1b2c3");
    await preview().locator("canvas").first().waitFor();
    expect(strangers).toEqual([]);
  });

  it("says when the connection is lost and goes on by itself when the server is back", async () => {
    await open();
    await page.getByRole("status", { name: "Changes arrive by themselves" }).waitFor();
    await viewer.stop();
    await page.getByText("no connection").waitFor();
    await expect.poll(() => names().then((list) => list.length)).toBe(13);
    writeRun(root, { id: "20261120_130000_abc123", path: "live/now", alias: "while-away" });
    viewer = visit.viewer = await Viewer.start(
      root,
      join(visit.folder, "home"),
      Number(new URL(viewer.address).port),
    );
    await page.getByRole("status", { name: "Changes arrive by themselves" }).waitFor();
    await row("while-away").waitFor();
  });

  it("says that the chart's script could not be fetched, and tries again when asked", async () => {
    await page.route("**/assets/LineChart*", (route) => route.abort());
    await open("/runs?selected=20250114_153045_a1b2c3");
    const alert = preview().getByRole("alert");
    await alert.waitFor();
    await page.unroute("**/assets/LineChart*");
    await alert.getByRole("button", { name: "Try again" }).click();
    await expect.poll(() => preview().locator("canvas").count()).toBe(3);
  });

  it("says that the storage folder went away, keeps calm, and recovers without a reload", async () => {
    await open();
    renameSync(root, `${root}-away`);
    await page.getByRole("alert").filter({ hasText: "The storage folder is not there" }).waitFor();
    renameSync(`${root}-away`, root);
    await expect.poll(() => page.getByRole("alert").count()).toBe(0);
    await expect.poll(() => names().then((list) => list.length)).toBe(13);
  });
});

describe("faces", () => {
  beforeEach(() => begin("runicorn-0.6.0"));
  afterEach(finish);

  it("waits quietly, then shows the runs", async () => {
    let release: () => void = () => {};
    const held = new Promise<void>((done) => (release = done));
    await page.route("**/api/run-list*", async (route) => {
      await held;
      await route.continue();
    });
    await page.goto(`${viewer.address}/runs`);
    await page.getByRole("status").filter({ hasText: "Loading…" }).waitFor();
    release();
    await grid().waitFor();
  });

  it("says what failed in the server's words and tries again when asked", async () => {
    const asked = await refusedUntilClicked(page, "/api/run-list", {
      detail: "The index is damaged",
      code: "INTERNAL",
    });
    await page.goto(`${viewer.address}/runs`);
    const alert = page.getByRole("alert");
    await expect.poll(() => alert.innerText()).toContain("The index is damaged");
    await alert.getByRole("button", { name: "Try again" }).click();
    await grid().waitFor();
    await asked();
  });

  it("refuses edits on a read-only folder and says so", async () => {
    await page.route("**/api/run-list*", async (route) => {
      const response = await route.fetch();
      const body = await response.json();
      body.storage.state = "read_only";
      await route.fulfill({ response, json: body });
    });
    await open();
    await page.getByRole("alert").filter({ hasText: "The storage folder is read-only" }).waitFor();
    for (const name of ["Delete", "Rename, tags…"]) {
      await expect.poll(() => preview().getByRole("button", { name }).isDisabled()).toBe(true);
    }
  });

  it("says that a page does not exist", async () => {
    await page.goto(`${viewer.address}/nowhere`);
    await page.getByText("There is no page at this address.").waitFor();
  });
});

describe("an empty folder", () => {
  beforeEach(() => begin(null));
  afterEach(finish);

  it("explains itself with the install line and three lines of Python, and shows the first run as it is written", async () => {
    await page.goto(`${viewer.address}/`);
    await page.getByRole("heading", { name: "No runs here yet" }).waitFor();
    await said(page.locator("pre").first()).toBe("pip install runicorn");
    await said(page.locator("pre").last()).toMatch(/^.+\n.+\n.+$/);
    await said(page.getByRole("region")).toContain(root);
    writeRun(root, { id: "20261120_120000_abc123", path: "demo/first", alias: "hello" });
    await row("hello").waitFor();
  });

  it("offers sample runs, made on the spot, and the way back; the folder stays untouched", async () => {
    await page.goto(`${viewer.address}/`);
    const before = readdirSync(root);
    await page.getByRole("button", { name: "Show sample runs" }).click();
    await grid().waitFor();
    await page.getByText("These are sample runs").waitFor();
    await expect.poll(() => preview().locator("canvas").count()).toBeGreaterThan(0);
    await page.getByRole("button", { name: "Back to my runs" }).click();
    await page.getByRole("heading", { name: "No runs here yet" }).waitFor();
    expect(readdirSync(root)).toEqual(before);
  });

  it("names the folders on this machine that hold runs already, and shows one", async () => {
    copyFixture("runicorn-0.6.0", join(viewer.home, "runicorn_data"));
    await page.goto(`${viewer.address}/`);
    await page.getByRole("heading", { name: "Folders with runs on this machine" }).waitFor();
    await page.getByRole("button", { name: /runicorn_data/ }).click();
    await row("yolo-baseline").waitFor();
  });

  it("lets another folder be chosen, and says what is wrong with one that cannot be", async () => {
    const other = copyFixture("runicorn-0.6.0", join(visit.folder, "other"));
    await page.goto(`${viewer.address}/`);
    await page.getByRole("button", { name: "Choose another folder…" }).click();
    const dialog = page.getByRole("dialog", { name: "Choose the storage folder" });
    const file = join(visit.folder, "a-file");
    writeFileSync(file, "");
    await dialog.getByLabel("Folder").fill(file);
    await page.keyboard.press("Enter");
    await dialog.getByRole("alert").waitFor();
    await dialog.getByLabel("Folder").fill(other);
    await dialog.getByRole("button", { name: "Use this folder" }).click();
    await row("yolo-baseline").waitFor();
  });
});

describe("themes and languages", () => {
  afterEach(finish);

  it("follows the system's dark theme, and a chosen one over it, also after a reload", async () => {
    await begin("runicorn-0.6.0", { colorScheme: "dark" });
    await open();
    const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await expect.poll(theme).toBe("dark");
    const dark = await ground();
    await page.goto(`${viewer.address}/settings?section=look`);
    await page.getByRole("radio", { name: "Light" }).check();
    await expect.poll(ground).not.toBe(dark);
    await open();
    await expect.poll(theme).toBe("light");
    await expect.poll(ground).not.toBe(dark);
  });

  it("speaks the reader's language, and the other one when asked", async () => {
    await begin("runicorn-0.6.0", { locale: "zh-CN" });
    await page.goto(`${viewer.address}/runs`);
    await page.getByRole("grid", { name: "实验" }).waitFor();
    await expect.poll(() => page.evaluate(() => document.documentElement.lang)).toBe("zh-CN");
    await page.getByRole("link", { name: "设置" }).click();
    await page.getByRole("link", { name: "外观与语言" }).click();
    await page.getByRole("radio", { name: "English" }).check();
    await page.getByRole("heading", { name: "Look and language" }).waitFor();
    await open();
  });

  it("moves nothing when reduced motion is wanted", async () => {
    await begin("runicorn-0.6.0", { reducedMotion: "reduce" });
    await open();
    const quick = () =>
      page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue("--quick").trim());
    expect(Number.parseFloat(await quick())).toBe(0);
  });
});
