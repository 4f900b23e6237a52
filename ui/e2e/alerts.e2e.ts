/** Being told what happens to runs: rules set in the page, real runs that end, fail, stall and write NaN. */
import { join } from "node:path";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { append, eventLine, finish } from "./run_root";
import { openPage, type View, writeRun } from "./viewer";
import { closeView, oneBrowser, Visit } from "./visit";

const browser = oneBrowser();
const patience = { timeout: 30_000 };
const ids = {
  net: "20260101_000000_aaaaaa",
  other: "20260102_000000_bbbbbb",
};

/** Two running runs, one of them in a folder of its own. */
async function visit(): Promise<{ visit: Visit; dirs: Record<"net" | "other", string> }> {
  const dirs = { net: "", other: "" };
  const opened = await Visit.start(browser(), null, {}, (root) => {
    for (const [name, path] of [
      ["net", "cv/det"],
      ["other", "nlp"],
    ] as const) {
      dirs[name] = writeRun(root, { id: ids[name], path, alias: name });
      append(dirs[name], "events.jsonl", eventLine(1, { loss: 1, acc: 0.1 }));
    }
  });
  await opened.page.goto(opened.viewer.address);
  return { visit: opened, dirs };
}

const nan = (step: number, members: string): string =>
  `{"ts": ${step}, "type": "metrics", "data": {${members}, "global_step": ${step}, "time": ${step}}}\n`;

async function openRules(page: Page): Promise<void> {
  await page.getByRole("button", { name: /^Notifications/ }).click();
  await page.getByRole("menuitem", { name: "Choose what to be told of…" }).click();
}

/** Adds a rule about all runs and waits until it is followed. */
async function watchAll(page: Page): Promise<void> {
  await openRules(page);
  await page.getByText("You are not told of anything yet.").waitFor();
  await page.getByRole("button", { name: "Add a rule" }).click();
  await page.getByText("Saved; runs are watched from now on").waitFor();
}

const closeRules = (page: Page): Promise<void> =>
  page.getByRole("dialog", { name: "What to be told of" }).getByRole("button", { name: "Close" }).click();

const toast = (page: Page, text: string) => page.getByRole("status").getByRole("group", { name: text });

