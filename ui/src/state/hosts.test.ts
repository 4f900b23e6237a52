import { flushSync } from "svelte";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Host, HostsAnswer } from "../api/hosts";
import type { Live, LiveFrame } from "../api/live.svelte";
import { AllRuns } from "./all_runs.svelte";
import {
  addressOf,
  deedOf,
  fitsHost,
  type HostEntry,
  hostState,
  hostTrouble,
  localAddress,
  machineOf,
  mergedHosts,
  remotesOf,
  sessionState,
} from "./host_facts";
import { host, session } from "./host_samples";
import { Hosts } from "./hosts.svelte";
import { RunList } from "./run_list.svelte";

const entries = (...hosts: Host[]): HostEntry[] => mergedHosts(hosts);

describe("hosts from several sources", () => {
  it("are one line when they are the same person on the same server, with what each knows", () => {
    const saved = host("saved:7", {
      name: "Lab",
      host: "gpu",
      source: "saved",
      saved_server_id: "7",
      has_password: true,
    });
    const recent = host("recent:me@gpu:22", {
      host: "GPU",
      source: "recent",
      last_seen_at: 9,
      last_root: "/r",
    });
    const merged = mergedHosts([recent, saved, host("ssh:gpu"), host("ssh:other")]);
    expect(merged.map((one) => one.id)).toEqual(["ssh:gpu", "ssh:other"]);
    expect(merged[0]).toMatchObject({
      name: "gpu",
      savedId: "7",
      has_password: true,
      last_seen_at: 9,
      last_root: "/r",
    });
    expect(merged[1]?.savedId).toBeNull();
  });

  it("stay apart for another user or port, and keep every session once", () => {
    const one = host("ssh:gpu", { sessions: [session("a")] });
    const same = host("recent:me@gpu:22", {
      host: "gpu",
      source: "recent",
      sessions: [session("a"), session("b")],
    });
    const root = host("saved:2", { host: "gpu", username: "root", source: "saved" });
    const port = host("saved:3", { host: "gpu", port: 2222, source: "saved" });
    const merged = mergedHosts([one, same, root, port]);
    expect(merged.map((entry) => entry.sessions.map((its) => its.sessionId))).toEqual([["a", "b"], [], []]);
  });
});

describe("how a host stands", () => {
  const connection = { connection_id: "me@gpu:22", connected: false, phase: "failed" as const, error: null };
  const trouble = { code: "TIMEOUT", detail: "too slow", phase: "connecting" };

  it.each([
    ["never reached", {}, "idle"],
    ["on its way", { connection: { ...connection, phase: "authenticating" as const } }, "connecting"],
    [
      "lost, and no session needs it",
      { connection: { ...connection, phase: "reconnecting" as const } },
      "idle",
    ],
    ["signed in, no viewer", { connection: { ...connection, connected: true } }, "signed_in"],
    ["failed", { connection: { ...connection, phase: "failed" as const, error: trouble } }, "failed"],
    [
      "asked a question that nobody answered",
      { connection: { ...connection, error: { ...trouble, code: "HOST_KEY_CONFIRMATION_REQUIRED" } } },
      "idle",
    ],
    ["running", { sessions: [session("a")] }, "connected"],
    [
      "running beside a broken one",
      { sessions: [session("b", { status: "stopped" }), session("a")] },
      "connected",
    ],
    ["making its link again", { sessions: [session("a", { status: "reconnecting" })] }, "reconnecting"],
    ["in need of a person", { sessions: [session("a", { status: "disconnected" })] }, "disconnected"],
    ["stopped with an error", { sessions: [session("a", { status: "stopped", error: trouble })] }, "failed"],
  ])("%s", (_, members, state) => {
    expect(hostState(host("ssh:gpu", members))).toBe(state);
  });

  it("tells its trouble only while something is wrong", () => {
    expect(
      hostTrouble(host("ssh:gpu", { sessions: [session("a", { status: "disconnected", error: trouble })] })),
    ).toBe(trouble);
    expect(hostTrouble(host("ssh:gpu", { sessions: [session("a", { error: trouble })] }))).toBeNull();
  });

  it("is something a program of a newer version may say otherwise", () => {
    expect(sessionState(session("a", { status: "paused" as never }))).toBe("idle");
  });

  it.each([
    [{}, "connect"],
    [{ sessions: [session("a")] }, "open"],
    [{ sessions: [session("a", { status: "disconnected" })] }, "sign_in"],
    [{ sessions: [session("a", { viewer: "python" })] }, "browser"],
    [{ sessions: [session("a", { status: "connecting", phase: "starting" })] }, null],
    [{ sessions: [session("a", { status: "stopped" })] }, "connect"],
  ])("leads to one deed: %#", (members, deed) => {
    expect(deedOf(host("ssh:gpu", members))).toBe(deed);
  });
});

