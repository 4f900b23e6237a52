import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import errorSource from "../../../../crates/remote/src/error.rs?raw";
import { ApiError } from "../../api/client";
import type { Live } from "../../api/live.svelte";
import type { HostEntry } from "../../state/host_facts";
import { mergedHosts } from "../../state/host_facts";
import { host, session } from "../../state/host_samples";
import { Hosts } from "../../state/hosts.svelte";
import { adviceOf, hostsTexts } from "../../text/hosts";
import { hostsEn } from "../../text/hosts_en";
import { hostsZh } from "../../text/hosts_zh";
import {
  ConnectFlow,
  connectionIdOf,
  loginBody,
  type Step,
  startBody,
  stepOf,
  usualWish,
} from "./connect_flow.svelte";
import { diagnosticsOf } from "./diagnostics";
import { childOf, parentOf } from "./far_path";
import { orderedHosts } from "./host_order";
import { readAddress, sshCommand } from "./server_address";
import { furthest, phaseOf, STAGES, stageLines, stageWord } from "./stages";

const entry = (members: Parameters<typeof host>[1] = {}): HostEntry =>
  mergedHosts([host("ssh:gpu", members)])[0] as HostEntry;

/** Every code that the crate for other machines can give, read from its source. */
const codes = [...errorSource.matchAll(/=> "([A-Z][A-Z_]+)"/g)].map((found) => found[1] as string);

describe("advice", () => {
  it("stands for every code that a connection can fail with, in each language", () => {
    expect(codes.length).toBeGreaterThan(30);
    for (const [language, words] of Object.entries(hostsTexts)) {
      const missing = codes.filter((code) => !Object.hasOwn(words.advice, code));
      expect(missing, language).toEqual([]);
    }
  });

  it("is there for no other: each line is about something that happens", () => {
    const ours = ["OTHER", "NO_ANSWER"];
    expect(
      Object.keys(hostsEn.advice).filter((code) => !codes.includes(code) && !ours.includes(code)),
    ).toEqual([]);
  });

  it("for an unknown code is the general one, never a member of objects", () => {
    expect(adviceOf(hostsEn, "SOMETHING_NEW")).toBe(hostsEn.advice.OTHER);
    expect(adviceOf(hostsEn, "constructor")).toBe(hostsEn.advice.OTHER);
  });
});

function sentences(part: unknown, place = ""): [string, string][] {
  if (typeof part === "string") return [[place, part]];
  return Object.entries(part as object).flatMap(([name, inner]) => sentences(inner, `${place}.${name}`));
}

it("the words say the same things in both languages, with the same values to put in", () => {
  const holes = (text: string) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();
  const chinese = new Map(sentences(hostsZh));
  for (const [place, sentence] of sentences(hostsEn)) {
    const other = chinese.get(place);
    expect(other, place).toBeDefined();
    expect(holes(other ?? ""), place).toEqual(holes(sentence));
    if (/[a-z]{3}/.test(sentence)) expect(other, place).not.toBe(sentence);
  }
  expect(chinese.size).toBe(sentences(hostsEn).length);
});

describe("stages", () => {
  const marks = (lines: ReturnType<typeof stageLines>) => lines.map((line) => line.mark[0]).join("");

  it("are done before the one that is under way", () => {
    expect(marks(stageLines("authenticating"))).toBe("ddddntttt");
    expect(marks(stageLines(null))).toBe("ntttttttt");
    expect(marks(stageLines("running"))).toBe("ddddddddd");
    expect(marks(stageLines("nonsense"))).toBe("ntttttttt");
  });

  it("end with a cross where it failed", () => {
    expect(marks(stageLines("running", "host_key"))).toBe("dddfttttt");
  });

  it("never go back, and a new session's stage counts before its connection's", () => {
    expect(furthest("checking", "resolving")).toBe("checking");
    expect(furthest("checking", "starting")).toBe("starting");
    const connection = { connection_id: "x", connected: true, phase: "running" as const, error: null };
    const rising = session("new", { status: "connecting", phase: "installing", startedAt: 9 });
    const older = session("old", { status: "connecting", phase: "checking", startedAt: 1 });
    expect(phaseOf(entry({ connection, sessions: [older, rising] }))).toBe("installing");
    expect(phaseOf(entry({ connection, sessions: [older, rising] }), new Set(["old", "new"]))).toBe(
      "running",
    );
    expect(phaseOf(null)).toBeNull();
  });

  it("have a word in each language; later states are shown as they are", () => {
    for (const words of Object.values(hostsTexts)) {
      for (const stage of STAGES) expect(stageWord(words, stage).length).toBeGreaterThan(0);
    }
    expect(stageWord(hostsEn, "half_open")).toBe("half open");
  });
});

