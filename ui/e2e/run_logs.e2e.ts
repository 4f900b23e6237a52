import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { beforeEach, describe, expect, it } from "vitest";
import { RunPage } from "./run_page";
import { append, EMPTY, eventLine, LIVE, LONG, writeEmptyRun, writeLiveRun, writeLongRun } from "./run_root";
import { writeRun } from "./viewer";

const SPOKEN = "20260108_000000_5a0ce0";
const BARE = "20260109_000000_ba4e00";
const HUGE = "20260110_000000_b16b16";
const HUGE_LINES = 330_000;

/** The second line of each pair says when: `n` seconds after 2026, UTC. */
const BEGAN = Date.UTC(2026, 0, 1) / 1000;
const timeOf = (n: number): string => new Date((BEGAN + n) * 1000).toISOString().replace(".000Z", "Z");

/** A line a second for 20,000 seconds: every 100th a warning; line 15,000 fails with a traceback. */
function writeSpokenRun(root: string): string {
  const dir = writeRun(root, { id: SPOKEN, path: "spoken", status: "finished", createdAt: BEGAN });
  const lines: string[] = [];
  const events: string[] = [];
  for (let n = 1; n <= 20_000; n += 1) {
    const level = n === 15_000 ? "ERROR" : n % 100 === 0 ? "WARNING" : "INFO";
    lines.push(`${timeOf(n)} ${level} said ${n}`);
    if (n === 15_000) {
      lines.push(
        "Traceback (most recent call last):",
        '  File "train.py", line 7',
        "ValueError: loss is odd",
      );
    }
    if (n % 10 === 0) events.push(eventLine(n / 10, { loss: n === 15_000 ? 50 : 1 }, BEGAN + n));
  }
  append(dir, "logs.txt", `${lines.join("\n")}\n`);
  append(dir, "events.jsonl", events.join(""));
  return dir;
}

function writeBareRun(root: string): string {
  const dir = writeRun(root, { id: BARE, path: "bare", status: "finished" });
  append(dir, "logs.txt", "nothing but words\nand more words\n");
  append(dir, "events.jsonl", eventLine(1, { loss: 1 }) + eventLine(2, { loss: 2 }));
  return dir;
}

/** 330 MB, of which the last line alone is an error. */
function writeHugeRun(root: string): string {
  const dir = writeRun(root, { id: HUGE, path: "huge", status: "finished" });
  const file = openSync(join(dir, "logs.txt"), "w");
  const filling = "x".repeat(1000);
  for (let from = 1; from <= HUGE_LINES; from += 10_000) {
    const lines = Array.from({ length: 10_000 }, (_, i) => `INFO line ${from + i} ${filling}`);
    writeSync(file, `${lines.join("\n")}\n`);
  }
  writeSync(file, "ERROR the very last line\n");
  closeSync(file);
  return dir;
}

const shared = new RunPage((root) => {
  writeLiveRun(root, LIVE);
  writeLongRun(root);
  writeEmptyRun(root);
  writeSpokenRun(root);
  writeBareRun(root);
  writeHugeRun(root);
});
let page: Page;
beforeEach(() => {
  page = shared.page;
});

const open = (id: string, query = "") => shared.open(id, query);
const ownLiveRun = () => shared.ownLiveRun();

const lines = () => page.getByRole("region", { name: "Log of the run" });
const shownLines = () => page.getByRole("status", { name: "Lines shown" });

