/** What is to be known of hosts before they are shown: doubles made one, states, which session is meant. Pure. */
import type { Host, Session, SessionStatus, Trouble } from "../api/hosts";
import { ALL } from "./places";

/** How a host or a session stands; each has a shape and a word. */
export type LinkState =
  | "connected"
  | "slow"
  | "reconnecting"
  | "connecting"
  | "disconnected"
  | "failed"
  | "signed_in"
  | "stopped"
  | "idle";

/** A host as it is shown: one line, however many sources name it. */
export interface HostEntry extends Host {
  /** Id of the saved server that stands behind it, if any: its secrets are used. */
  savedId: string | null;
}

const whoAt = (host: Host): string => `${host.username}@${host.host.toLowerCase()}:${host.port}`;
const sourceRank: Record<string, number> = { ssh_config: 0, saved: 1, recent: 2 };

/** Two lines for the same person on the same server become one; the name people gave it wins. */
function joined(first: HostEntry, second: Host): HostEntry {
  const sessions = new Map([...first.sessions, ...second.sessions].map((one) => [one.sessionId, one]));
  return {
    ...first,
    savedId: first.savedId ?? second.saved_server_id,
    auth_method: first.auth_method ?? second.auth_method,
    has_password: first.has_password || second.has_password,
    has_passphrase: first.has_passphrase || second.has_passphrase,
    connection: first.connection ?? second.connection,
    sessions: [...sessions.values()],
    last_seen_at: Math.max(first.last_seen_at ?? 0, second.last_seen_at ?? 0) || null,
    last_root: first.last_root ?? second.last_root,
    last_environment: first.last_environment ?? second.last_environment,
    last_viewer: first.last_viewer ?? second.last_viewer,
  };
}

/** One entry for each person on a server, in the order of the answer. */
export function mergedHosts(hosts: readonly Host[]): HostEntry[] {
  const entries = new Map<string, HostEntry>();
  const ranked = [...hosts].sort((a, b) => (sourceRank[a.source] ?? 3) - (sourceRank[b.source] ?? 3));
  for (const host of ranked) {
    const key = whoAt(host);
    const known = entries.get(key);
    entries.set(key, known ? joined(known, host) : { ...host, savedId: host.saved_server_id ?? null });
  }
  return [...entries.values()];
}

const sessionStates: Record<SessionStatus, LinkState> = {
  connecting: "connecting",
  running: "connected",
  reconnecting: "reconnecting",
  degraded: "slow",
  disconnected: "disconnected",
  stopped: "stopped",
};

export function sessionState(session: Session): LinkState {
  if (session.phase === "failed") return "failed";
  if (session.status === "stopped" && session.error !== null) return "failed";
  return sessionStates[session.status] ?? "idle";
}

/** What tells most of a host with several sessions comes first. */
const order: readonly LinkState[] = [
  "connected",
  "slow",
  "reconnecting",
  "connecting",
  "disconnected",
  "failed",
  "signed_in",
  "stopped",
  "idle",
];

export const stateRank = (state: LinkState): number => order.indexOf(state);

/** Codes that ask a person: left open they are no failure. */
const questions: readonly string[] = [
  "HOST_KEY_CONFIRMATION_REQUIRED",
  "AUTH_PROMPT_REQUIRED",
  "PASSPHRASE_REQUIRED",
  "CANCELLED",
];

/** Stages of an attempt; a lost connection that no session needs is just not there. */
const onTheWay: readonly string[] = ["resolving", "connecting", "key_exchange", "host_key", "authenticating"];

function connectionState(host: Host): LinkState {
  const { connection } = host;
  if (connection === null) return "idle";
  if (connection.connected) return "signed_in";
  if (connection.error !== null) return questions.includes(connection.error.code) ? "idle" : "failed";
  return onTheWay.includes(connection.phase) ? "connecting" : "idle";
}

export function hostState(host: Host): LinkState {
  const states = [...host.sessions.map(sessionState), connectionState(host)];
  return states.reduce((best, state) => (stateRank(state) < stateRank(best) ? state : best));
}

/** What went wrong last, if something stands wrong now. */
export function hostTrouble(host: Host): Trouble | null {
  const state = hostState(host);
  if (state !== "failed" && state !== "disconnected") return null;
  const session = host.sessions.find((one) => sessionState(one) === state);
  return session?.error ?? host.connection?.error ?? null;
}