describe("what people type to name a server", () => {
  it.each([
    ["me@gpu", { username: "me", host: "gpu", port: 22 }],
    ["gpu", { username: "", host: "gpu", port: 22 }],
    ["me@gpu:2222", { username: "me", host: "gpu", port: 2222 }],
    ["me@[::1]:2222", { username: "me", host: "::1", port: 2222 }],
    ["me@fe80::1", { username: "me", host: "fe80::1", port: 22 }],
    ["ssh://me@gpu:2222/", { username: "me", host: "gpu", port: 2222 }],
    ["ssh -p 2222 me@gpu", { username: "me", host: "gpu", port: 2222 }],
    ["ssh -p2222 -l me gpu uptime", { username: "me", host: "gpu", port: 2222 }],
    ["ssh -i ~/.ssh/k -L 1:a:1 -v me@gpu", { username: "me", host: "gpu", port: 22, keyPath: "~/.ssh/k" }],
    ["me@corp@gpu", { username: "me@corp", host: "gpu", port: 22 }],
  ])("%s", (text, found) => {
    expect(readAddress(text)).toMatchObject(found);
  });

  it.each([
    "",
    "  ",
    "me@",
    "me@gpu:",
    "me@gpu:0",
    "me@gpu:99999",
    "me@gpu:x",
    "two words",
    "-oProxyCommand=x",
    "me@-x",
    "me@a;id",
    "$(id)@gpu",
  ])("%j names none", (text) => {
    expect(readAddress(text)).toBeNull();
  });

  it("is the command that does the same", () => {
    expect(sshCommand(host("ssh:gpu"))).toBe("ssh gpu");
    expect(sshCommand(host("saved:1", { host: "h", port: 2222, source: "saved" }))).toBe("ssh -p 2222 me@h");
  });
});

it("far folders lead in and out again", () => {
  expect(childOf("/", "a")).toBe("/a");
  expect(childOf("/a", "b c")).toBe("/a/b c");
  expect(parentOf("/a/b/")).toBe("/a");
  expect(parentOf("/a")).toBe("/");
  expect(parentOf("/")).toBeNull();
  expect(parentOf("~")).toBeNull();
});

it("servers stand with what is connected first, then what was used last, then as the config has them", () => {
  const hosts = mergedHosts([
    host("ssh:z"),
    host("ssh:b", { last_seen_at: 5 }),
    host("ssh:a", { last_seen_at: 9 }),
    host("ssh:y"),
    host("ssh:on", { sessions: [session("s")], last_seen_at: 1 }),
  ]);
  const names = (list: HostEntry[]) => list.map((one) => one.name).join(" ");
  expect(names(orderedHosts(hosts, null))).toBe("on a b z y");
  expect(names(orderedHosts(hosts, { key: "name", descending: true }))).toBe("z y on b a");
  expect(names(orderedHosts(hosts, { key: "nonsense", descending: false }))).toBe("on a b z y");
});

describe("diagnostics", () => {
  it("tell stage, code, reason and session, and nothing that was typed", () => {
    const trouble = {
      code: "AUTHENTICATION_FAILED",
      detail: "gpu did not accept me",
      phase: "authenticating",
    };
    const text = diagnosticsOf({
      host: {
        ...entry({ jump: ["bastion"], notes: ["Match exec is never run"] }),
        password: "hunter2",
      } as HostEntry,
      trouble,
      session: session("ab12cd34", { latencyMs: 18.4 }),
      version: "0.1.0",
      now: new Date(0),
    });
    for (const part of [
      "1970-01-01",
      "me@gpu:22",
      "bastion",
      "authenticating",
      "AUTHENTICATION_FAILED",
      "ab12cd34",
      "18 ms",
    ]) {
      expect(text).toContain(part);
    }
    expect(text).not.toContain("hunter2");
  });
});