describe("logs", () => {
  it("open at the end, however long they are, and go to any line", async () => {
    await open(LONG, "tab=logs");
    await lines().getByText("line 1000000", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Go to start" }).click();
    await lines().getByText("line 1", { exact: true }).waitFor();
    await page.getByLabel("Go to line").fill("540000");
    await page.getByLabel("Go to line").press("Enter");
    await lines().getByText("line 540000", { exact: true }).waitFor();
    await page.waitForURL(/line=540000/);
    await expect.poll(() => lines().locator("[data-line]").count()).toBeLessThan(120);
  });

  it("show colours as styles and a progress bar as its last state", async () => {
    await open(LONG, "tab=logs");
    const red = lines().getByText("red words", { exact: true });
    await red.waitFor();
    const bad = await page.evaluate(() =>
      getComputedStyle(document.documentElement).getPropertyValue("--ansi-red").trim(),
    );
    const [r, g, b] = [1, 3, 5].map((at) => Number.parseInt(bad.slice(at, at + 2), 16));
    const colour = () => red.evaluate((element) => getComputedStyle(element).color);
    await expect.poll(colour).toBe(`rgb(${r}, ${g}, ${b})`);
    await lines().getByText("100%|#####|").waitFor();
    await expect.poll(() => lines().getByText("50%|###  |").count()).toBe(0);
  });

  it("follow what the run prints, until one looks elsewhere", async () => {
    const { id, dir } = await ownLiveRun();
    await open(id, "tab=logs");
    await lines().getByText("second line").waitFor();
    append(dir, "logs.txt", "third line\n");
    await lines().getByText("third line").waitFor();
    append(dir, "logs.txt", `${Array.from({ length: 300 }, (_, i) => `burst ${i + 1}`).join("\n")}\n`);
    await lines().getByText("burst 300", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Go to start" }).click();
    await lines().getByText("first line").waitFor();
    append(dir, "logs.txt", "unseen\n");
    await page.getByText("304 lines", { exact: true }).waitFor();
    await lines().getByText("first line").waitFor();
    await page.getByRole("button", { name: "Go to end" }).click();
    await lines().getByText("unseen", { exact: true }).waitFor();
  });

  it("are searched by regex, with a count, next and previous", async () => {
    await open(LONG, "tab=logs");
    await lines().getByText("line 1000000", { exact: true }).waitFor();
    await page.getByRole("searchbox", { name: "Search the log" }).fill("^NEEDLE \\d+$");
    await page.getByText("Nothing found").waitFor();
    await page.getByRole("button", { name: "Regex" }).click();
    await page.getByText("1 / 10 lines").waitFor();
    await lines().getByText("needle 4322").waitFor();
    await page.getByRole("button", { name: /Next hit/ }).click();
    await lines().getByText("needle 104322").waitFor();
    await page.getByRole("button", { name: /Previous hit/ }).click();
    await page.getByRole("button", { name: /Previous hit/ }).click();
    await lines().getByText("needle 904322").waitFor();
    await page.getByRole("button", { name: "Match case" }).click();
    await page.getByText("Nothing found").waitFor();
  });

  it("say what is wrong with a pattern", async () => {
    await open(LONG, "tab=logs&regex=1&find=(");
    const said = page
      .getByRole("status")
      .filter({ hasText: "The pattern is not a valid regular expression" });
    await said.waitFor();
  });

  it("wrap long lines when asked", async () => {
    await open(LONG, "tab=logs&wrap=1");
    await lines().getByText("line 1000000", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Wrap", pressed: true }).click();
    await lines().getByText("line 1000000", { exact: true }).waitFor();
  });

  it("teach when there are none", async () => {
    await open(EMPTY, "tab=logs");
    await page.getByRole("heading", { name: "No log yet" }).waitFor();
  });
});

describe("logs of which only some lines are shown", () => {
  it("show the chosen level and above, tracebacks whole, and say how many of how many", async () => {
    await open(SPOKEN, "tab=logs");
    await lines().getByText("said 20000").waitFor();
    await page.getByLabel("Level").selectOption("warning");
    await expect.poll(() => shownLines().innerText()).toBe("203 of 20,003 lines");
    await lines().getByText("WARNING said 20000").waitFor();
    await page.getByLabel("Level").selectOption("error");
    await expect.poll(() => shownLines().innerText()).toBe("4 of 20,003 lines");
    await lines().getByText("ERROR said 15000").waitFor();
    await lines().getByText("ValueError: loss is odd").waitFor();
    expect(await lines().locator("[data-line]").count()).toBe(4);
    await page.waitForURL(/level=error/);
    await page.reload();
    await lines().getByText("ERROR said 15000").waitFor();
    await page.getByRole("button", { name: "Show all lines" }).click();
    await page.getByText("20,003 lines", { exact: true }).waitFor();
  });

  it("keep their numbers and the line that is looked at", async () => {
    await open(SPOKEN, "tab=logs&line=15000");
    await lines().getByText("ERROR said 15000").waitFor();
    await page.getByLabel("Level").selectOption("warning");
    await lines().getByRole("button", { name: "Line 14900", exact: true }).waitFor();
    await lines().getByRole("button", { name: "Line 15003", exact: true }).waitFor();
    await page.getByLabel("Level").selectOption("");
    await lines().getByText("INFO said 15001").waitFor();
  });

  it("show a stretch of time, typed on the clock of the log's machine", async () => {
    await open(SPOKEN, "tab=logs");
    await page.getByRole("button", { name: "Time" }).click();
    const panel = page.getByRole("dialog", { name: "Time" });
    const clock = await (
      await page.request.get(`${shared.address}/api/log-filter/${SPOKEN}?line=999&count=1`)
    ).json();
    const from = clock.lines[0].clock as string;
    await panel.getByLabel("From").fill(from);
    await panel.getByLabel("To").fill(from.replace(/\d\d$/, "49"));
    await page.keyboard.press("Escape");
    await lines()
      .getByText(`${timeOf(1000)} WARNING said 1000`)
      .waitFor();
    await expect.poll(() => shownLines().innerText()).toBe("10 of 20,003 lines");
    await page.waitForURL(/since=.*until=/);
    await page.getByLabel("Level").selectOption("warning");
    await expect.poll(() => shownLines().innerText()).toBe("1 of 20,003 lines");
  });

  it("are searched among what is shown", async () => {
    await open(SPOKEN, "tab=logs&level=warning");
    await page.getByRole("searchbox", { name: "Search the log" }).fill("said 9");
    await page.getByText("1 / 11 lines").waitFor();
    await lines().locator("[aria-current], mark").first().waitFor();
    await page.getByRole("button", { name: /Next hit/ }).click();
    await lines().getByText("WARNING said 9000").waitFor();
    await page.getByText("2 / 11 lines").waitFor();
  });

  it("follow what the run prints of the chosen level", async () => {
    const { id, dir } = await ownLiveRun();
    await open(id, "tab=logs&level=warning");
    await page.getByRole("heading", { name: "No line is shown" }).waitFor();
    append(dir, "logs.txt", "INFO quiet\nWARNING loud\n");
    await lines().getByText("WARNING loud").waitFor();
    await expect.poll(() => shownLines().innerText()).toBe("1 of 4 lines");
    append(dir, "logs.txt", `${Array.from({ length: 300 }, (_, i) => `ERROR burst ${i + 1}`).join("\n")}\n`);
    await lines().getByText("ERROR burst 300", { exact: true }).waitFor();
    await expect.poll(() => shownLines().innerText()).toBe("301 of 304 lines");
  });

  it("say that a log carries no time or no level", async () => {
    await open(BARE, "tab=logs&level=error");
    await expect.poll(() => shownLines().innerText()).toBe("The lines of this log carry no level");
    await open(BARE, "tab=logs&since=2026-01-01T00:00:00");
    await expect.poll(() => shownLines().innerText()).toBe("The lines of this log carry no time");
    await page.getByRole("main").getByRole("button", { name: "Show all lines" }).first().click();
    await lines().getByText("and more words").waitFor();
  });
});

describe("a log of hundreds of megabytes", () => {
  it("opens at its end and goes to its start", async () => {
    await open(HUGE, "tab=logs");
    await lines().getByText("ERROR the very last line").waitFor();
    await page.getByText("330,001 lines", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Go to start" }).click();
    await lines()
      .getByText(/^INFO line 1 x/)
      .waitFor();
    await expect.poll(() => lines().locator("[data-line]").count()).toBeLessThan(120);
  });

  it("is filtered by the server in steps that can be stopped and gone on with", async () => {
    let asked = 0;
    // The first step is answered, which what was read shows; the next one waits for the reader to say stop.
    await page.route("**/api/log-filter/**", async (route) => {
      asked += 1;
      if (asked === 2) return;
      await route.continue();
    });
    await open(HUGE, "tab=logs&level=error");
    await expect.poll(() => shownLines().innerText()).toMatch(/^0 lines so far, [1-9].* of .* read$/);
    await page.getByRole("button", { name: "Stop", exact: true }).click();
    await expect.poll(() => shownLines().innerText()).toMatch(/^0 lines; stopped after/);
    await page.getByRole("button", { name: "Read on" }).click();
    // A viewer built for debugging takes its time for 330 MB, most of all on a busy machine.
    await lines().getByText("ERROR the very last line").waitFor({ timeout: 120_000 });
    await expect.poll(() => shownLines().innerText()).toBe("1 of 330,001 lines");
    expect(asked).toBeGreaterThan(2);
  });
});

describe("a chart and the log", () => {
  const marker = () => page.getByRole("group", { name: "The marked moment" });
  const chosen = () => lines().locator("[aria-current]");
  const plot = (metric: string) => page.getByRole("application", { name: `${metric}: ` });

  it("lead from a spike to its line and back, whatever the x axis is", async () => {
    await open(SPOKEN, "from=1499.5&to=1500.5");
    await plot("loss").locator("canvas").waitFor();
    const box = await plot("loss").locator(".over").boundingBox();
    if (!box) throw new Error("the chart has no place");
    await page.mouse.click(box.x + box.width / 2, box.y + 40);
    await marker()
      .getByText(/^step 1,?500 ·/)
      .waitFor();
    await page.waitForURL(/at=/);
    await marker().getByRole("button", { name: "Show the log at this time" }).click();
    await chosen().getByText("ERROR said 15000").waitFor();
    const line = page.getByRole("group", { name: "The chosen line" });
    await line.getByText(/^Line 15,000 · 2026-.* · error$/).waitFor();

    await line.getByRole("button", { name: "Show in charts" }).click();
    await marker()
      .getByText(/^step 1,?500 ·/)
      .waitFor();
    await page.waitForURL(
      (url) => !url.search.includes("from=") && url.search.includes(`at=${BEGAN + 15_000}`),
    );
    await plot("loss").locator(".mark").waitFor();
    await page.getByLabel("X axis").selectOption("relative_time");
    await marker()
      .getByText(/^relative time /)
      .waitFor();
    await page.getByLabel("X axis").selectOption("wall_time");
    await plot("loss").locator(".mark").waitFor();
    await marker().getByRole("button", { name: "Remove the mark" }).click();
    await marker().waitFor({ state: "detached" });
  });

  it("lead to each other by the key L, from the large chart too", async () => {
    for (const query of ["", "chart=loss"]) {
      await open(SPOKEN, query);
      await plot("loss").last().locator("canvas").waitFor();
      await plot("loss").last().focus();
      await page.keyboard.press("End");
      await page.keyboard.press("l");
      await chosen().getByText("WARNING said 20000").waitFor();
      await page.getByRole("button", { name: "Show in charts" }).waitFor();
      await page.keyboard.press("l");
      await marker()
        .last()
        .getByText(/^step 2,?000 ·/)
        .waitFor();
    }
  });

  it("say so plainly when the log carries no time", async () => {
    await open(BARE);
    await plot("loss").locator("canvas").waitFor();
    await plot("loss").focus();
    await page.keyboard.press("End");
    await page.keyboard.press("l");
    await page.getByText(/^The lines of this log carry no time, so nobody can say/).waitFor();
    await lines().getByRole("button", { name: "Line 1", exact: true }).click();
    await page.getByText("Line 1 · no line up to here carries a time").waitFor();
    await expect.poll(() => page.getByRole("button", { name: "Show in charts" }).count()).toBe(0);
  });

  it("narrow the log to what was said from a line on", async () => {
    await open(SPOKEN, "tab=logs&line=19991");
    await chosen().getByText("said 19988").waitFor();
    await page.getByRole("button", { name: "Only from here on" }).click();
    await expect.poll(() => shownLines().innerText()).toBe("13 of 20,003 lines");
    await chosen().getByText("said 19988").waitFor();
  });
});

describe("the logs of several runs", () => {
  const found = () => page.getByRole("region", { name: "Found in the logs" });
  const said = () => page.getByRole("status", { name: "What was found" });
  const compare = (query: string) =>
    page.goto(`${shared.address}/compare?runs=${SPOKEN},${LONG},${BARE}&tab=logs${query}`);

  it("are searched together, lines stand under their runs, and Enter opens the log at a line", async () => {
    await compare("");
    await page.getByRole("heading", { name: "Search the logs of these runs" }).waitFor();
    await page.getByRole("searchbox", { name: "Search the logs" }).fill("^needle|more words$");
    await page.getByText("Nothing found").first().waitFor();
    await page.getByRole("button", { name: "Regex" }).click();
    await expect.poll(() => said().innerText()).toBe("11 lines in 2 of 3 runs");
    await found().getByText("needle 904322").waitFor();
    await found().getByText("and more words").waitFor();
    await page.waitForURL(/find=.*regex=1/);
    await page.reload();
    await expect.poll(() => said().innerText()).toBe("11 lines in 2 of 3 runs");
    await page.getByRole("searchbox", { name: "Search the logs" }).press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    await found().locator("[aria-current]").getByText("needle 104322").waitFor();
    await page.keyboard.press("Enter");
    await page.waitForURL((url) => url.pathname === `/run/${LONG}` && url.search.includes("line=104322"));
    await lines().locator("[aria-current]").getByText("needle 104322").waitFor();
  });

  it("come as they are read, and the search can be stopped and gone on with", async () => {
    let held = true;
    await page.route(`**/api/log-search/${LONG}**`, (route) => (held ? undefined : route.continue()));
    await compare("&find=words");
    await found().getByText("and more words").waitFor();
    await expect.poll(() => said().innerText()).toMatch(/^2 of 3 logs searched · 2 lines in 1 of 3 runs/);
    await page.getByRole("button", { name: "Stop", exact: true }).click();
    await expect.poll(() => said().innerText()).toMatch(/^stopped after 2 of 3 logs/);
    held = false;
    await page.getByRole("button", { name: "Search on" }).click();
    await expect.poll(() => said().innerText()).toBe("3 lines in 2 of 3 runs");
  });

  it("list so many lines of each run, and say that there are more", async () => {
    await compare("&find=WARNING");
    await expect
      .poll(() => said().innerText())
      .toBe("199 lines in 1 of 3 runs · at most 100 of each run are listed");
    await found().getByText("first 100 of 199 lines").waitFor();
  });

  it("say what is wrong with a pattern", async () => {
    await compare("&regex=1&find=(");
    await found().getByText("The pattern is not a valid regular expression").first().waitFor();
  });

  it("are reached from the ticked runs by button, key and palette", async () => {
    const field = page.getByRole("searchbox", { name: "Search the logs" });
    /** The first Escape leaves the field, which one may type into at once. */
    const back = async () => {
      await expect.poll(() => field.evaluate((element) => element === document.activeElement)).toBe(true);
      await page.keyboard.press("Escape");
      await expect.poll(() => field.evaluate((element) => element === document.activeElement)).toBe(false);
      await page.keyboard.press("Escape");
    };
    await page.goto(`${shared.address}/runs`);
    for (const id of [BARE, SPOKEN]) await page.getByRole("checkbox", { name: `Tick ${id}` }).check();
    await page.getByRole("button", { name: "Search the logs…" }).click();
    await page.waitForURL(/\/compare\?runs=.*tab=logs/);
    await back();
    await page.getByRole("button", { name: "Search the logs…" }).waitFor();
    await page.keyboard.press("l");
    await page.waitForURL(/\/compare\?runs=.*tab=logs/);
    await back();
    await page.getByRole("button", { name: "Search the logs…" }).waitFor();
    await page.keyboard.press("Control+k");
    await page.getByRole("option", { name: /Search the logs of the 2 ticked runs/ }).click();
    await page.waitForURL(/\/compare\?runs=.*tab=logs/);
  });
});
