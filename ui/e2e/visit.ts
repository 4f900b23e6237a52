/** One reader at one viewer: what nearly every test begins with, and how it ends. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { copyFixture, openBrowser, openPage, removeFolder, scratch, type View, Viewer } from "./viewer";

/** One browser for all tests of a file. */
export function oneBrowser(): () => Browser {
  let browser: Browser | undefined;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser?.close());
  return () => {
    if (!browser) throw new Error("the browser opens before the first test");
    return browser;
  };
}

/** Fails when the page complained about anything. */
export async function closeView(view: View): Promise<void> {
  const faults = [...view.faults];
  await view.close();
  expect(faults).toEqual([]);
}

export class Visit {
  private constructor(
    readonly folder: string,
    readonly root: string,
    public viewer: Viewer,
    public view: View,
  ) {}

  get page(): Page {
    return this.view.page;
  }

  /** A viewer on a copy of a recorded root (`null`: an empty one), which `prepare` may change before it is looked at. */
  static async start(
    browser: Browser,
    fixture: string | null,
    options: BrowserContextOptions = {},
    prepare: (root: string, home: string) => void = () => {},
  ): Promise<Visit> {
    const folder = scratch();
    const root = join(folder, "root");
    const home = join(folder, "home");
    if (fixture === null) mkdirSync(root);
    else copyFixture(fixture, root);
    prepare(root, home);
    const viewer = await Viewer.start(root, home);
    return new Visit(folder, root, viewer, await openPage(browser, options));
  }

  /** Ends the reader, the viewer and the folder, and fails when the page complained. */
  async end(): Promise<void> {
    const { faults } = this.view;
    await this.view.close();
    await this.viewer.stop();
    await removeFolder(this.folder);
    expect(faults).toEqual([]);
  }
}

/** One viewer for all tests of a file, on a root that `prepare` makes; each test gets a reader of its own. */
export class SharedViewer {
  readonly folder = scratch();
  readonly root = join(this.folder, "root");
  private readonly browserOf = oneBrowser();
  private startedViewer: Viewer | undefined;
  private openedView: View | undefined;

  constructor(prepare: (root: string) => void) {
    beforeAll(async () => {
      prepare(this.root);
      this.startedViewer = await Viewer.start(this.root, join(this.folder, "home"));
    });
    afterAll(async () => {
      await this.startedViewer?.stop();
      await removeFolder(this.folder);
    });
    beforeEach(async () => {
      this.openedView = await openPage(this.browser);
    });
    afterEach(() => this.openedView && closeView(this.openedView));
  }

  get browser(): Browser {
    return this.browserOf();
  }

  get address(): string {
    if (!this.startedViewer) throw new Error("the viewer starts before the first test");
    return this.startedViewer.address;
  }

  get page(): Page {
    if (!this.openedView) throw new Error("the page opens before each test");
    return this.openedView.page;
  }
}

/**
 * Refuses these questions until something is clicked on the page, which tries again by itself too. Returned is a check that the
 * click itself asked.
 */
export async function refusedUntilClicked(
  page: Page,
  path: string,
  json: { detail: string; code?: string },
): Promise<() => Promise<void>> {
  await page.addInitScript(() => {
    const note = () => Object.assign(window, { clickedAt: performance.now() });
    document.addEventListener("click", note, { capture: true, once: true });
  });
  const clickedAt = () => page.evaluate(() => (window as { clickedAt?: number }).clickedAt ?? null);
  await page.route(`**${path}*`, async (route) => {
    if ((await clickedAt()) !== null) return route.continue();
    await route.fulfill({ status: 500, json });
  });
  return async () => {
    const asked = await page.evaluate(
      (part) =>
        performance
          .getEntriesByType("resource")
          .filter(({ name }) => name.includes(part))
          .map(({ startTime }) => startTime),
      path,
    );
    const clicked = (await clickedAt()) ?? Number.POSITIVE_INFINITY;
    // Not the next time that the page would have asked by itself.
    expect(asked.find((start) => start >= clicked)).toBeLessThan(clicked + 200);
  };
}
