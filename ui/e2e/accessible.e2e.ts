/** Every page and its faces by axe-core in light and dark, at twice the size, and without movement. */

import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { giveGpus, gpu, minutes, telemetry } from "./gpu_answers";
import { EMPTY, LIVE, MEDIA, ODD, writeEmptyRun, writeLiveRun, writeMediaRun, writeOddRun } from "./run_root";
import { copyFixture, openPage, removeFolder, scratch, Viewer } from "./viewer";
import { closeView, SharedViewer } from "./visit";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const shared = new SharedViewer((root) => {
  copyFixture("runicorn-0.7.2", root);
  writeLiveRun(root, LIVE);
  writeMediaRun(root);
  writeOddRun(root);
  writeEmptyRun(root);
});

interface Face {
  name: string;
  address: string;
  /** Resolves once the face stands. */
  ready: (page: Page) => Promise<unknown>;
  /** What the network says instead of the server. */
  before?: (page: Page) => Promise<unknown>;
}

const text = (words: string | RegExp) => (page: Page) => page.getByText(words).first().waitFor();
const region = (name: string | RegExp) => (page: Page) =>
  page.getByRole("region", { name }).first().waitFor();
const grid = (page: Page) => page.getByRole("grid").getByRole("row").nth(1).waitFor();
const canvas = (page: Page) => page.locator("canvas").first().waitFor();
const key = (pressed: string) => async (page: Page) => {
  await grid(page);
  await page.keyboard.press(pressed);
  await page.getByRole("dialog").first().waitFor();
};
const press = (name: string | RegExp) => async (page: Page) => {
  await grid(page);
  await page.getByRole("button", { name }).first().click();
  await page.getByRole("dialog").first().waitFor();
};
const gpus = async (page: Page) => {
  const train = { pid: 4711, user: "ada", program: "python train.py", used_mib: 9_000 };
  await giveGpus(page, () => telemetry([gpu(0, [train]), gpu(1)]), minutes(2));
};
/** Two cards while the live run ran. */
const gpusOfRun = (page: Page) => {
  const ts = [1_770_000_000, 1_770_000_060];
  const card = (index: number) => ({
    index,
    uuid: null,
    name: "NVIDIA H200",
    ts,
    util_gpu: [90, 80],
    power_w: [500, 600],
  });
  const answer = { chosen_by: "all", reason: null, detail: null, gpus: [card(0), card(1)] };
  return page.route("**/api/run-gpus/*", (route) => route.fulfill({ json: answer }));
};
const fails = (path: string) => (page: Page) =>
  page.route(path, (route) =>
    route.fulfill({ status: 503, json: { detail: "the storage does not answer" } }),
  );

