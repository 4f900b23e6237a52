/** One attempt to reach a host, from the first try to its runs: every question on the way is a step of it. */
import { ApiError, here } from "../../api/client";
import type { HostKeyQuestion, PromptQuestion, Session, Trouble } from "../../api/hosts";
import type { HostEntry } from "../../state/host_facts";
import type { Hosts } from "../../state/hosts.svelte";
import { newServerId, saveServer } from "./saved_servers";

export type Step =
  | { kind: "busy" }
  | { kind: "host_key"; question: HostKeyQuestion }
  | { kind: "prompt"; question: PromptQuestion }
  /** `refused`: one was given already. */
  | { kind: "password"; trouble: Trouble; refused: boolean }
  | { kind: "passphrase"; trouble: Trouble; wrong: boolean }
  /** Signed in: what is to be shown? */
  | { kind: "options" }
  | { kind: "failed"; trouble: Trouble }
  | { kind: "done"; session: Session };

/** What is to be shown of the host; empty members are the far side's own choice. */
export interface Wish {
  root: string;
  viewer: "auto" | "bundled" | "python";
  environment: string | null;
  localPort: number | null;
  remotePort: number | null;
}

export interface Secrets {
  password?: string;
  passphrase?: string;
}

type SecretKind = keyof Secrets;

/** As it was shown the last time, else our viewer on the server's own folder. */
export function usualWish(host: HostEntry): Wish {
  const isPython = host.last_viewer === "python" && host.last_environment !== null;
  return {
    root: host.last_root ?? "",
    viewer: isPython ? "python" : "auto",
    environment: isPython ? host.last_environment : null,
    localPort: null,
    remotePort: null,
  };
}

/** Who to be where, and with what. */
export function loginBody(host: HostEntry, secrets: Secrets): Record<string, unknown> {
  return {
    host: host.host,
    port: host.port,
    username: host.username,
    use_agent: true,
    ...(host.savedId === null ? {} : { saved_server_id: host.savedId }),
    ...secrets,
  };
}

export function startBody(host: HostEntry, secrets: Secrets, wish: Wish): Record<string, unknown> {
  return {
    ...loginBody(host, secrets),
    remote_root: wish.root,
    viewer: wish.viewer,
    ...(wish.environment === null ? {} : { conda_env: wish.environment }),
    ...(wish.localPort === null ? {} : { local_port: wish.localPort }),
    ...(wish.remotePort === null ? {} : { remote_port: wish.remotePort }),
  };
}

export const connectionIdOf = (host: HostEntry): string => `${host.username}@${host.host}:${host.port}`;

/** What the documented routes say before the reason; the dialog says it in its title. */
const documented = /^(Connection failed|Failed to start Remote Viewer|Failed to connect): /;

/** What a refusal asks for, or that it is the end. */
export function stepOf(error: unknown, tried: Secrets = {}): Step {
  if (!(error instanceof ApiError)) {
    return {
      kind: "failed",
      trouble: { code: "OTHER", detail: error instanceof Error ? error.message : String(error) },
    };
  }
  const { code, body } = error;
  const detail = error.detail.replace(documented, "");
  const trouble: Trouble = { code, detail, phase: body?.phase ?? null };
  if (code === "VIEWER_FAILED" && body?.details) trouble.log = body.details;
  const question = (body?.detail ?? {}) as { host_key?: HostKeyQuestion } & PromptQuestion;
  switch (code) {
    case "HOST_KEY_CONFIRMATION_REQUIRED":
      return question.host_key
        ? { kind: "host_key", question: question.host_key }
        : { kind: "failed", trouble };
    case "AUTH_PROMPT_REQUIRED":
      return Array.isArray(question.prompts) ? { kind: "prompt", question } : { kind: "failed", trouble };
    case "AUTHENTICATION_FAILED":
      return { kind: "password", trouble, refused: tried.password !== undefined };
    case "PASSPHRASE_REQUIRED":
    case "PASSPHRASE_WRONG":
      return { kind: "passphrase", trouble, wrong: code === "PASSPHRASE_WRONG" };
    default:
      return { kind: "failed", trouble };
  }
}

export type Goal = { kind: "open" } | { kind: "options" } | { kind: "again"; session: string };

export class ConnectFlow {
  step = $state.raw<Step>({ kind: "busy" });
  wish: Wish;
  /** Sessions that were there before: a new one is this attempt's. */
  readonly before: ReadonlySet<string>;

  #secrets: Secrets = {};
  #remember = new Set<SecretKind>();
  #flight: AbortController | null = null;
  #signedIn = false;

