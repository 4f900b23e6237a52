/** The tools of the runs table: filter expressions, completion, chips, groups, several sort keys. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator } from "playwright-core";
import { describe, expect, it } from "vitest";
import { writeRun } from "./viewer";
import { SharedViewer } from "./visit";

interface Made {
  alias: string;
  path: string;
  tags?: string[];
  status?: string;
  /** Name and value of its best metric. */
  best?: [string, number];
  hoursAgo: number;
  hoursLong?: number;
}

/** The newest first, which is the order of the table. */
const made: Made[] = [
  {
    alias: "yolo small",
    path: "cv/detection/yolo",
    tags: ["base"],
    best: ["loss", 0.15],
    hoursAgo: 2,
    hoursLong: 1,
  },
  {
    alias: "yolo large",
    path: "cv/detection/yolo",
    tags: ["base", "old"],
    best: ["loss", 0.1],
    hoursAgo: 30,
    hoursLong: 9,
  },
  { alias: "resnet", path: "cv/resnet", tags: ["base"], best: ["loss", 0.35], hoursAgo: 54, hoursLong: 3 },
  {
    alias: "broken",
    path: "cv/resnet",
    tags: ["base"],
    status: "failed",
    best: ["loss", 0.18],
    hoursAgo: 78,
  },
  { alias: "bert", path: "nlp/bert", tags: ["sweep 1"], best: ["acc", 0.9], hoursAgo: 102, hoursLong: 3 },
  { alias: "gpt tiny", path: "nlp/gpt", status: "failed", hoursAgo: 240 },
];

const shared = new SharedViewer((root) => {
  made.forEach((run, at) => {
    const createdAt = Date.now() / 1000 - run.hoursAgo * 3600;
    const id = `20260101_00000${at}_00000${at}`;
    const dir = writeRun(root, { ...run, id, status: run.status ?? "finished", createdAt });
    const status = { status: run.status ?? "finished", started_at: createdAt };
    const ended_at = createdAt + (run.hoursLong ?? 0.5) * 3600;
    writeFileSync(join(dir, "status.json"), JSON.stringify({ ...status, ended_at }));
    if (run.best) {
      const [best_metric_name, best_metric_value] = run.best;
      writeFileSync(join(dir, "summary.json"), JSON.stringify({ best_metric_name, best_metric_value }));
    }
  });
});

const grid = (): Locator => shared.page.getByRole("grid", { name: "Runs" });
const search = (): Locator => shared.page.getByRole("searchbox", { name: "Search runs" });
const names = async (): Promise<string[]> => grid().getByRole("link").allInnerTexts();
const all = made.map((run) => run.alias);

async function open(address = "/runs"): Promise<void> {
  await shared.page.goto(shared.address + address);
  await grid().waitFor();
}

describe("a filter expression", () => {
  it.each([
    ["tag:base path:cv/** loss<0.2 -tag:old", ["yolo small", "broken"]],
    ["status:failed", ["broken", "gpt tiny"]],
    ["not status:failed path:nlp/*", ["bert"]],
    ['name:"yolo large"', ["yolo large"]],
    ['tag:"sweep 1"', ["bert"]],
    ["path:*/resnet best>=0.2", ["resnet"]],
    ["duration>2h started<3d", ["yolo large", "resnet"]],
    ["acc!=0.5", ["bert"]],
  ])("leaves the runs that fit: %s", async (query, fitting) => {
    await open();
    await expect.poll(names).toEqual(all);
    await search().fill(query);
    await expect.poll(names).toEqual(fitting);
  });

  it("is kept in the address", async () => {
    await open();
    await search().fill("loss<0.2 -tag:old");
    await expect.poll(() => new URL(shared.page.url()).searchParams.get("q")).toBe("loss<0.2 -tag:old");
    await shared.page.reload();
    await expect.poll(names).toEqual(["yolo small", "broken"]);
  });

  it("says in words what it does not understand, shows the place, and goes on with the rest", async () => {
    await open();
    await search().fill("status:failed loss<abc");
    const notes = shared.page.getByRole("status", { name: "Not understood" });
    await expect.poll(() => notes.innerText()).toBe("loss<abc: a number is needed after <");
    await expect.poll(() => search().getAttribute("aria-invalid")).toBe("true");
    await expect.poll(names).toEqual(["broken", "gpt tiny"]);
    await notes.getByRole("button").click();
    const marked = () =>
      search().evaluate((field: HTMLInputElement) =>
        field.value.slice(field.selectionStart ?? 0, field.selectionEnd ?? 0),
      );
    await expect.poll(marked).toBe("loss<abc");
    await search().fill("status:failed loss<0.2");
    await expect.poll(() => notes.innerText()).toBe("");
    await expect.poll(names).toEqual(["broken"]);
  });
});

