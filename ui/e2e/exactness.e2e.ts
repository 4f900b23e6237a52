/** The picture of a curve against its data: every pixel column of the canvas, every smoothed value, at random zooms. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { slotOf } from "../src/state/run_colours";
import { fullSmooth, HOSTILE_SERIES, inOrder, type Point, randomFrom } from "./hostile_series";
import { expectedColumns, faultsOf, rangeOf } from "./pixel_columns";
import { openPage, writeRun } from "./viewer";
import { closeView, SharedViewer } from "./visit";

const RUN = "20260201_000000_e8ac70";
/** Has the same metric over a longer x axis. */
const LONGER = "20260202_000000_104e70";
const BESIDE = "walk";
const SEED = 20_260_201;
const ZOOMS = 3;
/** What covers half of a pixel; and most of one that a raw line at 30 % may stand behind. */
const HALF_ALPHA = 128;
const MOST_OVER_RAW = 210;

const besidePoints = HOSTILE_SERIES.find(([name]) => name === BESIDE)?.[1] ?? [];

const shared = new SharedViewer((root) => {
  const dir = writeRun(root, { id: RUN, path: "exact", status: "finished" });
  const lines: string[] = [];
  const word = (y: number) =>
    Number.isFinite(y) ? String(y) : Number.isNaN(y) ? "NaN" : y > 0 ? "Infinity" : "-Infinity";
  for (const [name, points] of HOSTILE_SERIES) {
    for (const { x, y } of points) {
      lines.push(
        `{"ts": ${x + 1}, "type": "metrics", "data": {"${name}": ${word(y)}, "global_step": ${x}, "time": ${x + 1}}}\n`,
      );
    }
  }
  writeFileSync(join(dir, "events.jsonl"), lines.join(""));
  const last = Math.max(...besidePoints.map(({ x }) => x));
  const longer = Array.from({ length: 5000 }, (_, at) => {
    const x = Math.round((at / 4999) * last * 2.7);
    return `{"ts": ${x + 1}, "type": "metrics", "data": {"${BESIDE}": 0, "global_step": ${x}, "time": ${x + 1}}}\n`;
  });
  writeFileSync(
    join(writeRun(root, { id: LONGER, path: "exact", status: "finished" }), "events.jsonl"),
    longer.join(""),
  );
});

interface Zoom {
  from: number;
  to: number;
}

/** The whole, and random parts of it that show something. */
function zoomsOf(points: readonly Point[], seed: number): (Zoom | null)[] {
  const random = randomFrom(seed);
  const [first = 0, last = 1] = [points[0]?.x, points.at(-1)?.x];
  const zooms: (Zoom | null)[] = [null];
  while (zooms.length < ZOOMS) {
    const width = (last - first) * 0.003 ** random();
    const from = first + (last - first - width) * random();
    const to = from + width;
    if (points.some(({ x, y }) => x >= from && x <= to && Number.isFinite(y))) zooms.push({ from, to });
  }
  return zooms;
}

const address = (metric: string, zoom: Zoom | null, more = "") =>
  `${shared.address}/run/${RUN}?chart=${metric}&q=/^${metric}$/${zoom ? `&from=${zoom.from}&to=${zoom.to}` : ""}${more}`;

interface Ink {
  /** Topmost and lowest pixel of the line in each column of the plotting area, from its top; -1 where there is none. */
  top: number[];
  bottom: number[];
  width: number;
  height: number;
}

/** Reads the canvas of a chart: what is at least half covered by the line's own colour. */
async function inkOf(chart: Locator, least_alpha: number, line = "--s1"): Promise<Ink | null> {
  const canvas = chart.locator("canvas");
  if ((await canvas.count()) !== 1) return null;
  return canvas.evaluate(
    (element, [least, own_line]) => {
      const canvas = element as HTMLCanvasElement;
      const style = getComputedStyle(document.documentElement);
      const rgb = (token: string) => {
        const hex = style.getPropertyValue(token).trim();
        return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
      };
      const [line, grid, others] = [rgb(own_line), rgb("--line"), [rgb("--warn"), rgb("--faint")]];
      const way = line.map((part, i) => part - (grid[i] ?? 0));
      const length = way.reduce((sum, part) => sum + part * part, 0);
      const over = element.closest(".plot")?.querySelector(".over")?.getBoundingClientRect() as DOMRect;
      const own = element.getBoundingClientRect();
      const px = (length: number) => Math.round(length * devicePixelRatio);
      const box = {
        left: px(over.left - own.left),
        top: px(over.top - own.top),
        width: px(over.width),
        height: px(over.height),
      };
      const context = canvas.getContext("2d") as CanvasRenderingContext2D;
      // A stroke of even a fraction of a pixel stands over the edge of the plotting area.
      const above = 8;
      const image = context.getImageData(box.left, box.top - above, box.width + 1, box.height + 2 * above);
      const far = (at: number, colour: number[]) =>
        colour.reduce((sum, part, i) => sum + Math.abs((image.data[at + i] ?? 0) - part), 0);
      const isLine = (x: number, y: number) => {
        const at = (y * image.width + x) * 4;
        const alpha = image.data[at + 3] ?? 0;
        if (alpha < least || !others.every((other) => far(at, line) < far(at, other))) return false;
        // Over a line of the grid it is the colour that tells how much of a pixel is covered.
        const share =
          way.reduce((sum, part, i) => sum + part * ((image.data[at + i] ?? 0) - (grid[i] ?? 0)), 0) / length;
        return share * alpha >= least;
      };
      const found = { top: [] as number[], bottom: [] as number[], width: box.width, height: box.height };
      for (let x = 0; x < image.width; x += 1) {
        let [top, bottom] = [-1, -1];
        for (let y = 0; y < image.height; y += 1) {
          if (!isLine(x, y)) continue;
          if (top < 0) top = y;
          bottom = y;
        }
        found.top.push(top < 0 ? Number.NaN : top - above);
        found.bottom.push(bottom < 0 ? Number.NaN : bottom - above);
      }
      return found;
    },
    [least_alpha, line] as const,
  ) as Promise<Ink>;
}

