/** A real viewer on a copy of a recorded storage root, and a real browser on it. Everything ends with the test. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { hasSecret, searchFolder, searchProcess } from "./spilled";

const repository = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

/** A folder of its own for one test file. */
export function scratch(): string {
  return mkdtempSync(join(tmpdir(), "runicorn-e2e-"));
}

const texts = /\.(json|jsonl|deleted)$|^\.deleted$/;

/** Copies `fixtures/<name>/root`, as its README says: paths and host name become those of this machine. */
export function copyFixture(name: string, to: string): string {
  cpSync(join(repository, "fixtures", name, "root"), to, {
    recursive: true,
    filter: (path) => !/\.db(-wal|-shm)?$/.test(path),
  });
  const walk = (folder: string): void => {
    for (const entry of readdirSync(folder)) {
      const path = join(folder, entry);
      if (statSync(path).isDirectory()) walk(path);
      else if (texts.test(entry)) {
        const text = readFileSync(path, "latin1");
        const here = text.replaceAll("/tmp/fixture-root", to).replaceAll("fixture-host", hostname());
        if (here !== text) writeFileSync(path, here, "latin1");
      }
    }
  };
  walk(to);
  return to;
}

/** A generated root of many runs, by the same program that the benchmarks use. */
export function generateRoot(to: string, runs: number, rows = 20): string {
  const sizes = ["--runs", runs, "--rows", rows, "--metrics", 4, "--big-rows", 1000, "--wide", 20].map(
    String,
  );
  mkdirSync(dirname(to), { recursive: true });
  const made = spawnSync("python3", [join(repository, "crates/xtask/tools/make_storage.py"), to, ...sizes]);
  if (made.status !== 0) throw new Error(`make_storage.py: ${made.stderr}`);
  return to;
}

/** The viewer without what only debuggers read: a tenth of the bytes to look at and to carry to another machine. */
export function lightViewer(to: string): string {
  mkdirSync(to, { recursive: true });
  const light = join(to, "runicorn-viewer");
  const made = spawnSync("strip", ["-o", light, process.env.RUNICORN_VIEWER ?? ""]);
  // Without binutils the whole one is carried over.
  return made.status === 0 ? to : "";
}

export interface WrittenRun {
  id: string;
  path: string;
  alias?: string;
  tags?: string[];
  status?: string;
  createdAt?: number;
}

/** Writes the files of one run as the SDK does; the run belongs to this process, so a running one is alive. */
export function writeRun(root: string, run: WrittenRun): string {
  const dir = join(root, "runs", run.path, run.id);
  mkdirSync(dir, { recursive: true });
  const createdAt = run.createdAt ?? Date.now() / 1000;
  const meta = {
    id: run.id,
    path: run.path,
    alias: run.alias ?? null,
    tags: run.tags ?? [],
    created_at: createdAt,
    hostname: hostname(),
    pid: process.pid,
  };
  const status = { status: run.status ?? "running", started_at: createdAt };
  writeFileSync(join(dir, "meta.json"), JSON.stringify(meta));
  writeFileSync(join(dir, "status.json"), JSON.stringify(status));
  return dir;
}

export class Viewer {
  private constructor(
    readonly address: string,
    readonly root: string,
    readonly home: string,
    private readonly child: ChildProcess,
    private readonly said: string[],
  ) {}

  /** Starts the binary named by `RUNICORN_VIEWER` (on a free port unless one is given) and waits for its ready line. */
  static async start(root: string, home: string, port = 0): Promise<Viewer> {
    const binary = process.env.RUNICORN_VIEWER;
    if (!binary) throw new Error("RUNICORN_VIEWER must name the built runicorn-viewer");
    mkdirSync(home, { recursive: true });
    const child = spawn(
      binary,
      ["--storage", root, "--port", String(port), "--state-dir", join(home, "state")],
      {
        cwd: home,
        env: {
          PATH: process.env.PATH,
          HOME: home,
          XDG_CONFIG_HOME: join(home, "config"),
          XDG_CACHE_HOME: join(home, "cache"),
          XDG_DATA_HOME: join(home, "data"),
          // Who connects to servers that name nobody, and where the viewers for them lie when not beside this one.
          USER: "ada",
          ...(process.env.RUNICORN_VIEWERS ? { RUNICORN_VIEWERS: process.env.RUNICORN_VIEWERS } : {}),
        },
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    const said: string[] = [];
    child.stderr?.on("data", (bytes: Buffer) => said.push(bytes.toString()));
    const line = await firstLine(child, said);
    const { url } = JSON.parse(line) as { url: string };
    return new Viewer(url, root, home, child, said);
  }

  /** `~/.ssh/config` of the viewer's user, read anew each time that hosts are asked for. */
  static writeSshConfig(home: string, text: string): void {
    mkdirSync(join(home, ".ssh"), { recursive: true, mode: 0o700 });
    writeFileSync(join(home, ".ssh/config"), text, { mode: 0o600 });
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((done) => this.child.once("exit", done));
    searchProcess(this.child.pid);
    this.child.kill("SIGTERM");
    await ended;
    if (hasSecret(this.said.join(""))) throw new Error("the viewer printed a secret");
  }
}

function firstLine(child: ChildProcess, said: string[]): Promise<string> {
  return new Promise((done, fail) => {
    let text = "";
    child.stdout?.on("data", (bytes: Buffer) => {
      text += bytes.toString();
      const end = text.indexOf("\n");
      if (end >= 0) done(text.slice(0, end));
    });
    child.once("error", fail);
    child.once("exit", (code) => fail(new Error(`the viewer ended with ${code}: ${said.join("")}`)));
  });
}

const flags = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.RUNICORN_CHROMIUM ?? "/usr/bin/chromium",
    args: flags,
  });
}

export interface View {
  page: Page;
  /** Everything that the page complained about but the network: exceptions, refused content, failed scripts. */
  faults: string[];
  close: () => Promise<void>;
}

/** Longer than anything takes on a busy machine; reaching it is a failure. */
const patienceMillis = 30_000;

/** A fresh reader: own storage, own language and theme. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<View> {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    locale: "en-US",
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(patienceMillis);
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(error.stack ?? error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !/Failed to load resource|WebSocket connection to/.test(message.text()))
      faults.push(message.text());
  });
  return { page, faults, close: () => context.close() };
}

/** Removing the files of 10,000 runs takes a while on a busy disk: give the hook `removalMillis`. */
export const removalMillis = 600_000;

export async function removeFolder(folder: string): Promise<void> {
  if (existsSync(folder)) searchFolder(folder);
  await rm(folder, { recursive: true, force: true });
}