describe("what is asked of the server", () => {
  const saved = { ...entry(), savedId: "7" };

  it("is what was shown the last time, else our viewer on the server's own folder", () => {
    expect(usualWish(entry())).toMatchObject({ root: "", viewer: "auto", environment: null });
    const python = entry({ last_viewer: "python", last_environment: "torch", last_root: "/r" });
    expect(usualWish(python)).toMatchObject({ root: "/r", viewer: "python", environment: "torch" });
  });

  it("names the saved server, so that its secrets are used, and only what was given", () => {
    expect(loginBody(entry(), {})).toEqual({ host: "gpu", port: 22, username: "me", use_agent: true });
    expect(loginBody(saved, { password: "p" })).toMatchObject({ saved_server_id: "7", password: "p" });
    const wish = { ...usualWish(entry()), localPort: 8081 };
    const body = startBody(entry(), {}, wish);
    expect(body).toMatchObject({ remote_root: "", viewer: "auto", local_port: 8081 });
    expect(Object.keys(body)).not.toContain("remote_port");
    expect(Object.keys(body)).not.toContain("conda_env");
    expect(connectionIdOf(entry())).toBe("me@gpu:22");
  });
});

describe("a refusal", () => {
  const refuse = (status: number, code: string, body: object = {}) =>
    stepOf(new ApiError(status, code, "why", { detail: "why", ...body }));

  it.each([
    [401, "AUTHENTICATION_FAILED", {}, "password"],
    [401, "PASSPHRASE_REQUIRED", {}, "passphrase"],
    [401, "PASSPHRASE_WRONG", {}, "passphrase"],
    [409, "HOST_KEY_CONFIRMATION_REQUIRED", { detail: { host_key: { host: "gpu" } } }, "host_key"],
    [409, "AUTH_PROMPT_REQUIRED", { detail: { prompts: [] } }, "prompt"],
    [409, "AUTH_PROMPT_REQUIRED", {}, "failed"],
    [502, "CONNECTION_REFUSED", {}, "failed"],
  ])("%i %s asks or ends: %#", (status, code, body, kind) => {
    expect(refuse(status, code, body).kind).toBe(kind);
  });

  it("keeps its stage and the end of the log, whatever else went wrong is told as it is", () => {
    expect(refuse(502, "VIEWER_FAILED", { phase: "starting", details: "Traceback" })).toMatchObject({
      trouble: { code: "VIEWER_FAILED", phase: "starting", log: "Traceback" },
    });
    expect(stepOf(new TypeError("odd"))).toMatchObject({ kind: "failed", trouble: { detail: "odd" } });
  });
});