  constructor(
    readonly host: HostEntry,
    readonly hosts: Hosts,
    public goal: Goal,
  ) {
    this.wish = usualWish(host);
    this.before = new Set(host.sessions.map((session) => session.sessionId));
    this.#signedIn = host.connection?.connected ?? false;
  }

  /** Tries with what is known now. */
  async go(): Promise<void> {
    await this.#attempt(async (signal) => {
      if (this.goal.kind === "options") return this.#signIn(signal);
      if (this.goal.kind === "again") return this.#again(this.goal.session, signal);
      const body = startBody(this.host, this.#secrets, this.wish);
      const answer = await here.post<{ session: Session }>("/api/remote/viewer/start", body, signal);
      return { kind: "done", session: answer.session };
    });
  }

  /** From the options: this is to be shown. */
  async show(wish: Wish): Promise<void> {
    this.wish = wish;
    this.goal = { kind: "open" };
    await this.go();
  }

  /** Back to what is to be shown, after a failure that another choice may mend. */
  async choose(): Promise<void> {
    this.goal = { kind: "options" };
    await this.go();
  }

  async trust(question: HostKeyQuestion): Promise<void> {
    await this.#attempt(async (signal) => {
      const { host, port, key_type, public_key, fingerprint_sha256 } = question;
      const body = { host, port, key_type, public_key, fingerprint_sha256 };
      await here.post("/api/remote/known-hosts/accept", body, signal);
      return null;
    });
  }

  async answer(question: PromptQuestion, answers: readonly string[]): Promise<void> {
    await this.#attempt(async (signal) => {
      const body = { prompt_id: question.prompt_id, answers };
      await here.post("/api/remote/connect/answer", body, signal);
      return null;
    });
  }

  async unlock(kind: SecretKind, secret: string, remember: boolean): Promise<void> {
    this.#secrets = { ...this.#secrets, [kind]: secret };
    if (remember) this.#remember.add(kind);
    else this.#remember.delete(kind);
    await this.go();
  }

  /** Stops the attempt; what it began on the far side ends too. */
  async cancel(): Promise<void> {
    this.#flight?.abort();
    this.#secrets = {};
    if (this.goal.kind === "again") return;
    const mine = this.hosts.host(this.host.id)?.sessions ?? [];
    const rising = mine.filter((one) => one.status === "connecting" && !this.before.has(one.sessionId));
    await Promise.allSettled(
      rising.map((one) => here.post("/api/remote/viewer/stop", { session_id: one.sessionId })),
    );
    await this.hosts.refresh();
  }

  /** Runs a part; null goes on with the whole. A refusal becomes the next step. */
  async #attempt(part: (signal: AbortSignal) => Promise<Step | null>): Promise<void> {
    const flight = new AbortController();
    this.#flight = flight;
    this.step = { kind: "busy" };
    try {
      const step = await part(flight.signal);
      if (flight.signal.aborted) return;
      if (step === null) return await this.go();
      await this.#keep();
      await this.hosts.refresh();
      this.step = step;
    } catch (error) {
      if (flight.signal.aborted) return;
      this.step = stepOf(error, this.#secrets);
      void this.hosts.refresh();
    }
  }

  async #signIn(signal: AbortSignal): Promise<Step> {
    if (!this.#signedIn || Object.keys(this.#secrets).length > 0) {
      await here.post("/api/remote/connect", loginBody(this.host, this.#secrets), signal);
      this.#signedIn = true;
    }
    return { kind: "options" };
  }

  /** A secret that was asked for opens the connection first; the session then needs no person. */
  async #again(id: string, signal: AbortSignal): Promise<Step> {
    if (Object.keys(this.#secrets).length > 0) {
      await here.post("/api/remote/connect", loginBody(this.host, this.#secrets), signal);
    }
    const path = `/api/hosts/sessions/${encodeURIComponent(id)}/reconnect`;
    return { kind: "done", session: await here.post<Session>(path, undefined, signal) };
  }

  /** Keeps the secrets that were wanted kept, now that they have opened the door; a fault of that is no fault of this. */
  async #keep(): Promise<void> {
    const kept: Secrets = {};
    for (const kind of this.#remember) kept[kind] = this.#secrets[kind];
    this.#remember.clear();
    if (Object.keys(kept).length === 0) return;
    const { host } = this;
    const server = { id: host.savedId ?? newServerId(), name: host.name, host: host.host, port: host.port };
    const authMethod = kept.password === undefined ? ("key" as const) : ("password" as const);
    await saveServer({ ...server, username: host.username, authMethod, ...kept }).catch(() => undefined);
  }
}
