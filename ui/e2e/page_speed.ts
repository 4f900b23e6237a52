/** Measures, for `cargo xtask bench`: how soon pages stand and how smoothly they move, in a real browser. Prints `name=value` lines. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventLine } from "./run_root";
import { generateRoot, openBrowser, openPage, type View, Viewer, writeRun } from "./viewer";

/** Kept between measurements: writing these roots takes longer than measuring on them. */
const folder = process.env.RUNICORN_BENCH;
if (!folder) throw new Error("RUNICORN_BENCH must name a folder for the roots");
const rounds = 7;

const CHARTS = "20260501_000000_c4a100";
const WIDE = "20260501_000001_31de00";
const LONG = "20260501_000002_10e600";
const many = Array.from({ length: 100 }, (_, at) => `20260502_0000${String(at).padStart(2, "0")}_c0ba00`);

let browser: Browser;
let viewer: Viewer | undefined;
let view: View | undefined;

/** A root that is whole only when its mark is there. */
function made(name: string, make: (root: string) => void): string {
  const root = join(folder as string, name);
  if (!existsSync(join(root, "complete"))) {
    mkdirSync(folder as string, { recursive: true });
    make(root);
    writeFileSync(join(root, "complete"), "");
  }
  return root;
}

function rows(count: number, data: (step: number) => Record<string, number>): string {
  return Array.from({ length: count }, (_, step) => eventLine(step, data(step))).join("");
}

const wave = (step: number, at: number): number => Math.round(1e4 * (Math.sin(step / 700 + at) + at)) / 1e4;

function chartRoot(root: string): void {
  const charts = writeRun(root, { id: CHARTS, path: "bench", status: "finished" });
  const names = Array.from({ length: 100 }, (_, at) => `m${at}`);
  for (let from = 0; from < 100_000; from += 5_000) {
    const part = Array.from({ length: 5_000 }, (_, step) =>
      eventLine(from + step, Object.fromEntries(names.map((name, at) => [name, wave(from + step, at)]))),
    );
    writeFileSync(join(charts, "events.jsonl"), part.join(""), { flag: "a" });
  }
  const wide = writeRun(root, { id: WIDE, path: "bench", status: "finished" });
  const columns = Array.from({ length: 5_000 }, (_, at) => `layer${Math.floor(at / 50)}/w${at}`);
  const line = (step: number) => Object.fromEntries(columns.map((name, at) => [name, wave(step, at)]));
  writeFileSync(join(wide, "events.jsonl"), rows(20, line));
  const long = writeRun(root, { id: LONG, path: "bench", status: "finished" });
  for (let from = 0; from < 1_000_000; from += 50_000) {
    const part = Array.from({ length: 50_000 }, (_, step) =>
      eventLine(from + step, { loss: wave(from + step, 0) }),
    );
    writeFileSync(join(long, "events.jsonl"), part.join(""), { flag: "a" });
  }
  many.forEach((id, at) => {
    const dir = writeRun(root, { id, path: "bench/many", status: "finished" });
    const data = (step: number) =>
      Object.fromEntries(Array.from({ length: 10 }, (_, metric) => [`m${metric}`, wave(step, at + metric)]));
    writeFileSync(join(dir, "events.jsonl"), rows(500, data));
  });
}

async function open(root: string, name: string): Promise<{ page: Page; address: string }> {
  await view?.close();
  await viewer?.stop();
  viewer = await Viewer.start(root, join(folder as string, `${name}-home`));
  view = await openPage(browser, { viewport: { width: 1440, height: 900 } });
  return { page: view.page, address: viewer.address };
}