describe("completion", () => {
  const listbox = (): Locator => shared.page.getByRole("listbox", { name: "Suggestions" });
  const option = (name: string | RegExp): Locator => listbox().getByRole("option", { name });
  /** The suggestion that the keys have reached, as it is told to those who cannot see it. */
  const active = () =>
    search().evaluate((field) => {
      const id = field.getAttribute("aria-activedescendant");
      return id === null ? "" : document.getElementById(id)?.querySelector(".mono")?.textContent;
    });
  const value = () => search().inputValue();

  it("offers names of fields, then the values that the runs have, and takes them with the keys", async () => {
    await open();
    const { keyboard } = shared.page;
    await keyboard.press("/");
    await keyboard.type("ta");
    await option(/^tag:/).waitFor();
    await keyboard.press("Tab");
    await expect.poll(value).toBe("tag:");
    await expect.poll(() => option(/^base/).innerText()).toMatch(/base\s+4/);
    await keyboard.press("ArrowDown");
    await keyboard.press("ArrowDown");
    await expect.poll(active).toBe("old");
    await keyboard.press("ArrowUp");
    await expect.poll(active).toBe("base");
    await keyboard.press("Enter");
    await expect.poll(value).toBe("tag:base ");
    await expect.poll(() => listbox().count()).toBe(0);
    await keyboard.type("los");
    await keyboard.press("Tab");
    await option("loss<").first().waitFor();
    await keyboard.press("ArrowDown");
    await keyboard.press("Enter");
    await keyboard.type("0.2");
    await expect.poll(value).toBe("tag:base loss<0.2");
    await expect.poll(names).toEqual(["yolo small", "yolo large", "broken"]);
  });

  it("finds values by a part of them, also without the name of the field, and by a click", async () => {
    await open();
    await search().pressSequentially("swee");
    await option(/sweep 1/).click();
    await expect.poll(value).toBe('tag:"sweep 1" ');
    await expect.poll(names).toEqual(["bert"]);
    await search().fill("path:");
    await option(/^cv\/detection\/\*\*/).click();
    await expect.poll(names).toEqual(["yolo small", "yolo large"]);
  });

  it("leaves the keys to the field when it is closed: Escape closes it first, then clears; arrows go on", async () => {
    await open();
    const { keyboard } = shared.page;
    await search().pressSequentially("yo");
    await listbox().waitFor();
    await keyboard.press("Escape");
    await expect.poll(() => listbox().count()).toBe(0);
    await expect.poll(value).toBe("yo");
    await keyboard.press("ArrowDown");
    await expect.poll(() => grid().evaluate((table) => table === document.activeElement)).toBe(true);
    await keyboard.press("/");
    await keyboard.press("Escape");
    await expect.poll(value).toBe("");
    await keyboard.press("Control+Space");
    await option(/^duration/).waitFor();
    await keyboard.press("Enter");
    await expect.poll(() => grid().evaluate((table) => table === document.activeElement)).toBe(true);
    await expect.poll(() => listbox().count()).toBe(0);
  });

  it("says what it is to those who cannot see it", async () => {
    await open();
    await search().pressSequentially("status:");
    await expect.poll(() => search().getAttribute("aria-autocomplete")).toBe("list");
    const id = await search().getAttribute("aria-controls");
    expect(await listbox().getAttribute("id")).toBe(id);
    await shared.page.getByRole("status").getByText("2 suggestions").waitFor();
  });
});