describe("the machine of an address", () => {
  const gpu = host("ssh:gpu", { sessions: [session("aaaa0001")] });
  const two = host("ssh:two", {
    sessions: [
      session("aaaa0002", { remoteRoot: "/data/one", startedAt: 1 }),
      session("aaaa0003", { remoteRoot: "/data/two/", startedAt: 2 }),
      session("aaaa0004", { viewer: "python" }),
      session("aaaa0005", { status: "stopped" }),
    ],
  });
  const known = entries(gpu, two, host("ssh:off"));

  it("is this one, all of them, or not known yet", () => {
    expect(machineOf("", null).kind).toBe("here");
    expect(machineOf("all", null).kind).toBe("all");
    expect(machineOf("ssh:gpu", null).kind).toBe("unknown");
  });

  it("is a session of a host: the named one, or the best one when that is gone", () => {
    const sessionOf = (place: string) => {
      const machine = machineOf(place, known);
      return machine.kind === "remote" ? machine.remote.session.sessionId : machine.kind;
    };
    expect(sessionOf("ssh:gpu")).toBe("aaaa0001");
    expect(sessionOf("ssh:two~aaaa0002")).toBe("aaaa0002");
    expect(sessionOf("ssh:two~0000dead")).toBe("aaaa0003");
    expect(sessionOf("ssh:two~aaaa0004")).toBe("aaaa0003");
    expect(sessionOf("ssh:off")).toBe("away");
  });

  it("is away when nobody knows it, and is called what people called it", () => {
    expect(machineOf("ssh:nope", known)).toMatchObject({ kind: "away", host: null, name: "nope" });
    expect(machineOf("ssh:off", known)).toMatchObject({ kind: "away", name: "off" });
  });

  it("is offered by name, with the folder where one host shows several", () => {
    expect(remotesOf(known).map((remote) => [remote.machine, remote.name])).toEqual([
      ["ssh:gpu", "gpu"],
      ["ssh:two~aaaa0003", "two · two"],
      ["ssh:two~aaaa0002", "two · one"],
    ]);
  });
});

it("hosts are found by every word, in name, address, user and way", () => {
  const [one] = entries(host("ssh:gpu-03", { address: "10.0.0.3", jump: ["bastion"] })) as [HostEntry];
  expect(fitsHost(one, "GPU 10.0")).toBe(true);
  expect(fitsHost(one, "bastion me")).toBe(true);
  expect(fitsHost(one, "gpu other")).toBe(false);
  expect(fitsHost(one, "")).toBe(true);
  expect(addressOf(host("ssh:a", { address: "", port: 2222 }))).toBe("me@a:2222");
});

it("a session's address is made of its port, whatever its url says", () => {
  expect(localAddress(session("a", { url: "https://evil.example", localPort: 8090 }))).toBe(
    "http://localhost:8090",
  );
});

