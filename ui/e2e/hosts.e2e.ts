/** Other machines in the same window, against a real viewer and a real OpenSSH server on a loopback port. */
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { append, eventLine } from "./run_root";
import { freePort, isRoot, makeKey, Sshd } from "./sshd";
import { lightViewer, removeFolder, scratch, Viewer, writeRun } from "./viewer";
import { oneBrowser, refusedUntilClicked, Visit } from "./visit";

/** The first connection of all carries an unpacked debug viewer over: far more than it takes. */
const patience = { timeout: 120_000 };
const slow = 240_000;

/** The environments with the real Runicorn. */
const pythons = process.env.RUNICORN_PYTHONS;

const browser = oneBrowser();
let visit: Visit;
let farFolder: string;
let sshd: Sshd;
let root: string;
let home: string;
let viewer: Viewer;
let page: Page;

beforeAll(async () => {
  farFolder = scratch();
  process.env.RUNICORN_VIEWERS ??= lightViewer(join(farFolder, "viewers"));
  sshd = await Sshd.start(farFolder);
  writeFarRun("20260102_000000_fa0001", "far/net", "far one", 20);
});
afterAll(async () => {
  await sshd?.close();
  if (farFolder) await removeFolder(farFolder);
});

function writeFarRun(id: string, path: string, alias: string, steps: number): string {
  const dir = writeRun(sshd.root, { id, path, alias, status: "finished" });
  for (let step = 1; step <= steps; step += 1)
    append(dir, "events.jsonl", eventLine(step, { loss: 1 / step }));
  append(dir, "logs.txt", `log of ${alias}\n`);
  return dir;
}

interface Entry {
  name: string;
  port?: number;
  key?: string;
  user?: string;
}

const stanza = ({ name, port = sshd.port, key = sshd.key, user = sshd.username }: Entry): string =>
  `Host ${name}\n  HostName 127.0.0.1\n  Port ${port}\n  User ${user}\n  IdentityFile ${key}\n  IdentitiesOnly yes\n`;

async function begin(entries: readonly Entry[], options = {}): Promise<void> {
  visit = await Visit.start(browser(), null, options, (root, home) => {
    writeRun(root, { id: "20260101_000000_ea0001", path: "near/net", alias: "near one", status: "finished" });
    if (entries.length > 0) Viewer.writeSshConfig(home, entries.map(stanza).join("\n"));
  });
  ({ root, viewer, page } = visit);
  home = viewer.home;
}
const finish = (): Promise<void> => visit.end();

const servers = (): Locator => page.getByRole("grid", { name: "Servers" });
const server = (name: string): Locator => servers().getByRole("row").filter({ hasText: name });
const detail = (name: string): Locator => page.getByRole("region", { name: `Server: ${name}` });
const dialog = (): Locator => page.getByRole("dialog");
const runs = (): Locator => page.getByRole("grid", { name: "Runs" });
const run = (name: string): Locator => runs().getByRole("row").filter({ hasText: name });
const names = async (): Promise<string[]> => runs().getByRole("link").allInnerTexts();
const switcher = (): Locator => page.getByRole("button", { name: /^Host: / });
const path = (): string => new URL(page.url()).pathname;

async function openHosts(): Promise<void> {
  await page.goto(`${viewer.address}/hosts`);
  await servers().waitFor();
}

/** From the list to the dialog. */
async function begins(name: string): Promise<void> {
  await openHosts();
  await server(name).click();
  await detail(name).getByRole("button", { name: "Connect", exact: true }).click();
}

/** All the way to the runs of a server that was never seen before. */
async function connect(name: string): Promise<void> {
  await begins(name);
  await dialog().getByRole("button", { name: "Trust and connect" }).click();
  await runs().waitFor(patience);
  expect(path()).toBe(`/at/ssh:${name}/runs`);
}

async function choose(name: string): Promise<void> {
  await switcher().click();
  await page.getByRole("menu").getByRole("menuitemcheckbox", { name }).click();
}