describe("chips", () => {
  const chips = (): Locator => shared.page.getByRole("group", { name: "Terms of the search" });
  const words = async () => (await chips().locator(".chip").allInnerTexts()).map((text) => text.trim());
  const focused = () => shared.page.evaluate(() => document.activeElement?.getAttribute("aria-label"));

  it("say each term that is understood, and a click takes one out", async () => {
    await open();
    await search().fill("status:failed loss<abc -tag:old not name:bert");
    await expect.poll(words).toEqual(["status:failed", "-tag:old", "not name:bert"]);
    await chips().getByRole("button", { name: "Remove status:failed" }).click();
    await expect.poll(words).toEqual(["-tag:old", "not name:bert"]);
    await expect.poll(() => search().inputValue()).toBe("loss<abc -tag:old not name:bert");
    await expect.poll(names).toEqual(["yolo small", "resnet", "broken", "gpt tiny"]);
    await chips().getByRole("button", { name: "Clear all" }).click();
    await expect.poll(() => search().inputValue()).toBe("");
    await expect.poll(() => chips().count()).toBe(0);
    await expect.poll(names).toEqual(all);
  });

  it("are reached, walked and taken out with the keys, and no run is deleted by that", async () => {
    await open("/runs?q=tag:base+path:cv/**+loss<0.2");
    await expect.poll(words).toEqual(["tag:base", "path:cv/**", "loss<0.2"]);
    const { keyboard } = shared.page;
    await chips().getByRole("button", { name: "Remove tag:base" }).focus();
    await keyboard.press("ArrowRight");
    await expect.poll(focused).toBe("Remove path:cv/**");
    await keyboard.press("Delete");
    await expect.poll(words).toEqual(["tag:base", "loss<0.2"]);
    await expect.poll(focused).toBe("Remove loss<0.2");
    await keyboard.press("Backspace");
    await expect.poll(focused).toBe("Remove tag:base");
    await keyboard.press("Enter");
    await expect.poll(focused).toBe("Search runs");
    await expect.poll(names).toEqual(all);
  });
});

describe("groups", () => {
  const tree = (): Locator => shared.page.getByRole("treegrid", { name: "Runs" });
  const heads = (): Locator => tree().locator('[role="row"][aria-level="1"]');
  const head = (name: string): Locator => heads().filter({ hasText: name });
  const runs = async () => tree().getByRole("link").allInnerTexts();
  const labels = async () => (await heads().locator(".label").allInnerTexts()).map((text) => text.trim());

  async function openGroups(by: string): Promise<void> {
    await shared.page.goto(`${shared.address}/runs?group=${by}`);
    await tree().waitFor();
  }

  it("are chosen in the menu, kept in the address, and left again", async () => {
    await open();
    await shared.page.getByRole("button", { name: "Group" }).click();
    await shared.page.getByRole("menuitemcheckbox", { name: "Folder" }).click();
    await expect.poll(labels).toEqual(["cv/detection/yolo", "cv/resnet", "nlp/bert", "nlp/gpt"]);
    await expect.poll(() => new URL(shared.page.url()).searchParams.get("group")).toBe("path");
    await shared.page.reload();
    await expect.poll(labels).toEqual(["cv/detection/yolo", "cv/resnet", "nlp/bert", "nlp/gpt"]);
    await shared.page.getByRole("button", { name: "Group" }).click();
    await shared.page.getByRole("menuitem", { name: "Close all" }).click();
    await expect.poll(runs).toEqual([]);
    await shared.page.getByRole("button", { name: "Group" }).click();
    await shared.page.getByRole("menuitemcheckbox", { name: "No groups" }).click();
    await expect.poll(names).toEqual(all);
  });

  it.each([
    ["state", ["Finished", "Failed"]],
    ["tag", ["base", "base, old", "sweep 1", "none"]],
    ["metric", ["loss", "acc", "none"]],
    ["acc", ["none", "0.9"]],
  ])("by %s stand in the order of the table", async (by, expected) => {
    await openGroups(by);
    await expect.poll(labels).toEqual(expected);
  });

  it("by day have a head for each day", async () => {
    await openGroups("day");
    await expect.poll(() => heads().count()).toBe(6);
  });

  it("say how many they are, what failed, the best metric and the time of all", async () => {
    await openGroups("path");
    const said = async (name: string) => (await head(name).innerText()).replace(/\s+/g, " ");
    await expect
      .poll(() => said("cv/detection/yolo"))
      .toMatch(/2 runs .*loss min 0\.10000 mean 0\.12500 max 0\.15000 total 10 h/);
    await expect.poll(() => said("cv/resnet")).toMatch(/2 runs Failed ?1/);
  });

  it("fold by a click, and by the keys, which walk heads and runs alike", async () => {
    await openGroups("path");
    const { keyboard } = shared.page;
    await head("cv/resnet").click();
    await expect.poll(runs).toEqual(["yolo small", "yolo large", "bert", "gpt tiny"]);
    await expect.poll(() => head("cv/resnet").getAttribute("aria-expanded")).toBe("false");
    const active = () =>
      tree().evaluate((table) => {
        const row = document.getElementById(table.getAttribute("aria-activedescendant") ?? "");
        return row?.querySelector(".label, a")?.textContent?.trim();
      });
    await tree().focus();
    await keyboard.press("ArrowRight");
    await expect.poll(runs).toEqual(all);
    await keyboard.press("ArrowRight");
    await expect.poll(active).toBe("resnet");
    await keyboard.press("ArrowDown");
    await expect.poll(active).toBe("broken");
    await keyboard.press("ArrowDown");
    await expect.poll(active).toBe("nlp/bert");
    await keyboard.press("Enter");
    await expect.poll(runs).not.toContain("bert");
    await keyboard.press("ArrowUp");
    await keyboard.press("ArrowLeft");
    await expect.poll(active).toBe("cv/resnet");
    await keyboard.press("ArrowLeft");
    await expect.poll(runs).toEqual(["yolo small", "yolo large", "gpt tiny"]);
  });

  it("are never deleted by the key that deletes a run", async () => {
    await openGroups("path");
    await head("nlp/gpt").click();
    await shared.page.keyboard.press("Delete");
    await shared.page.keyboard.press("e");
    await shared.page.keyboard.press("Enter");
    await expect.poll(runs).toEqual(all);
    expect(
      await shared.page
        .getByRole("status")
        .getByText(/^Deleted/)
        .count(),
    ).toBe(0);
    expect(await shared.page.getByRole("dialog").count()).toBe(0);
  });

  it("are ticked as a whole, closed or open", async () => {
    await openGroups("path");
    await shared.page.getByRole("checkbox", { name: "Tick the 2 runs of the group" }).first().check();
    await shared.page.getByText("2 ticked").waitFor();
    await expect
      .poll(() => shared.page.getByRole("checkbox", { name: "Tick yolo large" }).isChecked())
      .toBe(true);
    await shared.page.getByRole("checkbox", { name: "Tick yolo large" }).uncheck();
    const box = shared.page.getByRole("checkbox", { name: "Tick the 2 runs of the group" }).first();
    await expect.poll(() => box.evaluate((input: HTMLInputElement) => input.indeterminate)).toBe(true);
    await head("cv/resnet").click();
    await shared.page.getByRole("checkbox", { name: "Tick every run shown" }).check();
    await shared.page.getByText("6 ticked").waitFor();
  });
});