describe("an attempt", () => {
  interface Sent {
    path: string;
    body: Record<string, unknown>;
  }
  let sent: Sent[];
  let replies: (Response | Error)[];
  let hosts: Hosts;

  const ok = (body: object) => new Response(JSON.stringify(body));
  const no = (status: number, code: string, detail: unknown = "why") =>
    new Response(JSON.stringify({ detail, code }), { status });
  const done = ok.bind(null, { session: session("ab12cd34") });

  beforeEach(() => {
    sent = [];
    replies = [];
    hosts = new Hosts({ state: "live" } as unknown as Live);
    vi.stubGlobal("fetch", async (path: string, init: RequestInit) => {
      if (path === "/api/hosts")
        return ok({ hosts: [], keyring: { kind: "session", detail: null }, notes: [] });
      sent.push({ path, body: init.body ? JSON.parse(String(init.body)) : {} });
      const reply = replies.shift();
      if (reply instanceof Error) throw reply;
      return reply ?? ok({});
    });
  });
  afterEach(() => vi.unstubAllGlobals());

  it("that meets no question is one request", async () => {
    replies = [done()];
    const flow = new ConnectFlow(entry(), hosts, { kind: "open" });
    await flow.go();
    expect(flow.step).toMatchObject({ kind: "done", session: { sessionId: "ab12cd34" } });
    expect(sent.map((one) => one.path)).toEqual(["/api/remote/viewer/start"]);
  });

  it("goes through a host key and two rounds of questions to the viewer", async () => {
    const key = {
      host: "gpu",
      port: 22,
      key_type: "ssh-ed25519",
      public_key: "k",
      fingerprint_sha256: "f",
      randomart: "",
    };
    const prompt = (id: string) => ({
      code: "AUTH_PROMPT_REQUIRED",
      prompt_id: id,
      prompts: [{ text: "Code", echo: true }],
    });
    replies = [
      no(409, "HOST_KEY_CONFIRMATION_REQUIRED", { host_key: key }),
      ok({}),
      no(409, "AUTH_PROMPT_REQUIRED", prompt("one")),
      no(409, "AUTH_PROMPT_REQUIRED", prompt("two")),
      ok({}),
      done(),
    ];
    const flow = new ConnectFlow(entry(), hosts, { kind: "open" });
    const asked = <Kind extends Step["kind"]>(kind: Kind): Extract<Step, { kind: Kind }> => {
      const step: Step = flow.step;
      if (step.kind !== kind) throw new Error(`it is at ${step.kind}`);
      return step as Extract<Step, { kind: Kind }>;
    };
    await flow.go();
    await flow.trust(asked("host_key").question);
    await flow.answer(asked("prompt").question, ["1"]);
    await flow.answer(asked("prompt").question, ["2"]);
    expect(flow.step.kind).toBe("done");
    expect(sent.map((one) => one.path.split("/").slice(3).join("/"))).toEqual([
      "viewer/start",
      "known-hosts/accept",
      "viewer/start",
      "connect/answer",
      "connect/answer",
      "viewer/start",
    ]);
    expect(sent[1]?.body).toEqual({
      host: "gpu",
      port: 22,
      key_type: "ssh-ed25519",
      public_key: "k",
      fingerprint_sha256: "f",
    });
    expect(sent[4]?.body).toEqual({ prompt_id: "two", answers: ["2"] });
  });

  it("keeps a password only when that was wanted, and only once it has opened the door", async () => {
    replies = [
      no(401, "AUTHENTICATION_FAILED"),
      no(401, "AUTHENTICATION_FAILED"),
      done(),
      ok({ connections: [{ id: "x" }] }),
    ];
    const flow = new ConnectFlow(entry(), hosts, { kind: "open" });
    await flow.go();
    expect(flow.step).toMatchObject({ kind: "password", refused: false });
    await flow.unlock("password", "wrong", true);
    expect(flow.step).toMatchObject({ kind: "password", refused: true });
    expect(sent.length).toBe(2);
    await flow.unlock("password", "right", true);
    expect(flow.step.kind).toBe("done");
    const kept = sent.at(-1);
    expect(kept?.path).toBe("/api/remote/connections/saved");
    expect(kept?.body).toMatchObject([
      { id: "x" },
      { name: "gpu", password: "right", authMethod: "password" },
    ]);
  });

  it("does not keep what was not to be kept", async () => {
    replies = [no(401, "AUTHENTICATION_FAILED"), done()];
    const flow = new ConnectFlow(entry(), hosts, { kind: "open" });
    await flow.go();
    await flow.unlock("password", "right", false);
    expect(flow.step.kind).toBe("done");
    expect(sent.map((one) => one.path)).not.toContain("/api/remote/connections/saved");
  });

  it("with options signs in first and starts what was chosen", async () => {
    replies = [ok({ ok: true }), done()];
    const flow = new ConnectFlow(entry(), hosts, { kind: "options" });
    await flow.go();
    expect(flow.step.kind).toBe("options");
    await flow.show({ ...flow.wish, root: "/r", viewer: "python", environment: "torch" });
    expect(sent[1]).toMatchObject({
      path: "/api/remote/viewer/start",
      body: { remote_root: "/r", viewer: "python", conda_env: "torch" },
    });
  });

  it("to make a session again asks for what is missing and then makes that one again", async () => {
    replies = [no(401, "AUTHENTICATION_FAILED"), ok({}), ok(session("ab12cd34"))];
    const flow = new ConnectFlow(entry(), hosts, { kind: "again", session: "ab12cd34" });
    await flow.go();
    await flow.unlock("password", "p", false);
    expect(flow.step.kind).toBe("done");
    expect(sent.map((one) => one.path)).toEqual([
      "/api/hosts/sessions/ab12cd34/reconnect",
      "/api/remote/connect",
      "/api/hosts/sessions/ab12cd34/reconnect",
    ]);
  });

  it("that is stopped ends what it began, and its late answer changes nothing", async () => {
    let reply: (response: Response) => void = () => {};
    const rising = session("cccc0001", { status: "connecting", phase: "starting" });
    vi.stubGlobal("fetch", async (path: string, init: RequestInit) => {
      sent.push({ path, body: init.body ? JSON.parse(String(init.body)) : {} });
      if (path === "/api/hosts") return ok({ hosts: [], keyring: { kind: "session" }, notes: [] });
      if (path.endsWith("/start")) return new Promise<Response>((answer) => (reply = answer));
      return ok({});
    });
    const own = entry();
    const flow = new ConnectFlow(own, hosts, { kind: "open" });
    const going = flow.go();
    hosts.value = {
      hosts: [{ ...own, sessions: [rising] }],
      keyring: { kind: "session", detail: null },
      notes: [],
      local_user: "me",
    };
    await flow.cancel();
    reply(done());
    await going;
    expect(flow.step.kind).toBe("busy");
    expect(sent.find((one) => one.path === "/api/remote/viewer/stop")?.body).toEqual({
      session_id: "cccc0001",
    });
  });
});
