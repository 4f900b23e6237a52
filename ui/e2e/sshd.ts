/** A real OpenSSH server on a free loopback port, with keys, a home and runs of its own. It ends with everything it began. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { hasSecret, searchProcess } from "./spilled";

const program = process.env.RUNICORN_SSHD ?? "/usr/sbin/sshd";

export const isRoot = process.getuid?.() === 0;

/** Runs a command to its end. */
function run(command: string, args: string[], input = ""): string {
  const done = spawnSync(command, args, { encoding: "utf8", input });
  if (done.status !== 0) throw new Error(`${command} ${args.join(" ")}: ${done.stderr || done.error}`);
  return done.stdout;
}

export function makeKey(path: string, passphrase = ""): string {
  rmSync(path, { force: true });
  rmSync(`${path}.pub`, { force: true });
  run("ssh-keygen", ["-q", "-t", "ed25519", "-N", passphrase, "-C", "e2e", "-f", path]);
  return path;
}

/** A port that nobody listens on now. */
export function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once("error", fail);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        typeof address === "object" && address ? done(address.port) : fail(new Error("no port")),
      );
    });
  });
}

export interface SshdOptions {
  /** Makes a user of its own with this password, which only root can. */
  password?: string;
  /** Asks for the password too after a key was accepted, in the server's own words, as a second factor does. */
  asksAfterKey?: boolean;
}

export class Sshd {
  port = 0;
  /** Where the user is at home over there. */
  readonly home: string;
  /** The storage root over there: what the SDK there writes to. */
  readonly root: string;
  /** The private key that is accepted. */
  readonly key: string;
  username = userInfo().username;
  #child: ChildProcess | null = null;
  #said: string[] = [];

  private constructor(
    readonly folder: string,
    readonly options: SshdOptions,
  ) {
    this.home = join(folder, "far-home");
    this.root = join(folder, "far-root");
    this.key = join(folder, "user_key");
  }

  static async start(folder: string, options: SshdOptions = {}): Promise<Sshd> {
    const sshd = new Sshd(folder, options);
    mkdirSync(sshd.home, { recursive: true });
    mkdirSync(sshd.root, { recursive: true });
    // Another user must get through to its home.
    chmodSync(folder, 0o755);
    makeKey(sshd.key);
    makeKey(join(folder, "host_key"));
    if (options.password !== undefined) sshd.#makeUser(options.password);
    await sshd.#listen();
    return sshd;
  }

  /** Accepts one more key. */
  authorize(key: string): void {
    appendFileSync(join(this.folder, "more_keys"), readFileSync(`${key}.pub`));
  }

  /** Another host key, shown from the next connection on. */
  async changeHostKey(): Promise<void> {
    await this.stop();
    makeKey(join(this.folder, "host_key"));
    await this.#listen();
  }

  /** SHA256 of the host key, as `ssh-keygen` tells it. */
  fingerprint(): string {
    return run("ssh-keygen", ["-l", "-f", join(this.folder, "host_key.pub")]).split(" ")[1] ?? "";
  }

