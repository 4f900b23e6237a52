/** The columns of the runs table: recorded values, their order, what stays in view, small curves, the baseline. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { beforeEach, describe, expect, it } from "vitest";
import { append, eventLine } from "./run_root";
import { openPage, writeRun } from "./viewer";
import { SharedViewer } from "./visit";

/** More runs than a screen shows, so that most cells come into view only by scrolling or sorting. */
const COUNT = 120;
const idOf = (at: number): string => `20260401_0${String(10000 + at)}_aaaa00`;
const lossOf = (at: number): number => ((at * 37) % COUNT) + 1;

const shared = new SharedViewer((root) => {
  for (let at = 0; at < COUNT; at += 1) {
    const alias = `run ${at}`;
    const createdAt = 1_770_000_000 + at;
    const dir = writeRun(root, { id: idOf(at), path: "sweep", alias, status: "finished", createdAt });
    const config = {
      args: { lr: 10 ** -(at % 5), optimizer: at % 2 ? "sgd" : "adam" },
      extra: {},
      config_files: [],
    };
    writeFileSync(join(dir, "assets.json"), JSON.stringify({ config }));
    writeFileSync(join(dir, "summary.json"), JSON.stringify({ note: `note ${at}` }));
    const points = [3, 1, 2].map((part, step) => eventLine(step + 1, { loss: lossOf(at) * part }));
    append(dir, "events.jsonl", points.join(""));
  }
  const dir = writeRun(root, {
    id: "20260301_000000_bbbb00",
    path: "live",
    alias: "live one",
    createdAt: 1_760_000_000,
  });
  append(dir, "events.jsonl", eventLine(1, { loss: 5000 }));
  // One run says which way the loss gets better; nobody says it of the others.
  const best = {
    best_metric_name: "loss",
    best_metric_mode: "min",
    best_metric_value: 5000,
    best_metric_step: 1,
  };
  writeFileSync(join(dir, "summary.json"), JSON.stringify(best));
});
let page: Page;
beforeEach(() => {
  page = shared.page;
});

const grid = (): Locator => page.getByRole("grid", { name: "Runs" });
const row = (name: string): Locator =>
  grid()
    .getByRole("row")
    .filter({ has: page.getByRole("link", { name, exact: true }) });
const names = (): Promise<string[]> => grid().getByRole("link").allInnerTexts();
const heads = async (): Promise<string[]> =>
  (await grid().getByRole("columnheader").allInnerTexts()).map((text) => text.trim()).filter(Boolean);
const head = (name: string): Locator => grid().getByRole("columnheader", { name, exact: true });
const panel = (): Locator => page.getByRole("dialog", { name: "Columns" });
const member = (name: string): string | null => new URL(page.url()).searchParams.get(name);

async function open(more = ""): Promise<void> {
  await page.goto(`${shared.address}/runs?preview=off${more}`);
  await grid().waitFor();
}

/** The text of a run's cell in a column. */
async function cell(name: string, column: string): Promise<string> {
  const at = await head(column).evaluate((found) =>
    [...(found.parentElement?.children ?? [])].indexOf(found),
  );
  return (await row(name).getByRole("gridcell").nth(at).innerText()).trim();
}