describe("a server of the ssh config", { timeout: slow }, () => {
  beforeEach(() => begin([{ name: "gpu-test" }]));
  afterEach(finish);

  it("is connected through the dialog, its key looked at first, and its runs are in the same window", async () => {
    await begins("gpu-test");
    await dialog()
      .getByRole("heading", { name: /^Is this really/ })
      .waitFor();
    await dialog().getByText(sshd.fingerprint(), { exact: true }).waitFor();
    const art = await dialog().getByRole("img", { name: "The key as a picture" }).innerText();
    expect(art.split("\n").length).toBe(11);
    await dialog().getByRole("button", { name: "Trust and connect" }).click();
    await runs().waitFor(patience);
    await expect.poll(names).toEqual(["far one"]);
    await expect.poll(() => switcher().innerText()).toMatch(/^Connected\s+gpu-test\s+ssh · \d+ ms$/);
    await expect.poll(() => page.getByRole("dialog").count()).toBe(0);
  });

  it("is asked about only once: the second time its runs are there at a click", async () => {
    await connect("gpu-test");
    await page.goto(`${viewer.address}/hosts?selected=ssh:gpu-test`);
    await detail("gpu-test").getByRole("button", { name: "Stop" }).click();
    await page.getByRole("status").getByText("Stopped the viewer on gpu-test").waitFor();
    await detail("gpu-test").getByRole("button", { name: "Connect", exact: true }).click();
    await runs().waitFor(patience);
    await expect.poll(names).toEqual(["far one"]);
  });

  it("shows its run whole: charts, log, and what is written while one looks, over the same window", async () => {
    const dir = writeFarRun("20260103_000000_fa0002", "far/live", "far live", 5);
    writeFileSync(
      join(dir, "status.json"),
      JSON.stringify({ status: "running", started_at: Date.now() / 1000 }),
    );
    await connect("gpu-test");
    await run("far live").getByRole("link").click();
    await expect.poll(path).toBe("/at/ssh:gpu-test/run/20260103_000000_fa0002");
    await page.locator("canvas").first().waitFor();
    await page.getByRole("tab", { name: "Logs" }).click();
    await page.getByText("log of far live").waitFor();
    append(dir, "logs.txt", "written just now\n");
    await page.getByText("written just now").waitFor(patience);
    await page.reload();
    await page.getByText("written just now").waitFor(patience);
    await page.keyboard.press("Escape");
    await runs().waitFor();
    expect(path()).toBe("/at/ssh:gpu-test/runs");
  });

  it("is written to like this machine, and nothing is written here", async () => {
    const dir = writeFarRun("20260104_000000_fa0003", "far/edit", "to rename", 2);
    await connect("gpu-test");
    await run("to rename").click();
    await runs().focus();
    await page.keyboard.press("e");
    const edit = page.getByRole("dialog", { name: "Rename and tag" });
    await edit.getByLabel("Name").fill("renamed over there");
    await page.keyboard.press("Enter");
    await run("renamed over there").waitFor();
    // The keys are the table's again.
    await edit.waitFor({ state: "hidden" });
    expect(JSON.parse(readFileSync(join(dir, "meta.json"), "utf8")).alias).toBe("renamed over there");
    await page.keyboard.press("Delete");
    await page.getByRole("status").getByText("Deleted renamed over there").waitFor();
    await expect.poll(names).not.toContain("renamed over there");
    await page.getByRole("button", { name: "Undo" }).click();
    await run("renamed over there").waitFor();
    await choose("This machine");
    await expect.poll(names).toEqual(["near one"]);
  });

  it("is one choice in the switcher, kept by a reload, with the words that were searched for", async () => {
    await connect("gpu-test");
    await page.getByRole("searchbox", { name: "Search runs" }).fill("one");
    await expect.poll(() => new URL(page.url()).search).toBe("?q=one");
    await choose("This machine");
    await expect.poll(names).toEqual(["near one"]);
    expect(path()).toBe("/runs");
    expect(new URL(page.url()).search).toBe("?q=one");
    await choose("gpu-test");
    await expect.poll(names).toEqual(["far one"]);
    await page.reload();
    await runs().waitFor(patience);
    await expect.poll(names).toEqual(["far one"]);
  });

  it("stands beside this machine in one list of all hosts: sorted, searched and opened from there", async () => {
    await connect("gpu-test");
    await choose("All hosts");
    await run("near one").waitFor();
    await run("far one").waitFor();
    expect(path()).toBe("/at/all/runs");
    expect(await run("near one").innerText()).toContain("This machine");
    expect(await run("far one").innerText()).toContain("gpu-test");
    await page.getByRole("searchbox", { name: "Search runs" }).fill("host:gpu");
    await expect.poll(async () => (await names()).includes("near one")).toBe(false);
    await run("far one").dblclick();
    await expect.poll(path).toBe("/at/ssh:gpu-test/run/20260102_000000_fa0001");
    await page.locator("canvas").first().waitFor();
    await page.keyboard.press("Escape");
    await expect.poll(() => page.url()).toContain("/at/all/runs?q=host%3Agpu");
  });

  it("keeps what it shows while the link is down, says so, and goes on without a reload", async () => {
    await connect("gpu-test");
    await expect.poll(names).toContain("far one");
    await page.evaluate(() => Object.assign(window, { sameDocument: true }));
    await sshd.stop();
    const note = page.getByRole("status").filter({ hasText: "is down and is being made again" });
    await note.waitFor(patience);
    expect(await names()).toContain("far one");
    expect(await page.getByRole("button", { name: "Rename, tags…" }).isDisabled()).toBe(true);
    writeFarRun("20260105_000000_fa0004", "far/away", "while away", 2);
    await sshd.startAgain();
    await note.waitFor({ state: "detached", ...patience });
    await run("while away").waitFor(patience);
    expect(await page.evaluate(() => "sameDocument" in window)).toBe(true);
  });

  it("comes back by itself when only its connection is cut, and counts it", async () => {
    await connect("gpu-test");
    sshd.cut();
    await page.goto(`${viewer.address}/hosts?selected=ssh:gpu-test`);
    const facts = detail("gpu-test").getByRole("article");
    await facts.getByText("Reconnects").waitFor(patience);
    await expect.poll(() => facts.innerText(), patience).toContain("Connected");
    await detail("gpu-test").getByRole("button", { name: "Open" }).click();
    await run("far one").waitFor(patience);
  });

  it("shows what was last seen of it, with its age, when it cannot be reached", async () => {
    await connect("gpu-test");
    await run("far one").waitFor();
    await viewer.stop();
    viewer = visit.viewer = await Viewer.start(root, home, Number(new URL(viewer.address).port));
    await page.goto(`${viewer.address}/at/all/runs`);
    await run("far one").waitFor();
    await expect.poll(() => run("far one").innerText()).toMatch(/gpu-test\s*(just now|\d+ (s|min) ago)/);
    await run("far one").click();
    await page.getByText("gpu-test is not connected").waitFor();
    await page.goto(`${viewer.address}/at/ssh:gpu-test/runs`);
    await page.getByRole("heading", { name: "gpu-test is not connected" }).waitFor();
    await page.getByRole("button", { name: "Reconnect" }).click();
    await runs().waitFor(patience);
    await run("far one").waitFor();
  });

  it("tells its figures and its log, and stops: nothing runs over there then", async () => {
    await connect("gpu-test");
    await page.goto(`${viewer.address}/hosts?selected=ssh:gpu-test`);
    const facts = detail("gpu-test").getByRole("article");
    await expect.poll(() => facts.innerText()).toMatch(/Latency\s+[\d.]+ ms\s+Received\s+[\d.]+ KB\s+Sent/);
    await facts.getByRole("button", { name: "Viewer log" }).click();
    await facts.locator("pre").or(facts.getByText("has written nothing yet")).waitFor();
    await facts.getByRole("button", { name: "Stop" }).click();
    await expect.poll(() => facts.count(), patience).toBe(0);
    expect(await server("gpu-test").innerText()).toContain("Signed in");
    await page.goto(`${viewer.address}/at/ssh:gpu-test/runs`);
    await page.getByRole("button", { name: "Reconnect" }).waitFor();
    await expect.poll(() => sshd.leftovers(), { timeout: 90_000 }).toEqual([]);
  });

  it("has a local address that a browser and other programs can use", async () => {
    await connect("gpu-test");
    await page.goto(`${viewer.address}/hosts?selected=ssh:gpu-test`);
    const facts = detail("gpu-test").getByRole("article");
    await facts.getByRole("button", { name: "More actions" }).click();
    const item = page.getByRole("menuitem", { name: /^Copy address/ });
    const address = /http:\/\/localhost:\d+/.exec(await item.innerText())?.[0] ?? "";
    const list = (await (await fetch(`${address}/api/runs`)).json()) as { alias: string | null }[];
    expect(list.map((one) => one.alias)).toContain("far one");
  });

  it("lets its folder be chosen: options, folders over there, walked with the keys", async () => {
    const other = join(sshd.home, "other runs");
    mkdirSync(other, { recursive: true });
    writeRun(other, {
      id: "20260106_000000_fa0005",
      path: "other",
      alias: "in the other",
      status: "finished",
    });
    await openHosts();
    await server("gpu-test").click();
    await detail("gpu-test").getByRole("button", { name: "Connect with options…" }).click();
    await dialog().getByRole("button", { name: "Trust and connect" }).click();
    await dialog().getByRole("button", { name: "Browse…" }).click(patience);
    await dialog().getByRole("option").nth(1).waitFor();
    await dialog().getByLabel("Path").fill(sshd.home);
    await page.keyboard.press("Enter");
    await dialog().getByRole("option", { name: "other runs" }).waitFor();
    await dialog().getByRole("listbox", { name: "Folders" }).focus();
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.getAttribute("role")))
      .toBe("listbox");
    await page.keyboard.press("o");
    await page.keyboard.press("Enter");
    await expect.poll(() => dialog().getByLabel("Path").inputValue()).toBe(other);
    await dialog().getByRole("button", { name: "Use this folder" }).click();
    await dialog().getByRole("button", { name: "Show the runs" }).click();
    await runs().waitFor(patience);
    await expect.poll(names).toEqual(["in the other"]);
  });

  it("is reached with the keyboard alone; Escape gives up and the focus goes back", async () => {
    await openHosts();
    await page.keyboard.press("/");
    await page.keyboard.type("gpu");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await dialog().getByRole("button", { name: "Trust and connect" }).waitFor();
    await page.keyboard.press("Escape");
    await expect.poll(() => dialog().count()).toBe(0);
    await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute("role"))).toBe("grid");
    await expect.poll(() => server("gpu-test").innerText()).toContain("Not connected");
    await page.keyboard.press("Enter");
    await dialog().getByRole("button", { name: "Trust and connect" }).waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await runs().waitFor(patience);
    await switcher().focus();
    await page.keyboard.press("Enter");
    await page.keyboard.press("Enter");
    await expect.poll(path).toBe("/runs");
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.getAttribute("aria-label")))
      .toBe("Host: This machine");
  });

  it.each([900, 720])("is usable at %i px, which is also twice that at double zoom", async (width) => {
    await page.setViewportSize({ width, height: 600 });
    await openHosts();
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
    await server("gpu-test").click();
    await detail("gpu-test").getByRole("button", { name: "Connect", exact: true }).click();
    const trust = dialog().getByRole("button", { name: "Trust and connect" });
    await trust.waitFor();
    const box = await dialog().boundingBox();
    expect((box?.x ?? -1) >= 0 && (box?.x ?? 0) + (box?.width ?? 0) <= width).toBe(true);
  });
});