/** Bytes go to and fro, or did a moment ago and do so again by themselves. */
export const isUp = (session: Session): boolean =>
  session.status === "running" || session.status === "degraded";
export const isOver = (session: Session): boolean =>
  session.status === "stopped" || session.phase === "failed";

/** Runs can be shown in this window: our viewer, not stopped. */
export const isShowable = (session: Session): boolean => session.viewer === "bundled" && !isOver(session);

/** The sessions of a host whose runs this window can show, best first. */
export function showable(host: Host): Session[] {
  const rank = (session: Session) => stateRank(sessionState(session));
  return host.sessions.filter(isShowable).sort((a, b) => rank(a) - rank(b) || b.startedAt - a.startedAt);
}

/** The one obvious thing to do with a host; null while it is under way. */
export type Deed = "open" | "browser" | "sign_in" | "connect";

export function deedOf(host: Host): Deed | null {
  const session = showable(host)[0];
  const state = session ? sessionState(session) : hostState(host);
  if (state === "connecting") return null;
  if (session) return state === "disconnected" ? "sign_in" : "open";
  return host.sessions.some((one) => one.viewer === "python" && isUp(one)) ? "browser" : "connect";
}

/** The last part of a path says most. */
export const lastPart = (path: string): string => path.split(/[/\\]/).findLast((part) => part !== "") ?? path;

/** One machine to look at: a session of a host, as the switcher and the list of all offer it. */
export interface Remote {
  /** Its part of the address. */
  machine: string;
  /** What people call it; with the folder when the host shows several. */
  name: string;
  host: HostEntry;
  session: Session;
}

/** Every session whose runs this window can show. */
export function remotesOf(hosts: readonly HostEntry[]): Remote[] {
  return hosts.flatMap((host) => {
    const sessions = showable(host);
    return sessions.map((session) => ({
      machine: sessions.length === 1 ? host.id : `${host.id}~${session.sessionId}`,
      name: sessions.length === 1 ? host.name : `${host.name} · ${lastPart(session.remoteRoot) || "~"}`,
      host,
      session,
    }));
  });
}

/** Hosts that are not connected and whose runs were shown once: what was last seen of them can be shown. */
export const rememberedHosts = (hosts: readonly HostEntry[]): HostEntry[] =>
  hosts.filter(
    (host) => host.last_seen_at !== null && host.last_viewer !== "python" && showable(host).length === 0,
  );

/** What the machine of an address is. */
export type Machine =
  | { kind: "here"; key: "" }
  | { kind: "all"; key: "all" }
  | { kind: "remote"; key: string; remote: Remote }
  /** No session to look at: never connected, stopped, or a viewer that only a browser can show. */
  | { kind: "away"; key: string; host: HostEntry | null; name: string }
  /** The hosts are not known yet. */
  | { kind: "unknown"; key: "?" };

const withSession = /^(.*)~([0-9a-f]{8})$/;

/** The machine of an address; `hosts` is null until they are known. */
export function machineOf(place: string, hosts: readonly HostEntry[] | null): Machine {
  if (place === "") return { kind: "here", key: "" };
  if (place === ALL) return { kind: "all", key: ALL };
  if (hosts === null) return { kind: "unknown", key: "?" };
  const [, id = place, wanted] = withSession.exec(place) ?? [];
  const remotes = remotesOf(hosts).filter((remote) => remote.host.id === id);
  const remote = remotes.find((one) => one.session.sessionId === wanted) ?? remotes[0];
  if (remote) return { kind: "remote", key: remote.session.sessionId, remote: { ...remote, machine: place } };
  const host = hosts.find((one) => one.id === id) ?? null;
  return { kind: "away", key: `away:${place}`, host, name: host?.name ?? id.replace(/^\w+:/, "") };
}

/** The documented address of a session on this computer: built from a number, never taken from the far side. */
export const localAddress = (session: Session): string => `http://localhost:${Number(session.localPort)}`;

/** Words that must all stand somewhere in what a host is called or is. */
export function fitsHost(host: HostEntry, query: string): boolean {
  const text = [host.name, host.host, host.address, host.username, host.id, ...host.jump]
    .join("\n")
    .toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** Who is where, as one types it: the port only when it is not the usual one. */
export function addressOf(host: Pick<Host, "username" | "host" | "port"> & { address?: string }): string {
  const name = host.address || host.host;
  return `${host.username}@${name}${host.port === 22 ? "" : `:${host.port}`}`;
}