class FakeLive {
  state = "live";
  listeners = new Set<(frame: LiveFrame) => void>();
  listen(listener: (frame: LiveFrame) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
  tell(frame: LiveFrame): void {
    for (const listener of this.listeners) listener(frame);
  }
}

const answer = (...hosts: Host[]): Response =>
  new Response(
    JSON.stringify({
      hosts,
      keyring: { kind: "session", detail: null },
      notes: [],
      local_user: "me",
    } satisfies HostsAnswer),
  );

describe("the list of hosts", () => {
  const asked = vi.fn<(address: string) => Promise<Response>>();
  let live: FakeLive;
  let hosts: Hosts;
  let stop: () => void = () => {};

  beforeEach(() => {
    live = new FakeLive();
    hosts = new Hosts(live as unknown as Live);
    vi.stubGlobal("fetch", asked);
    asked.mockReset();
  });
  afterEach(() => {
    stop();
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  it("is asked for again after a live event, once for many", async () => {
    let reply: (response: Response) => void = () => {};
    asked.mockImplementationOnce(() => new Promise((done) => (reply = done)));
    asked.mockImplementation(async () => answer(host("ssh:gpu", { sessions: [session("a")] })));
    stop = hosts.start();
    for (let n = 0; n < 5; n += 1) live.tell({ type: "hosts" });
    live.tell({ type: "runs", cursor: "1" });
    reply(answer(host("ssh:gpu")));
    await vi.waitFor(() => expect(hosts.remotes.length).toBe(1));
    expect(asked).toHaveBeenCalledTimes(2);
    expect(hosts.session("a")?.sessionId).toBe("a");
  });

  it("stays on screen while the server does not answer, and says so", async () => {
    asked.mockResolvedValueOnce(answer(host("ssh:gpu")));
    stop = hosts.start();
    await vi.waitFor(() => expect(hosts.waiting).toBe(false));
    asked.mockRejectedValueOnce(new TypeError("Failed to fetch"));
    await hosts.refresh();
    expect(hosts.list?.length).toBe(1);
    expect(hosts.error).toMatchObject({ code: "NO_ANSWER" });
  });

  it("is asked for figures only while somebody looks and there is a session", async () => {
    vi.useFakeTimers();
    asked.mockImplementation(async () => answer(host("ssh:gpu", { sessions: [session("a")] })));
    stop = hosts.start();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked).toHaveBeenCalledTimes(1);
    const rest = hosts.watchFigures(2_000);
    await vi.advanceTimersByTimeAsync(6_500);
    expect(asked).toHaveBeenCalledTimes(4);
    rest();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked.mock.calls.length).toBeLessThanOrEqual(5);
  });
});

describe("the runs of all hosts", () => {
  const list = (id: string, rows: unknown[][]) => ({
    cursor: "1",
    full: true,
    storage: { root: `/${id}`, state: "ok" },
    fields: ["id", "created_at"],
    rows,
    removed: [],
  });
  let live: FakeLive;
  let all: AllRuns;

  class DeafSocket {
    onclose = null;
    close(): void {}
    send(): void {}
  }

  beforeEach(() => {
    live = new FakeLive();
    vi.stubGlobal("WebSocket", DeafSocket);
  });
  afterEach(() => {
    all.stop();
    vi.unstubAllGlobals();
  });

  it("are one list: the same id on two machines is two runs, and a machine that is away keeps its last rows", async () => {
    vi.stubGlobal("fetch", async (address: string) => {
      if (address.includes("run-list-cached")) {
        return new Response(JSON.stringify({ answer: list("b", [["x", 3]]), age_secs: 60 }));
      }
      if (address.includes("bbbb0002")) return new Response("{}", { status: 502 });
      return new Response(JSON.stringify(list("a", [["x", 1]])));
    });
    const up = host("ssh:up", { sessions: [session("aaaa0001")] });
    const down = host("ssh:down", { sessions: [session("bbbb0002", { status: "reconnecting" })] });
    const once = host("ssh:once", { last_seen_at: 5 });
    const hosts = new Hosts(live as unknown as Live);
    hosts.value = {
      local_user: "me",
      hosts: [up, down, once, host("ssh:never")],
      keyring: { kind: "session", detail: null },
      notes: [],
    };
    const home = new RunList(live as unknown as Live);
    all = new AllRuns(home);
    await home.refresh();
    all.follow(hosts);
    await vi.waitFor(() => expect(all.rows.length).toBe(4));
    flushSync();
    expect(all.rows.map((row) => [row.key, row.origin.name, row.origin.isReachable])).toEqual([
      ["x", "", true],
      ["ssh:up x", "up", true],
      ["ssh:down x", "down", false],
      ["ssh:once x", "once", false],
    ]);
    expect(all.byKey.get("ssh:up x")?.origin.api.base).toBe("/api/hosts/aaaa0001/at");
    expect(all.error).toBeNull();

    hosts.value = { ...hosts.value, hosts: [up] };
    all.follow(hosts);
    expect(all.lists.map((one) => one.name)).toEqual(["", "up"]);
  });
});