describe("what stands in the way", { timeout: slow }, () => {
  afterEach(finish);

  it("nobody listens: stage, reason, advice, and the diagnostics to copy", async () => {
    await begin([{ name: "closed", port: await freePort() }], {
      permissions: ["clipboard-read", "clipboard-write"],
    });
    await begins("closed");
    const alert = dialog().getByRole("alert");
    await expect.poll(() => alert.innerText()).toContain("It failed at: Reach the server");
    expect(await alert.innerText()).toContain("The machine answers, but nobody listens there.");
    await alert.getByRole("button", { name: "Copy diagnostics" }).click();
    await page.getByText("Copied. It holds no passwords.").waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    for (const part of ["code: CONNECTION_REFUSED", "stage: connecting", "closed"])
      expect(copied).toContain(part);
    await dialog().getByRole("button", { name: "Close" }).last().click();
    await expect.poll(() => server("closed").innerText()).toContain("Failed");
    await detail("closed").getByRole("alert").waitFor();
  });

  it("no key that it takes: a password is asked for, and a wrong one is said to be wrong", async () => {
    await begin([{ name: "locked", key: makeKey(join(farFolder, "stranger_key")) }]);
    await begins("locked");
    await dialog().getByRole("button", { name: "Trust and connect" }).click();
    const field = dialog().getByLabel("Password", { exact: true });
    await field.waitFor();
    expect(await field.getAttribute("type")).toBe("password");
    await expect.poll(() => field.evaluate((input) => input === document.activeElement)).toBe(true);
    await dialog().getByText("Should a key have worked?").click();
    await dialog().getByText("authorized_keys").waitFor();
    await field.fill("hush7q not the password");
    await page.keyboard.press("Enter");
    await dialog().getByText("That was not accepted. Try again.").waitFor();
    expect(await field.inputValue()).toBe("");
  });

  it.skipIf(!isRoot)("a password opens the door and is kept only when that was wanted", async () => {
    const own = scratch();
    const other = await Sshd.start(own, { password: "hush7q correct horse" });
    try {
      writeRun(other.root, {
        id: "20260107_000000_fa0006",
        path: "pw",
        alias: "behind a password",
        status: "finished",
      });
      await begin([{ name: "guarded", port: other.port, user: other.username, key: join(own, "none") }]);
      await begins("guarded");
      await dialog().getByRole("button", { name: "Trust and connect" }).click();
      await dialog().getByLabel("Password", { exact: true }).fill("hush7q correct horse");
      await dialog().getByText("There is no keyring on this computer").waitFor();
      await dialog()
        .getByRole("checkbox", { name: /^Remember it/ })
        .check();
      await page.keyboard.press("Enter");
      await run("behind a password").waitFor(patience);
      const saved = (await (await fetch(`${viewer.address}/api/remote/connections/saved`)).json()) as {
        connections: Record<string, unknown>[];
      };
      expect(saved.connections[0]).toMatchObject({ host: "guarded", hasSavedPassword: true });
      expect(JSON.stringify(saved)).not.toContain("hush7q");
    } finally {
      await other.close();
      await removeFolder(own);
    }
  });

  it("a locked key: its passphrase is asked for, a wrong one is said to be wrong, the right one opens", async () => {
    const key = makeKey(join(farFolder, "locked_key"), "hush7q open sesame");
    sshd.authorize(key);
    await begin([{ name: "gpu-test", key }]);
    await begins("gpu-test");
    await dialog().getByRole("button", { name: "Trust and connect" }).click();
    const field = dialog().getByLabel("Passphrase", { exact: true });
    await field.waitFor();
    expect(await field.getAttribute("type")).toBe("password");
    await field.fill("hush7q open barley");
    await page.keyboard.press("Enter");
    await dialog().getByText("That passphrase does not open the key.").waitFor();
    expect(await field.inputValue()).toBe("");
    await field.fill("hush7q open sesame");
    await page.keyboard.press("Enter");
    await run("far one").waitFor(patience);
  });

  it.skipIf(!isRoot)(
    "a second factor: the server's own question stands in the dialog, and its answer opens",
    async () => {
      const own = scratch();
      const other = await Sshd.start(own, { password: "hush7q 123456", asksAfterKey: true });
      try {
        writeRun(other.root, {
          id: "20260109_000000_fa0008",
          path: "two",
          alias: "behind two",
          status: "finished",
        });
        await begin([{ name: "strict", port: other.port, user: other.username, key: other.key }]);
        await begins("strict");
        await dialog().getByRole("button", { name: "Trust and connect" }).click();
        await dialog().getByRole("heading", { name: /asks/ }).waitFor();
        const field = dialog().getByLabel("Password", { exact: true });
        expect(await field.getAttribute("type")).toBe("password");
        expect(await dialog().getByRole("checkbox").count()).toBe(0);
        await field.fill("hush7q 123456");
        await page.keyboard.press("Enter");
        await run("behind two").waitFor(patience);
      } finally {
        await other.close();
        await removeFolder(own);
      }
    },
  );

  it.skipIf(pythons === undefined)(
    "a Python viewer of an environment there: chosen, started, opened in the browser",
    async () => {
      mkdirSync(join(sshd.home, "venvs"), { recursive: true });
      const place = join(sshd.home, "venvs/rn7");
      if (!existsSync(place)) symlinkSync(join(pythons ?? "", "rn7"), place);
      await begin([{ name: "gpu-test" }]);
      await openHosts();
      await server("gpu-test").click();
      await detail("gpu-test").getByRole("button", { name: "Connect with options…" }).click();
      await dialog().getByRole("button", { name: "Trust and connect" }).click();
      await dialog().getByLabel("Storage folder").fill(sshd.root, patience);
      await dialog().getByRole("radio", { name: "Python environment" }).check();
      const choice = dialog().getByRole("radio", { name: /^rn7 .*0\.7\.2$/ });
      await choice.check(patience);
      await dialog().getByRole("button", { name: "Show the runs" }).click();
      await expect.poll(() => dialog().count(), patience).toBe(0);
      await expect.poll(() => new URL(page.url()).search).toBe("?selected=ssh%3Agpu-test");
      const facts = detail("gpu-test").getByRole("article");
      await expect.poll(() => facts.innerText(), patience).toContain("Python viewer 0.7.2 · rn7");
      await facts.getByText("A Python viewer has its own page, which opens in the browser.").waitFor();
      const sessions = (await (await fetch(`${viewer.address}/api/remote/viewer/sessions`)).json()) as {
        sessions: { localPort: number; condaEnv: string }[];
      };
      const [session] = sessions.sessions;
      expect(session?.condaEnv).toBe("rn7");
      const list = (await (await fetch(`http://127.0.0.1:${session?.localPort}/api/runs`)).json()) as {
        alias: string;
      }[];
      expect(list.map((one) => one.alias)).toContain("far one");
    },
  );

  it("another key than before is a red stop with both fingerprints and a second step", async () => {
    await begin([{ name: "moved" }]);
    await connect("moved");
    const before = sshd.fingerprint();
    await page.goto(`${viewer.address}/hosts?selected=ssh:moved`);
    await detail("moved").getByRole("button", { name: "Stop" }).click();
    await expect.poll(() => server("moved").innerText()).toMatch(/Not connected|Signed in/);
    await sshd.changeHostKey();
    await expect.poll(() => server("moved").innerText(), patience).toContain("Not connected");
    await detail("moved").getByRole("button", { name: "Connect", exact: true }).click();
    await dialog()
      .getByRole("heading", { name: /has changed$/ })
      .waitFor(patience);
    await dialog().getByText(before, { exact: true }).waitFor();
    await dialog().getByText(sshd.fingerprint(), { exact: true }).waitFor();
    const replace = dialog().getByRole("button", { name: "Replace the key and connect" });
    expect(await replace.isDisabled()).toBe(true);
    expect(await dialog().getByRole("button", { name: "Trust and connect" }).count()).toBe(0);
    await dialog()
      .getByRole("checkbox", { name: /^I have compared/ })
      .check();
    await replace.click();
    await run("far one").waitFor(patience);
  });

  it("nothing is configured: the page teaches, and a typed server becomes one of the list", async () => {
    await begin([]);
    await page.goto(`${viewer.address}/hosts`);
    await page.getByRole("heading", { name: "Any server you can reach with SSH" }).waitFor();
    await page.getByRole("button", { name: "Add a server" }).click();
    const add = page.getByRole("dialog", { name: "Add a server" });
    await add.getByLabel("Address").fill("two words");
    await page.keyboard.press("Enter");
    await add.getByRole("alert").waitFor();
    await add.getByLabel("Address").fill(`ssh -p ${sshd.port} -i ${sshd.key} ${sshd.username}@127.0.0.1`);
    await add.getByLabel("Name").fill("by hand");
    await add.getByRole("button", { name: "Save and connect" }).click();
    await page.getByRole("button", { name: "Trust and connect" }).click();
    await run("far one").waitFor(patience);
    await openHosts();
    expect(await server("by hand").innerText()).toContain("saved");
    await detail("by hand").getByRole("button", { name: "More actions" }).first().click();
    await page.getByRole("menuitem", { name: "Edit…" }).click();
    await page.getByLabel("Name").fill("renamed");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await server("renamed").waitFor();
    await detail("renamed").getByRole("button", { name: "More actions" }).first().click();
    await page.getByRole("menuitem", { name: "Remove from the saved ones" }).click();
    await expect.poll(() => server("renamed").count()).toBe(0);
  });

  it("an address of a host that nobody knows says so and leads to the hosts", async () => {
    await begin([{ name: "gpu-test" }]);
    await page.goto(`${viewer.address}/at/ssh:nope/runs`);
    await page.getByRole("heading", { name: "There is no host called nope" }).waitFor();
    await page.getByRole("button", { name: "All hosts…" }).click();
    await servers().waitFor();
  });

  it("the server's list of hosts fails: its words, and another try", async () => {
    await begin([{ name: "gpu-test" }]);
    const asked = await refusedUntilClicked(page, "/api/hosts", { detail: "The list is damaged" });
    await page.goto(`${viewer.address}/hosts`);
    const alert = page.getByRole("alert");
    await expect.poll(() => alert.innerText()).toContain("The list is damaged");
    await alert.getByRole("button", { name: "Try again" }).click();
    await servers().waitFor();
    await asked();
  });

  it("speaks the reader's language", async () => {
    await begin([{ name: "gpu-test" }], { locale: "zh-CN" });
    await page.goto(`${viewer.address}/hosts`);
    const region = page.getByRole("region", { name: "服务器：gpu-test" });
    await region.getByRole("button", { name: "连接", exact: true }).click();
    await dialog()
      .getByRole("heading", { name: /^这真的是/ })
      .waitFor();
    await dialog().getByRole("button", { name: "信任并连接" }).click();
    await page.getByRole("grid", { name: "实验" }).waitFor(patience);
    await page.getByRole("button", { name: "主机：gpu-test" }).waitFor();
  });
});

it("a run of a hostile server is text and nothing else", { timeout: slow }, async () => {
  const alias = '<img src=x onerror="window.hacked=1"><a href="https://evil.example">x</a>';
  writeFarRun("20260108_000000_fa0007", 'far/"><script>', alias, 2);
  await begin([{ name: "gpu-test" }]);
  await connect("gpu-test");
  await run("<img src=x").waitFor();
  expect(await page.evaluate(() => "hacked" in window)).toBe(false);
  const links = await runs()
    .getByRole("link")
    .evaluateAll((all) => all.map((link) => (link as HTMLAnchorElement).href));
  expect(links.filter((href) => !href.startsWith(`${viewer.address}/at/ssh:gpu-test/run/`))).toEqual([]);
  expect(existsSync(join(sshd.root, "runs"))).toBe(true);
  await finish();
});