describe("columns of recorded values", () => {
  it("has the best of a metric, the way that the runs themselves say, and sorts by it", async () => {
    await open();
    await page.getByRole("button", { name: "Columns" }).click();
    await panel().getByRole("searchbox", { name: "Find columns" }).fill("loss");
    await panel().getByRole("checkbox", { name: "loss best" }).check();
    await page.keyboard.press("Escape");
    await expect.poll(() => cell("run 119", "loss best")).toBe(String(lossOf(119)));
    await head("loss best").getByRole("button").click();
    await expect.poll(async () => (await names())[0]).toBe("live one");
    await head("loss best").getByRole("button").click();
    await expect.poll(async () => (await names())[0]).toBe("run 0");
    await expect.poll(() => cell("run 0", "loss best")).toBe("1");
    expect(member("columns")).toContain("best:loss");
  });

  it("are found by name, added with a click, and the address remembers them", async () => {
    await open();
    await page.getByRole("button", { name: "Columns" }).click();
    await panel().getByRole("searchbox", { name: "Find columns" }).fill("lo");
    await panel().getByRole("checkbox", { name: "loss last" }).check();
    await panel().getByRole("checkbox", { name: "loss min" }).check();
    await panel().getByRole("checkbox", { name: "loss max" }).check();
    await panel().getByRole("searchbox", { name: "Find columns" }).fill("");
    await panel().getByRole("checkbox", { name: "lr" }).check();
    await panel().getByRole("checkbox", { name: "note", exact: true }).check();
    await page.keyboard.press("Escape");
    await expect.poll(() => cell("run 119", "loss last")).toBe(String(lossOf(119) * 2));
    await expect.poll(() => cell("run 119", "loss min")).toBe(String(lossOf(119)));
    await expect.poll(() => cell("run 119", "loss max")).toBe(String(lossOf(119) * 3));
    await expect.poll(() => cell("run 118", "lr")).toBe("0.001000");
    await expect.poll(() => cell("run 118", "note")).toBe("note 118");
    await expect
      .poll(() => member("columns"))
      .toContain("last:loss,min:loss,max:loss,config:lr,summary:note");
    await page.reload();
    await expect.poll(() => cell("run 119", "loss last")).toBe(String(lossOf(119) * 2));
  });

  it("are read when their rows come into view", async () => {
    await open("&columns=last:loss");
    await expect.poll(() => cell("run 119", "loss last")).toBe(String(lossOf(119) * 2));
    await grid().focus();
    await page.keyboard.press("End");
    await expect.poll(() => cell("run 0", "loss last")).toBe(String(lossOf(0) * 2));
  });

  it("sort the whole table by a value, also of runs that were never in view", async () => {
    await open("&columns=last:loss");
    await head("loss last").getByRole("button").click();
    const best = Array.from({ length: COUNT }, (_, at) => at).sort((a, b) => lossOf(b) - lossOf(a));
    await expect
      .poll(async () => (await names()).slice(0, 4))
      .toEqual(["live one", ...best.slice(0, 3).map((at) => `run ${at}`)]);
    await head("loss last").getByRole("button").click();
    await expect
      .poll(async () => (await names()).slice(0, 3))
      .toEqual(
        best
          .slice(-3)
          .reverse()
          .map((at) => `run ${at}`),
      );
  });

  it("are searched by name, also of runs that were never in view", async () => {
    await open("&columns=config:lr,last:loss&q=lr>=0.1 optimizer:sgd loss<40");
    const fit = Array.from({ length: COUNT }, (_, at) => at).filter(
      (at) => at % 5 < 2 && at % 2 === 1 && lossOf(at) * 2 < 40,
    );
    await expect.poll(async () => (await names()).sort()).toEqual(fit.map((at) => `run ${at}`).sort());
    expect(fit.length).toBeGreaterThan(2);
  });

  it("follow a run that writes more", async () => {
    await open("&columns=last:loss&q=live");
    await expect.poll(() => cell("live one", "loss last")).toBe("5000");
    append(
      join(shared.root, "runs", "live", "20260301_000000_bbbb00"),
      "events.jsonl",
      eventLine(2, { loss: 6000 }),
    );
    await expect.poll(() => cell("live one", "loss last")).toBe("6000");
  });
});

