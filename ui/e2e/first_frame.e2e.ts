/** How a page comes from its address: what it needs is on its way before its script, and what only keeps it current begins when it stands. */
import type { Page, Request } from "playwright-core";
import { beforeEach, describe, expect, it } from "vitest";
import { append, eventLine } from "./run_root";
import { writeRun } from "./viewer";
import { SharedViewer } from "./visit";

const ids = Array.from({ length: 120 }, (_, at) => `20260401_000${String(at).padStart(3, "0")}_f1a500`);
const [RUN] = ids as [string];

const shared = new SharedViewer((root) => {
  for (const id of ids) {
    const dir = writeRun(root, { id, path: "first", alias: `run ${id.slice(9, 15)}`, status: "finished" });
    append(dir, "events.jsonl", eventLine(1, { loss: 2 }) + eventLine(2, { loss: 1 }));
  }
});
let page: Page;
beforeEach(() => {
  page = shared.page;
});

const pathOf = (request: Request): string => request.url().replace(/^\w+:\/\/[^/]+/, "");

/** Opens an address of which the page's script is held back until these are answered. */
async function openedAfter(path: string, wanted: readonly string[]): Promise<string[]> {
  const asked: string[] = [];
  page.on("request", (request) => asked.push(pathOf(request)));
  const answered = wanted.map((one) =>
    page.waitForEvent("requestfinished", { predicate: (request) => pathOf(request) === one }),
  );
  await page.route(/\/assets\/index-[^/]+\.js$/, async (route) => {
    await Promise.all(answered);
    await route.continue();
  });
  await page.goto(shared.address + path);
  return asked;
}

describe("from an address", () => {
  it("a run asks for what it is and measured before the page's script is there, once", async () => {
    const wanted = [`/api/run-detail/${RUN}`, `/api/run-metrics/${RUN}`, "/api/run-list"];
    const asked = await openedAfter(`/run/${RUN}`, wanted);
    await page.locator("article[data-metric] canvas").first().waitFor();
    const before = asked.slice(0, asked.indexOf("/api/series"));
    for (const one of wanted) expect(before.filter((path) => path === one)).toEqual([one]);
  });

  it("a comparison asks for the metrics of its runs before the page's script is there, once", async () => {
    const asked = await openedAfter(`/compare?runs=${ids.slice(0, 3).join(",")}`, ["/api/run-metrics"]);
    await page.locator("article[data-metric] canvas").first().waitFor();
    const before = asked.slice(0, asked.indexOf("/api/series"));
    expect(before.filter((path) => path === "/api/run-metrics")).toEqual(["/api/run-metrics"]);
  });

  it("the first frame of the list holds its rows", async () => {
    // Looked at as each frame begins, the state of the one before it: a frame around no rows would be remembered.
    await page.addInitScript(() => {
      const seen = { bare: 0 };
      Object.assign(window, { seen });
      const look = () => {
        if (document.querySelector("main") && !document.querySelector('[role="grid"] [role="gridcell"]'))
          seen.bare += 1;
        requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    });
    await openedAfter("/runs", ["/api/run-list"]);
    await page.getByRole("grid", { name: "Runs" }).getByRole("gridcell").first().waitFor();
    expect(await page.evaluate(() => (window as unknown as { seen: { bare: number } }).seen.bare)).toBe(0);
  });

  it("bell, hosts and the live link wait until the page stands, and then come", async () => {
    const socket = page.waitForEvent("websocket", (one) => one.url().includes("/api/live"));
    await page.goto(`${shared.address}/runs`);
    await socket;
    const begins = () =>
      page.evaluate(() =>
        performance
          .getEntriesByType("resource")
          .filter(({ name }) => /\/api\/(alerts|hosts)$/.test(name))
          .map(({ startTime }) => startTime),
      );
    await expect.poll(async () => (await begins()).length).toBeGreaterThanOrEqual(2);
    for (const startTime of await begins()) expect(startTime).toBeGreaterThanOrEqual(440);
  });

  it("the list of many compared runs is made in parts, and is whole soon", async () => {
    await page.goto(`${shared.address}/compare?runs=${ids.join(",")}`);
    const items = page.getByRole("region", { name: "Compared runs" }).getByRole("listitem");
    await items.first().waitFor();
    await expect.poll(() => items.count()).toBe(ids.length);
  });
});