  /** Cuts every connection, as a broken network does: what runs over there goes on. */
  cut(): void {
    for (const pid of family(this.#child?.pid)) if (nameOf(pid).startsWith("sshd")) end(pid);
  }

  /** The server and its connections are gone, as after a reboot or behind a pulled cable. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    this.#child = null;
    const ended = new Promise((done) => child.once("exit", done));
    for (const pid of [...family(child.pid), child.pid]) if (pid && nameOf(pid).startsWith("sshd")) end(pid);
    await ended;
  }

  async startAgain(): Promise<void> {
    await this.#listen();
  }

  /** Ends the server, and every process over there that still has its home. */
  async close(): Promise<void> {
    await this.stop();
    for (const pid of processesAtHome(this.home)) {
      searchProcess(pid);
      end(pid);
    }
    if (hasSecret(this.#said.join(""))) throw new Error("sshd was told a secret where it does not belong");
    if (this.options.password !== undefined) spawnSync("userdel", [this.username]);
  }

  /** What still runs over there for this user. */
  leftovers(): number[] {
    return processesAtHome(this.home);
  }

  #makeUser(password: string): void {
    this.username = `rcui${process.pid}`;
    const hash = run("openssl", ["passwd", "-6", "-stdin"], password).trim();
    run("useradd", [
      "--no-create-home",
      "--home-dir",
      this.home,
      "--shell",
      "/bin/sh",
      "--password",
      hash,
      this.username,
    ]);
    const uid = Number(run("id", ["-u", this.username]));
    for (const path of [this.home, this.root]) chownSync(path, uid, uid);
  }

  #config(): string {
    const lines = [
      `HostKey ${join(this.folder, "host_key")}`,
      `AuthorizedKeysFile ${join(this.folder, "user_key.pub")} ${join(this.folder, "more_keys")}`,
      `ListenAddress 127.0.0.1:${this.port}`,
      "PidFile none",
      "StrictModes no",
      "UseDNS no",
      "PermitRootLogin yes",
      ...(this.options.asksAfterKey
        ? [
            "UsePAM yes",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication yes",
            "AuthenticationMethods publickey,keyboard-interactive",
          ]
        : [
            "UsePAM no",
            `PasswordAuthentication ${this.options.password === undefined ? "no" : "yes"}`,
            "KbdInteractiveAuthentication no",
          ]),
      "PrintMotd no",
      "PrintLastLog no",
      "MaxStartups 100",
      "MaxSessions 100",
      "Subsystem sftp internal-sftp",
      `SetEnv HOME=${this.home} XDG_CACHE_HOME=${this.home}/.cache XDG_CONFIG_HOME=${this.home}/.config XDG_DATA_HOME=${this.home}/.local RUNICORN_DIR=${this.root}`,
    ];
    const path = join(this.folder, "sshd_config");
    writeFileSync(path, `${lines.join("\n")}\n`);
    return path;
  }

  /** On the port that it had, else on a free one; somebody else may take that first. */
  async #listen(): Promise<void> {
    if (isRoot) mkdirSync("/run/sshd", { recursive: true });
    for (let tries = 0; tries < 20; tries += 1) {
      const first = this.port === 0;
      if (first) this.port = await freePort();
      if (await this.#launch()) return;
      if (first) this.port = 0;
    }
    throw new Error(`sshd does not start: ${this.#said.join("")}`);
  }

  #launch(): Promise<boolean> {
    if (!existsSync(program)) throw new Error(`openssh-server is needed: ${program} is not there`);
    const child = spawn(program, ["-D", "-e", "-f", this.#config()], { stdio: ["ignore", "ignore", "pipe"] });
    this.#said = [];
    return new Promise((done, fail) => {
      child.once("error", fail);
      child.once("exit", () => done(false));
      child.stderr?.on("data", (bytes: Buffer) => {
        this.#said.push(bytes.toString());
        if (!this.#said.join("").includes("Server listening on")) return;
        this.#child = child;
        done(true);
      });
    });
  }
}

const statOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return "";
  }
};
const nameOf = (pid: number): string => /\((.*)\)/s.exec(statOf(pid))?.[1] ?? "";
const parentOf = (pid: number): number => Number(/\) \S+ (\d+)/.exec(statOf(pid))?.[1] ?? 0);
const allPids = (): number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

/** Every process below one. */
function family(pid: number | undefined): number[] {
  if (pid === undefined) return [];
  const parents = new Map(allPids().map((one) => [one, parentOf(one)]));
  const below = [pid];
  for (let at = 0; at < below.length; at += 1) {
    for (const [one, parent] of parents) if (parent === below[at]) below.push(one);
  }
  return below.slice(1);
}

/** Processes whose home is this folder of ours: nobody else's can be. */
function processesAtHome(home: string): number[] {
  return allPids().filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(`HOME=${home}`);
    } catch {
      return false;
    }
  });
}

function end(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