describe("the order of columns", () => {
  it("changes by the panel, by keys on a head and by dragging a head, and stays for the next visit", async () => {
    await open("&columns=state,started,last:loss");
    await expect.poll(heads).toEqual(["Run", "State", "Started", "loss last"]);
    await head("loss last").getByRole("button").focus();
    await page.keyboard.press("Alt+ArrowLeft");
    await expect.poll(heads).toEqual(["Run", "State", "loss last", "Started"]);
    await head("Started").dragTo(head("State"));
    await expect.poll(heads).toEqual(["Run", "Started", "State", "loss last"]);
    await page.getByRole("button", { name: "Columns" }).click();
    await panel().getByRole("button", { name: "Move State to the right" }).click();
    await expect.poll(heads).toEqual(["Run", "Started", "loss last", "State"]);
    await expect.poll(() => member("columns")).toBe("started,last:loss,state");
    await page.goto(`${shared.address}/runs?preview=off`);
    await expect.poll(heads).toEqual(["Run", "Started", "loss last", "State"]);
    await page.getByRole("button", { name: "Columns" }).click();
    await panel().getByRole("button", { name: "Reset columns" }).click();
    await expect.poll(heads).toContain("Folder");
    expect(member("columns")).toBeNull();
  });

  it("keeps pinned columns in view while the others move", async () => {
    await page.setViewportSize({ width: 900, height: 600 });
    const many = ["min:loss", "max:loss", "config:lr", "config:optimizer", "summary:note"].join(",");
    await open(`&columns=state,started,duration,path,tags,assets,${many},last:loss`);
    await page.getByRole("button", { name: "Columns" }).click();
    await panel().getByRole("button", { name: "Keep loss last in view" }).click();
    await page.keyboard.press("Escape");
    await expect.poll(async () => (await heads()).slice(0, 3)).toEqual(["Run", "loss last", "State"]);
    await expect.poll(() => member("columns")).toMatch(/^!last:loss,/);
    const leftOf = async (name: string) => Math.round((await head(name).boundingBox())?.x ?? -1);
    const before = {
      run: await leftOf("Run"),
      loss: await leftOf("loss last"),
      state: await leftOf("State"),
    };
    await grid().evaluate((found) => found.scrollTo({ left: 300 }));
    await expect.poll(() => leftOf("State")).toBe(before.state - 300);
    expect({ run: await leftOf("Run"), loss: await leftOf("loss last") }).toEqual({
      run: before.run,
      loss: before.loss,
    });
    const box = await row("run 119").getByRole("link").boundingBox();
    const hit = await page.evaluate(
      ([x, y]) => document.elementFromPoint(x as number, y as number)?.textContent,
      [(box?.x ?? 0) + 5, (box?.y ?? 0) + 5],
    );
    expect(hit).toBe("run 119");
  });
});

describe("small curves", () => {
  it("show a metric's course in the cell, said in words too", async () => {
    await open("&columns=curve:loss");
    const low = lossOf(119);
    const curve = row("run 119").getByRole("img", {
      name: `loss from ${low} to ${low * 3}, last ${low * 2}`,
    });
    await curve.waitFor();
    expect((await curve.locator("path").getAttribute("d"))?.split("L")).toHaveLength(3);
  });
});

describe("the baseline", () => {
  it("is chosen by key, shows every distance in percent, and the address remembers it", async () => {
    await open("&columns=last:loss");
    await row("run 119").click();
    await page.keyboard.press("b");
    await expect.poll(() => cell("run 119", "Run")).toContain("baseline");
    const percent = (lossOf(118) / lossOf(119) - 1) * 100;
    const digits = Math.abs(percent) >= 100 ? 0 : Math.abs(percent) >= 10 ? 1 : 2;
    const sign = percent > 0 ? "+" : "";
    await expect
      .poll(() => cell("run 118", "loss last"))
      .toContain(`${sign}${percent.toFixed(digits).replace("-", "−")} %`);
    await expect.poll(() => member("baseline")).toBe(idOf(119));
    await page.reload();
    await expect.poll(() => cell("run 118", "loss last")).toContain(" %");
    await grid().focus();
    await page.keyboard.press("b");
    await expect.poll(() => member("baseline")).toBeNull();
    await expect.poll(() => cell("run 118", "loss last")).not.toContain("%");
  });
});

it("says why recorded values are not there, and brings them with another try", async () => {
  const { page: other, close } = await openPage(shared.browser);
  await other.route("**/api/run-values", (route) =>
    route.fulfill({ status: 503, json: { detail: "the storage does not answer" } }),
  );
  await other.goto(`${shared.address}/runs?preview=off&columns=last:loss`);
  await other.getByText(/Values could not be read: .*the storage does not answer/).waitFor();
  await other.unroute("**/api/run-values");
  await other.getByRole("button", { name: "Try again" }).click();
  await other
    .getByRole("grid")
    .getByText(String(lossOf(119) * 2), { exact: true })
    .first()
    .waitFor();
  await close();
});