/** Waits until the drawn line reaches in every pixel column as far as the data does, and no further. */
async function expectExact(
  page: Page,
  metric: string,
  points: readonly Point[],
  zoom: Zoom | null,
  line_px: number,
  {
    ranged = points,
    leastAlpha = HALF_ALPHA,
    chart = page.getByRole("dialog", { name: metric, exact: true }),
    token = "--s1",
  }: { ranged?: readonly Point[]; leastAlpha?: number; chart?: Locator; token?: string } = {},
): Promise<void> {
  const ratio = await page.evaluate(() => devicePixelRatio);
  const read = async (): Promise<string[]> => {
    const ink = await inkOf(chart, leastAlpha, token);
    if (!ink) return ["no picture"];
    const window = zoom ?? { from: points[0]?.x ?? 0, to: points.at(-1)?.x ?? 1 };
    const columns = expectedColumns(points, {
      ...window,
      range: rangeOf(ranged, window),
      width: ink.width,
      height: ink.height,
      line_px: line_px * ratio,
      ratio,
    });
    return faultsOf(columns, ink, line_px * ratio + 1);
  };
  await expect.poll(read, { message: `${metric} ${JSON.stringify(zoom)} at ${ratio}` }).toEqual([]);
}

describe.each([1, 2])("with %i device pixels to a CSS pixel", (deviceScaleFactor) => {
  it.each(HOSTILE_SERIES.map(([name, points], at) => [name, points, at] as const))(
    "every pixel column of %s reaches as far as the data, at random zooms",
    async (metric, points, at) => {
      const view = await openPage(shared.browser, { deviceScaleFactor });
      const sorted = inOrder(points);
      for (const zoom of zoomsOf(sorted, SEED + at)) {
        await view.page.goto(address(metric, zoom));
        await expectExact(view.page, metric, sorted, zoom, 1.3);
      }
      await closeView(view);
    },
  );
});

describe("of compared runs", () => {
  it("every pixel column is exact again when the one with the longest x axis is hidden", async () => {
    const view = await openPage(shared.browser);
    const { page } = view;
    await page.goto(`${shared.address}/compare?runs=${RUN},${LONGER}&q=/^${BESIDE}$/&size=large`);
    const chart = page.getByRole("region", { name: BESIDE, exact: true });
    const drawn = { chart, token: `--s${slotOf(RUN) + 1}` };
    const sorted = inOrder(besidePoints);
    const says = (words: string) =>
      expect.poll(() => chart.getByRole("application").getAttribute("aria-label")).toContain(words);
    const shown = page.getByRole("checkbox", { name: `Show ${LONGER}` });
    await says("runs: 2,");
    await shown.uncheck();
    await says("runs: 1,");
    await expectExact(page, BESIDE, sorted, null, 1.3, drawn);
    await shown.check();
    await says("runs: 2,");
    await shown.uncheck();
    await says("runs: 1,");
    await expectExact(page, BESIDE, sorted, null, 1.3, drawn);
    await page.reload();
    await says("runs: 1,");
    await expectExact(page, BESIDE, sorted, null, 1.3, drawn);
    await closeView(view);
  });
});

describe("smoothing", () => {
  const kinds = [
    ["ema", 0.97],
    ["gaussian", 7.5],
    ["running_mean", 33],
  ] as const;

  it.each(kinds)("by %s gives the values of the whole series, at random zooms", async (kind, amount) => {
    const { page } = shared;
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    for (const [metric, points] of HOSTILE_SERIES.filter(([name]) =>
      ["walk", "gaps", "again"].includes(name),
    )) {
      const sorted = inOrder(points);
      const whole = fullSmooth(sorted, kind, amount);
      for (const zoom of zoomsOf(sorted, SEED + amount)) {
        await page.goto(address(metric, zoom, `&smooth=${kind}:${amount}`));
        const line = sorted.map(({ x }, at) => ({ x, y: whole[at] as number }));
        if (metric !== "again")
          await expectExact(page, metric, line, zoom, 1.8, {
            ranged: [...sorted, ...line],
            leastAlpha: MOST_OVER_RAW,
          });
        await page.evaluate(() => navigator.clipboard.writeText(""));
        await page
          .getByRole("dialog", { name: metric, exact: true })
          .getByRole("button", { name: "Copy as CSV" })
          .click();
        await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toContain("(smoothed)");
        const text = await page.evaluate(() => navigator.clipboard.readText());
        const rows = text
          .trim()
          .split("\n")
          .slice(1)
          .map((row) => row.split(","));
        let at = 0;
        let compared = 0;
        for (const [x = "", y = "", smooth = ""] of rows) {
          if (!Number.isFinite(Number(y)) || smooth === "") continue;
          while (at < sorted.length && !(sorted[at]?.x === Number(x) && sorted[at]?.y === Number(y))) at += 1;
          expect(at, `${metric}: ${x}, ${y} was recorded`).toBeLessThan(sorted.length);
          const right = whole[at] as number;
          expect(Math.abs(Number(smooth) - right), `${metric} at ${x}`).toBeLessThanOrEqual(
            1e-6 * Math.max(1, Math.abs(right)),
          );
          compared += 1;
        }
        expect(compared).toBeGreaterThan(0);
      }
    }
  });
});