const faces: Face[] = [
  { name: "runs", address: "/runs", ready: grid },
  {
    name: "runs with recorded values",
    address: `/runs?columns=!last:loss,curve:loss,config:lr,note&baseline=${ODD}`,
    ready: grid,
  },
  {
    name: "runs, nothing found",
    address: "/runs?q=nothing-like-this",
    ready: text("No run fits this search"),
  },
  {
    name: "runs, failed",
    address: "/runs",
    before: fails("**/api/run-list*"),
    ready: text("This could not be loaded"),
  },
  { name: "choosing columns", address: "/runs", ready: press("Columns") },
  { name: "views", address: "/runs", ready: press("Views") },
  {
    name: "a folder that was dropped",
    address: "/runs",
    ready: async (page) => {
      await grid(page);
      await page.evaluate(() =>
        dispatchEvent(new CustomEvent("runicorn:dropped", { detail: { folder: "/data/runs" } })),
      );
      await page.getByRole("dialog").first().waitFor();
    },
  },
  { name: "command palette", address: "/runs", ready: key("Control+k") },
  { name: "keyboard help", address: "/runs", ready: key("?") },
  { name: "renaming", address: `/runs?selected=${LIVE}`, ready: key("e") },
  { name: "charts of a run", address: `/run/${LIVE}`, ready: canvas },
  {
    name: "charts of a run with its GPUs",
    address: `/run/${LIVE}`,
    before: gpusOfRun,
    ready: async (page) => {
      await page.locator(".gpus").scrollIntoViewIfNeeded();
      await page.locator(".gpus canvas").first().waitFor();
    },
  },
  { name: "charts with gaps", address: `/run/${ODD}`, ready: canvas },
  { name: "one chart in full", address: `/run/${LIVE}?chart=train%2Floss`, ready: canvas },
  {
    name: "a run without metrics",
    address: `/run/${EMPTY}`,
    ready: (page) => page.getByRole("tabpanel").waitFor(),
  },
  { name: "logs", address: `/run/${LIVE}?tab=logs`, ready: text("second line") },
  {
    name: "images",
    address: `/run/${MEDIA}?tab=images`,
    ready: (page) => page.getByRole("img").first().waitFor(),
  },
  {
    name: "assets",
    address: "/run/20250114_153045_a1b2c3?tab=assets",
    ready: (page) => page.getByRole("tabpanel").waitFor(),
  },
  {
    name: "overview",
    address: "/run/20250114_153045_a1b2c3?tab=overview",
    ready: (page) => page.getByRole("tabpanel").waitFor(),
  },
  {
    name: "a run that is not there",
    address: "/run/20200101_000000_000000",
    ready: text("No run here has this id"),
  },
  {
    name: "compare, empty",
    address: "/compare",
    ready: (page) => page.getByRole("heading").first().waitFor(),
  },
  { name: "compared charts", address: `/compare?runs=${LIVE},${ODD}`, ready: canvas },
  {
    name: "compared values",
    address: `/compare?runs=${LIVE},${ODD}&tab=values`,
    ready: region("Compared runs"),
  },
  {
    name: "what changed",
    address: `/compare?runs=${LIVE},${ODD}&tab=changed`,
    ready: region("Compared runs"),
  },
  {
    name: "GPUs",
    address: "/gpus",
    before: gpus,
    ready: (page) => page.getByRole("article").first().waitFor(),
  },
  { name: "no GPU", address: "/gpus", ready: text("No GPU to show on this machine") },
  { name: "hosts", address: "/hosts", ready: (page) => page.getByRole("heading").first().waitFor() },
  { name: "all assets", address: "/assets", ready: region(/^Asset: /) },
  {
    name: "all assets, nothing found",
    address: "/assets?q=nothing-like-this",
    ready: text("No asset fits this search"),
  },
  {
    name: "all assets, failed",
    address: "/assets",
    before: fails("**/api/asset-list*"),
    ready: text("This could not be loaded"),
  },
  {
    name: "no assets at all",
    address: "/assets",
    before: (page) => page.route("**/api/asset-list*", (route) => route.fulfill({ json: { rows: [] } })),
    ready: text("No run recorded an asset yet"),
  },
  {
    name: "recycle bin",
    address: "/recycle-bin",
    ready: (page) => page.getByRole("main").getByText(/./).first().waitFor(),
  },
  { name: "settings", address: "/settings", ready: region("Storage folder") },
  { name: "look", address: "/settings?section=look", ready: region("Look and language") },
  { name: "notifications", address: "/settings?section=notifications", ready: region("Notifications") },
  { name: "all keys", address: "/settings?section=shortcuts", ready: region("Keyboard") },
  { name: "about", address: "/settings?section=about", ready: text("State folder") },
  {
    name: "compared images",
    address: `/compare?runs=${MEDIA},${ODD}&tab=images`,
    ready: region("Compared runs"),
  },
  {
    name: "search over logs",
    address: `/compare?runs=${LIVE},${ODD}&tab=logs&find=line`,
    ready: region("Compared runs"),
  },
  { name: "no such page", address: "/nowhere", ready: text("There is no page at this address.") },
];

/** What axe-core finds, a line for each fault and place. */
async function faultsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { axe: checker } = window as unknown as {
      axe: {
        run: (
          options: object,
        ) => Promise<{ violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[] }>;
      };
    };
    const { violations } = await checker.run({ resultTypes: ["violations"] });
    return violations.flatMap(({ id, nodes }) =>
      nodes.slice(0, 4).map((node) => `${id}: ${node.html.slice(0, 200)} ${node.failureSummary ?? ""}`),
    );
  });
}

async function see(
  address: string,
  face: Face,
  options: Parameters<typeof openPage>[1],
  look: (page: Page) => Promise<void>,
) {
  const view = await openPage(shared.browser, options);
  await face.before?.(view.page);
  await view.page.goto(address + face.address);
  await face.ready(view.page);
  await look(view.page);
  await closeView(view);
}

describe.each(faces)("$name", (face) => {
  it("has nothing that axe-core finds fault with, in light and dark", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      await see(shared.address, face, { colorScheme }, async (page) => {
        await expect.poll(() => faultsOf(page), { timeout: 10_000 }).toEqual([]);
      });
    }
  });

  it("stays within the window at twice the size, and moves nothing when that is asked", async () => {
    const options = {
      viewport: { width: 720, height: 450 },
      deviceScaleFactor: 2,
      reducedMotion: "reduce",
    } as const;
    await see(shared.address, face, options, async (page) => {
      await expect
        .poll(() => page.evaluate(() => document.documentElement.scrollWidth - innerWidth))
        .toBeLessThanOrEqual(0);
      const moving = await page.evaluate(
        () =>
          document.getAnimations().filter((one) => Number(one.effect?.getComputedTiming().duration ?? 0) > 1)
            .length,
      );
      expect(moving).toBe(0);
    });
  });
});

describe("an empty root", () => {
  const folder = scratch();
  let viewer: Viewer;
  beforeAll(async () => {
    const root = join(folder, "root");
    mkdirSync(root);
    viewer = await Viewer.start(root, join(folder, "home"));
  });
  afterAll(async () => {
    await viewer?.stop();
    await removeFolder(folder);
  });

  it.each(["/runs", "/recycle-bin"])("has nothing that axe-core finds fault with at %s", async (address) => {
    for (const colorScheme of ["light", "dark"] as const) {
      const ready = (page: Page) => page.getByRole("heading").first().waitFor();
      await see(viewer.address, { name: "", address, ready }, { colorScheme }, async (page) => {
        await expect.poll(() => faultsOf(page), { timeout: 10_000 }).toEqual([]);
      });
    }
  });
});