describe("sorting by several columns", () => {
  const head = (name: string): Locator => shared.page.getByRole("columnheader", { name });
  const click = (name: string, shift = false) =>
    head(name)
      .getByRole("button")
      .click({ modifiers: shift ? ["Shift"] : [] });
  const sort = () => new URL(shared.page.url()).searchParams.get("sort");

  it("takes a further column with Shift, turns it round, and lets it go; the heads say the order", async () => {
    await open();
    await click("State");
    await click("Duration", true);
    await expect.poll(names).toEqual(["broken", "gpt tiny", "yolo large", "resnet", "bert", "yolo small"]);
    await expect.poll(sort).toBe("state,-duration");
    await expect.poll(() => head("State").innerText()).toMatch(/State\s*1/);
    await expect.poll(() => head("Duration").innerText()).toMatch(/Duration\s*2/);
    await expect.poll(() => head("State").getAttribute("aria-sort")).toBe("ascending");
    await expect.poll(() => head("Duration").getAttribute("aria-sort")).toBe("none");
    const told = head("Duration").getByRole("button");
    await expect.poll(() => told.getAttribute("title")).toBe("Sort key 2, largest first");
    await click("Duration", true);
    await expect.poll(names).toEqual(["broken", "gpt tiny", "yolo small", "resnet", "bert", "yolo large"]);
    await click("Duration", true);
    await expect.poll(sort).toBe("state");
    await expect.poll(() => head("State").innerText()).toMatch(/^State\s*$/);
  });

  it("comes with the address, takes the keys, and a plain click leaves one column", async () => {
    await open("/runs?sort=path,-best");
    await expect.poll(names).toEqual(["yolo small", "yolo large", "resnet", "broken", "bert", "gpt tiny"]);
    await head("Run").getByRole("button").focus();
    await shared.page.keyboard.press("Shift+Enter");
    await expect.poll(sort).toBe("path,-best,run");
    await click("Run");
    await expect.poll(sort).toBe("run");
    await expect.poll(names).toEqual([...all].sort());
    await click("Run");
    await expect.poll(sort).toBe("-run");
  });
});