function say(name: string, values: readonly number[]): void {
  const middle = [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
  process.stdout.write(`${name}=${middle.toFixed(2)} all=${values.map((one) => one.toFixed(1)).join(" ")}\n`);
  expect(middle).toBeGreaterThan(0);
}

/**
 * Milliseconds from the address being typed until a frame with so many of these is painted: in a new tab, of which the browser
 * has yet to start the process, or in one that shows something of this server.
 */
async function until(
  page: Page,
  href: string,
  selector: string,
  count: number,
  tab: "new" | "open" = "new",
): Promise<number> {
  await page.goto(tab === "new" ? "about:blank" : new URL("/favicon.svg", href).href);
  await page.goto(href, { waitUntil: "commit" });
  return painted(page, selector, count, null);
}

/** What a person does in a list that stands already. */
type Act = { click: string } | { key: string };

/** Milliseconds from the act until a frame with so many of these is painted. */
async function after(page: Page, act: Act, selector: string, count: number): Promise<number> {
  await page.waitForLoadState("networkidle");
  return painted(page, selector, count, act);
}

/** Without an act counted from where the page began. */
function painted(page: Page, selector: string, count: number, act: Act | null): Promise<number> {
  return page.evaluate(
    ([wanted, least, does]) =>
      new Promise<number>((done) => {
        const start = does === null ? 0 : performance.now();
        if (does && "click" in does) document.querySelector<HTMLElement>(does.click)?.click();
        else if (does) document.dispatchEvent(new KeyboardEvent("keydown", { key: does.key, bubbles: true }));
        // Looked for as a frame begins; a message that is posted there arrives when that frame is laid out and painted.
        const frame = new MessageChannel();
        frame.port1.onmessage = () => done(performance.now() - start);
        const look = () => {
          if (document.querySelectorAll(wanted).length >= least) frame.port2.postMessage(null);
          else requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
      }),
    [selector, count, act] as const,
  );
}

/** Both ways; `name` is that of the new tab. */
async function sayUntil(
  name: string,
  page: Page,
  href: string,
  selector: string,
  count: number,
): Promise<void> {
  say(name, await times(() => until(page, href, selector, count)));
  say(`tab_${name}`, await times(() => until(page, href, selector, count, "open")));
}

async function times(work: () => Promise<number>): Promise<number[]> {
  const all: number[] = [];
  for (let round = 0; round < rounds; round += 1) all.push(await work());
  return all;
}

const tableRows = '[role="rowgroup"] [role="row"]';

beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(async () => {
  await view?.close();
  await viewer?.stop();
  await browser?.close();
});

test.each([10_000, 100_000])("first paint of %i runs", async (count) => {
  const root = made(`runs-${count}`, (to) => generateRoot(to, count, 3));
  const { page, address } = await open(root, `runs-${count}`);
  await page.goto(`${address}/runs`);
  await page.getByText(`${(count + 2).toLocaleString("en-US")} runs`).waitFor({ timeout: 300_000 });
  await sayUntil(`paint_${count}_runs_millis`, page, `${address}/runs`, tableRows, 10);
  if (count < 100_000) return;

  const strokes = await page.evaluate(async () => {
    const field = document.querySelector<HTMLInputElement>('input[type="search"]');
    const millis: number[] = [];
    if (!field) return millis;
    for (const text of ["v", "vi", "vit", "vi", "v", "", "r", "re", "res", "best<0.5", "tag:base best<0.5"]) {
      const start = performance.now();
      field.value = text;
      field.dispatchEvent(new InputEvent("input", { bubbles: true }));
      await Promise.resolve();
      // Reading the layout makes the browser finish the work of this keystroke.
      document.body.getBoundingClientRect();
      millis.push(performance.now() - start);
      await new Promise(requestAnimationFrame);
    }
    field.value = "";
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    return millis;
  });
  say("keystroke_millis", strokes);

  const framesPerSecond = await page.evaluate(async () => {
    const grid = document.querySelector('[role="grid"]') as HTMLElement;
    const seconds: number[] = [];
    for (let second = 0; second < 5; second += 1) {
      const start = performance.now();
      let frames = 0;
      while (performance.now() - start < 1000) {
        await new Promise(requestAnimationFrame);
        grid.scrollTop += 470;
        frames += 1;
      }
      seconds.push((frames * 1000) / (performance.now() - start));
    }
    return seconds;
  });
  say("scroll_frames_per_second", framesPerSecond);
});

test("charts", async () => {
  const root = made("charts", chartRoot);
  const { page, address } = await open(root, "charts");
  const drawn = "article[data-metric] canvas";
  await until(page, `${address}/run/${CHARTS}`, drawn, 4);
  await sayUntil("first_charts_100x100000_millis", page, `${address}/run/${CHARTS}`, drawn, 4);
  const opened = async (): Promise<number> => {
    const link = `a[href="/run/${CHARTS}"]`;
    await page.goto(`${address}/runs?q=${CHARTS}`);
    await page.locator(link).first().waitFor();
    return after(page, { click: link }, drawn, 4);
  };
  say("opened_charts_100x100000_millis", await times(opened));
  await until(page, `${address}/run/${WIDE}`, drawn, 4);
  await sayUntil("first_charts_5000_millis", page, `${address}/run/${WIDE}`, drawn, 4);
  const compared = `${address}/compare?runs=${many.join(",")}`;
  await until(page, compared, drawn, 4);
  await sayUntil("compare_100_runs_10_charts_millis", page, compared, drawn, 4);
  const ticked = async (): Promise<number> => {
    await page.goto(`${address}/runs?path=bench%2Fmany`);
    await page.getByRole("checkbox", { name: "Tick every run shown" }).check();
    await page.getByRole("button", { name: /^Compare/ }).waitFor();
    return after(page, { key: "c" }, drawn, 4);
  };
  say("ticked_100_runs_10_charts_millis", await times(ticked));
});

test("moving through a million points", async () => {
  const root = made("charts", chartRoot);
  const { page, address } = await open(root, "charts");
  await until(page, `${address}/run/${LONG}?chart=loss&from=400000&to=500000`, '[role="dialog"] canvas', 1);
  await page.getByRole("dialog").getByRole("application").focus();
  // From the key to the end of the frame that it changed, without the time that the frame waited for its turn.
  const frames = await page.evaluate(async () => {
    const target = document.activeElement as HTMLElement;
    const channel = new MessageChannel();
    const millis: number[] = [];
    for (let frame = 0; frame < 60; frame += 1) {
      await new Promise<void>((next) => {
        requestAnimationFrame(() => {
          const start = performance.now();
          const key = frame % 20 < 10 ? "ArrowRight" : "ArrowLeft";
          target.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey: true, bubbles: true }));
          channel.port1.onmessage = () => {
            millis.push(performance.now() - start);
            next();
          };
          channel.port2.postMessage(null);
        });
      });
    }
    return millis;
  });
  say("pan_frame_millis", frames);
});