describe("what a person is told of", () => {
  it("is a run that finishes, fails or gets a NaN: a message that leads to the run, and an entry in the list", async () => {
    const { visit: opened, dirs } = await visit();
    const { page } = opened;
    await watchAll(page);
    await closeRules(page);
    append(dirs.net, "events.jsonl", nan(2, '"loss": NaN, "acc": 0.2'));
    await toast(page, "net: loss is NaN or infinite").waitFor();
    await page.getByRole("button", { name: "Notifications, 1 new" }).waitFor();
    finish(dirs.other, "failed");
    await toast(page, "other failed").getByRole("button", { name: "Open" }).click();
    await expect.poll(() => new URL(page.url()).pathname, patience).toBe(`/run/${ids.other}`);
    finish(dirs.net, "finished");
    await toast(page, "net: Finished").waitFor();

    const bell = page.getByRole("button", { name: /^Notifications/ });
    await bell.click();
    const entries = page.getByRole("list", { name: "Newest" }).getByRole("link");
    await expect
      .poll(() => entries.locator(".words").allTextContents(), patience)
      .toEqual(["net: Finished", "other failed", "net: loss is NaN or infinite"]);
    await entries.first().click();
    await expect.poll(() => new URL(page.url()).pathname, patience).toBe(`/run/${ids.net}`);
    // What was looked at is no longer new, for another reader and after a reload either.
    await expect.poll(() => bell.getAttribute("aria-label"), patience).toBe("Notifications");
    const again: View = await openPage(browser());
    await again.page.goto(opened.viewer.address);
    await again.page.getByRole("button", { name: "Notifications", exact: true }).waitFor();
    await closeView(again);
    await opened.end();
  });

  it("is nothing of what a rule leaves out or of a rule that is off", async () => {
    const { visit: opened, dirs } = await visit();
    const { page } = opened;
    await watchAll(page);
    const rule = page.getByRole("group", { name: "Rule 1" });
    const saved = page.getByText("Saved; runs are watched from now on");
    await rule.getByRole("radio", { name: "A folder" }).check();
    await rule.getByText("Give a folder, such as cv/detection").waitFor();
    await rule.getByRole("textbox", { name: "Folder" }).fill("cv");
    await rule.getByRole("textbox", { name: "Only in these metrics" }).fill("acc, ");
    await saved.waitFor();
    await closeRules(page);
    append(dirs.other, "events.jsonl", nan(2, '"loss": NaN, "acc": NaN'));
    append(dirs.net, "events.jsonl", nan(2, '"loss": NaN, "acc": 0.2'));
    append(dirs.net, "events.jsonl", nan(3, '"loss": NaN, "acc": -Infinity'));
    await toast(page, "net: acc is NaN or infinite").waitFor();
    await openRules(page);
    await rule.getByRole("checkbox", { name: /^Rule 1/ }).uncheck();
    await saved.waitFor();
    finish(dirs.net, "finished");
    await rule.getByRole("radio", { name: "All runs" }).check();
    await rule.getByRole("checkbox", { name: /^Rule 1/ }).check();
    await saved.waitFor();
    finish(dirs.other, "finished");
    await toast(page, "other: Finished").waitFor();
    const answer = await page.request.get(`${opened.viewer.address}/api/alerts`);
    const { events } = (await answer.json()) as { events: { name: string; event: string }[] };
    expect(events.map(({ name, event }) => `${name} ${event}`)).toEqual(["other ended", "net non_finite"]);
    await opened.end();
  });

  it("is one run that is watched from its own page, and no other", async () => {
    const { visit: opened, dirs } = await visit();
    const { page } = opened;
    await page.goto(`${opened.viewer.address}/run/${ids.net}`);
    await page.getByRole("button", { name: "Watch this run" }).click();
    await toast(page, "You will be told when net ends, fails, stalls or gets a NaN").waitFor();
    await page.getByRole("button", { name: /^Watched:/, pressed: true }).waitFor();
    finish(dirs.other, "failed");
    finish(dirs.net, "failed");
    await toast(page, "net failed").waitFor();
    await openRules(page);
    const rule = page.getByRole("group", { name: "Rule 1" });
    await rule.getByText("1 run", { exact: true }).waitFor();
    await closeRules(page);
    await page.getByRole("button", { name: /^Watched:/ }).click();
    await expect
      .poll(async () => (await page.request.get(`${opened.viewer.address}/api/alert-rules`)).json(), patience)
      .toEqual({ rules: [] });
    const { events } = await (await page.request.get(`${opened.viewer.address}/api/alerts`)).json();
    expect(events.map(({ name }: { name: string }) => name)).toEqual(["net"]);
    await opened.end();
  });

  it("is a run that writes nothing for as long as the rule says, and all is reached from the keyboard", async () => {
    const { visit: opened } = await visit();
    const { page } = opened;
    await page.getByRole("button", { name: /^Notifications/ }).waitFor();
    await page.keyboard.press("Control+k");
    await page.keyboard.type("told of");
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: "What to be told of" });
    await dialog.getByRole("button", { name: "Add a rule" }).press("Enter");
    const minutes = dialog.getByRole("spinbutton", { name: "Minutes without a write" });
    await minutes.fill("0");
    await dialog.getByText("Give a number of minutes from 1 to 44,640").waitFor();
    await minutes.fill("0.1");
    await dialog.getByText("Give a number of minutes from 1 to 44,640").waitFor();
    await minutes.fill("15");
    await dialog.getByText("Saved; runs are watched from now on").waitFor();
    // A shorter silence than a person may type, so that the test need not wait for minutes.
    const rules = `${opened.viewer.address}/api/alert-rules`;
    const kept = await (await page.request.get(rules)).json();
    kept.rules[0].stalled_after_secs = 3;
    await page.request.put(rules, { data: kept });
    append(join(opened.root, "runs/nlp", ids.other), "events.jsonl", eventLine(2, { loss: 1 }));
    await toast(page, "other has written nothing for")
      .or(page.getByText(/^other has written nothing for/))
      .first()
      .waitFor();
    await opened.end();
  });
});
