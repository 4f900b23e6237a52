/** Printing: the page on paper is light, whole, and without what can only be pressed. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { eventLine } from "./run_root";
import { writeRun } from "./viewer";
import { SharedViewer } from "./visit";

const CHARTS = 40;
const RUNS = 120;
const ID = "20260401_000000_9a9e40";

const shared = new SharedViewer((root) => {
  mkdirSync(root, { recursive: true });
  const dir = writeRun(root, { id: ID, path: "paper", alias: "printed", status: "finished" });
  const names = Array.from({ length: CHARTS }, (_, at) => `layer/m${at}`);
  const lines = Array.from({ length: 50 }, (_, step) =>
    eventLine(step, Object.fromEntries(names.map((name, at) => [name, Math.sin(step / 9 + at)]))),
  );
  writeFileSync(join(dir, "events.jsonl"), lines.join(""));
  for (let at = 1; at < RUNS; at += 1) {
    writeRun(root, {
      id: `20260401_000${String(at).padStart(3, "0")}_9a9e40`,
      path: "paper",
      status: "finished",
    });
  }
});

/** What stands in the page when the browser is asked for paper. */
interface Paper {
  theme: string | undefined;
  drawn: number;
  rows: number;
  overflow: string;
}
declare global {
  interface Window {
    paper?: Paper;
  }
}

/** The browser's own dialog waits for a person: here it is only noted that it was asked for. */
async function open(address: string, selector: string): Promise<void> {
  await shared.page.addInitScript(() => {
    window.print = () => {
      window.paper = {
        theme: document.documentElement.dataset.theme,
        drawn: document.querySelectorAll("article[data-metric] canvas").length,
        rows: document.querySelectorAll('[role="rowgroup"] [role="row"]').length,
        overflow: getComputedStyle(document.body).overflow,
      };
    };
  });
  await shared.page.goto(shared.address + address);
  await shared.page.locator(selector).first().waitFor();
}

const paper = (): Promise<Paper | undefined> => shared.page.evaluate(() => window.paper);
const pagesOf = (pdf: Buffer): number => pdf.toString("latin1").match(/\/Type\s*\/Page\b/g)?.length ?? 0;

describe("a page on paper", () => {
  it("of charts has all of them, drawn, in light colours, also those that were not on screen", async () => {
    await shared.page.emulateMedia({ colorScheme: "dark" });
    await open(`/run/${ID}`, "article[data-metric] canvas");
    expect(await shared.page.locator("article[data-metric] canvas").count()).toBeLessThan(CHARTS);
    await shared.page.keyboard.press("Control+p");
    await expect.poll(paper).toMatchObject({ theme: "light", drawn: CHARTS, overflow: "visible" });
    await shared.page.emulateMedia({ media: "print" });
    expect(await shared.page.getByRole("navigation", { name: "Pages" }).isVisible()).toBe(false);
    expect(await shared.page.getByRole("tab").first().isVisible()).toBe(false);
    expect(await shared.page.getByText(`${shared.address}/run/${ID}`).isVisible()).toBe(true);
    expect(pagesOf(await shared.page.pdf())).toBeGreaterThan(1);
    // The paper is made: the page is as it was.
    await shared.page.emulateMedia({ media: "screen" });
    await expect.poll(() => shared.page.locator("html").getAttribute("data-theme")).toBe("dark");
    await expect.poll(() => shared.page.locator("article[data-metric] canvas").count()).toBeLessThan(CHARTS);
  });

  it("of runs has every row of the table", async () => {
    await open("/runs", '[role="rowgroup"] [role="row"]');
    expect(await shared.page.locator('[role="rowgroup"] [role="row"]').count()).toBeLessThan(RUNS);
    await shared.page.keyboard.press("Control+k");
    await shared.page.getByRole("combobox", { name: "Search runs and actions" }).fill("print this");
    await shared.page.keyboard.press("Enter");
    await expect.poll(paper).toMatchObject({ rows: RUNS, overflow: "visible" });
    const lines = await shared.page.locator('[role="rowgroup"]').evaluate((body) => {
      const boxes = [...body.children].map((line) => line.getBoundingClientRect());
      return {
        last: boxes.at(-1)?.bottom ?? 0,
        end: body.getBoundingClientRect().bottom,
        page: document.body.scrollHeight,
      };
    });
    expect(lines.last).toBeCloseTo(lines.end, 0);
    expect(lines.page).toBeGreaterThanOrEqual(Math.floor(lines.end));
    expect(pagesOf(await shared.page.pdf())).toBeGreaterThan(1);
  });

  it("can be called off while its charts are drawn", async () => {
    await open(`/run/${ID}`, "article[data-metric] canvas");
    let release: () => void = () => {};
    const held = new Promise<void>((done) => (release = done));
    await shared.page.route("**/api/series", async (way) => {
      await held;
      await way.continue();
    });
    await shared.page.keyboard.press("Control+p");
    const note = shared.page.getByRole("status").filter({ hasText: "Drawing for paper" });
    await note.getByRole("button", { name: "Cancel" }).click();
    await note.waitFor({ state: "detached" });
    release();
    await expect.poll(() => shared.page.locator("html").getAttribute("data-printing")).toBeNull();
    expect(await paper()).toBeUndefined();
  });
});
