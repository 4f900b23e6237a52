/** Runs of this machine and of a connected host in one comparison, over a real SSH server; and what is seen when the host is away. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator } from "playwright-core";
import { describe, expect, it } from "vitest";
import { append, eventLine } from "./run_root";
import { Sshd } from "./sshd";
import { lightViewer, openPage, removeFolder, scratch, Viewer, writeRun } from "./viewer";
import { closeView, oneBrowser } from "./visit";

const NEAR = "20260801_000000_aaaa00";
const FAR = "20260802_000000_bbbb00";

function record(root: string, id: string, alias: string, lr: number, loss: number): void {
  const dir = writeRun(root, { id, path: "both", alias, status: "finished" });
  writeFileSync(join(dir, "assets.json"), JSON.stringify({ config: { args: { lr }, extra: {} } }));
  for (let step = 0; step < 10; step += 1) append(dir, "events.jsonl", eventLine(step, { loss }));
}

const browserOf = oneBrowser();

describe("runs of several machines", { timeout: 280_000 }, () => {
  it("are compared together: curves, differences and values; a host that is away costs only its own runs", async () => {
    const folder = scratch();
    process.env.RUNICORN_VIEWERS ??= lightViewer(join(folder, "viewers"));
    const sshd = await Sshd.start(folder);
    const home = join(folder, "home");
    const root = join(folder, "near-root");
    record(root, NEAR, "near run", 0.1, 1);
    record(sshd.root, FAR, "far run", 0.3, 5);
    const stanza = `Host gpu-test\n  HostName 127.0.0.1\n  Port ${sshd.port}\n  User ${sshd.username}\n`;
    Viewer.writeSshConfig(home, `${stanza}  IdentityFile ${sshd.key}\n  IdentitiesOnly yes\n`);
    const viewer = await Viewer.start(root, home);
    const view = await openPage(browserOf());
    const { page } = view;
    const pick = (name: string): Locator =>
      page.getByRole("region", { name: "Compared runs" }).getByRole("listitem").filter({ hasText: name });
    const says = (words: string) =>
      expect
        .poll(() => page.getByRole("application", { name: "loss: " }).getAttribute("aria-label"))
        .toContain(words);
    try {
      await page.goto(`${viewer.address}/hosts?selected=ssh:gpu-test`);
      await page
        .getByRole("region", { name: "Server: gpu-test" })
        .getByRole("button", { name: "Connect", exact: true })
        .click();
      await page.getByRole("button", { name: "Trust and connect" }).click();
      await page.getByRole("grid", { name: "Runs" }).getByText("far run").waitFor({ timeout: 120_000 });

      await page.goto(`${viewer.address}/at/all/runs`);
      const grid = page.getByRole("grid", { name: "Runs" });
      // The list of this machine stands first; a click then goes to what stands there when it lands.
      await grid.getByText("far run").waitFor();
      await grid.getByRole("checkbox", { name: "Tick near run" }).click();
      await grid.getByRole("checkbox", { name: "Tick far run" }).click();
      await page.keyboard.press("c");
      await page.waitForURL((url) => url.pathname === "/at/all/compare");
      expect(new URL(page.url()).searchParams.get("runs")).toBe(`/${NEAR},ssh:gpu-test/${FAR}`);
      await says("runs: 2, points drawn: 20, from 1 to 5");
      await pick("far run").getByText("gpu-test").waitFor();
      await expect
        .poll(() => pick("far run").getByRole("link").getAttribute("href"))
        .toContain("/at/ssh:gpu-test/run/");
      await page.reload();
      await says("runs: 2, points drawn: 20, from 1 to 5");

      await page.keyboard.press("3");
      const lr = page
        .getByRole("table")
        .getByRole("row")
        .filter({ has: page.getByRole("rowheader", { name: "lr", exact: true }) });
      await expect.poll(() => lr.getByRole("cell").allInnerTexts()).toEqual(["0.1", "0.3"]);
      await page.keyboard.press("2");
      await expect.poll(() => page.locator("path.line").count()).toBe(2);
      await page.goto(`${viewer.address}/at/all/compare?runs=/${NEAR},ssh:gpu-test/${FAR}&group=config:lr`);
      await says("lines: 2, points drawn: 20, from 1 to 5");

      await page.goto(`${viewer.address}/at/all/compare?runs=/${NEAR},ssh:elsewhere/${FAR}`);
      await says("runs: 1, points drawn: 10");
      await pick(FAR).getByText("elsewhere is not reachable").waitFor();
      await closeView(view);
    } finally {
      await viewer.stop();
      await sshd.close();
      await removeFolder(folder);
    }
  });
});
