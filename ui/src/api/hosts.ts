/** Other machines as our server tells of them: short names for the generated types, and the words that they may hold. */
import type { components } from "./schema";
import type { RunListAnswer } from "./wire";

type Schemas = components["schemas"];

/** An answer names every member: what the document calls optional comes as null. */
type Sent<Part> = { [Name in keyof Part]-?: Exclude<Part[Name], undefined> };

/** The stages of getting a viewer of another machine onto the screen, and the states after. */
export type Phase =
  | "resolving"
  | "connecting"
  | "key_exchange"
  | "host_key"
  | "authenticating"
  | "checking"
  | "installing"
  | "starting"
  | "forwarding"
  | "running"
  | "reconnecting"
  | "degraded"
  | "stopping"
  | "stopped"
  | "failed";

export type SessionStatus =
  | "connecting"
  | "running"
  | "reconnecting"
  | "degraded"
  | "disconnected"
  | "stopped";

/** What is wrong, for programs and for people. */
export interface Trouble {
  code: string;
  detail: string;
  /** The stage in which it went wrong. */
  phase?: string | null;
  /** The end of the viewer's log, where that is the reason. */
  log?: string;
}

export type Session = Omit<Sent<Schemas["SessionAnswer"]>, "status" | "phase" | "viewer" | "error"> & {
  status: SessionStatus;
  phase: Phase;
  viewer: "bundled" | "python";
  error: Trouble | null;
};

export type HostConnection = Omit<Sent<Schemas["HostConnection"]>, "phase" | "error"> & {
  phase: Phase;
  error: Trouble | null;
};

export type HostSource = "ssh_config" | "saved" | "recent";

export type Host = Omit<Sent<Schemas["HostItem"]>, "source" | "connection" | "sessions"> & {
  source: HostSource;
  connection: HostConnection | null;
  sessions: Session[];
};

export type HostsAnswer = Omit<Schemas["HostsAnswer"], "hosts" | "keyring"> & {
  hosts: Host[];
  keyring: { kind: "keyring" | "session"; detail: string | null };
};

/** The question about a key: unknown, or (a red stop) another one than before. */
export interface HostKeyQuestion {
  host: string;
  port: number;
  known_hosts_host: string;
  key_type: string;
  fingerprint_sha256: string;
  public_key: string;
  reason: "unknown" | "changed";
  expected_fingerprint_sha256?: string;
  expected_public_key?: string;
  randomart: string;
}

export interface PromptQuestion {
  prompt_id: string;
  host: string;
  name: string;
  instructions: string;
  prompts: { text: string; echo: boolean }[];
}

export type Environment = Sent<Schemas["EnvironmentItem"]>;
export type FarCandidate = Schemas["RemoteCandidate"];
export type FolderItem = Schemas["FolderItem"];
/** A part of a folder: folders first, then by name. */
export type FolderPage = Sent<Schemas["Folder"]>;
export type SessionLog = Schemas["SessionLog"];

/** A server as it is kept; secrets go in and never come out. */
export interface SavedServer {
  kind: "server";
  id: string;
  name: string;
  host: string;
  port: number;
  username: string;
  authMethod: "password" | "key" | "agent";
  privateKeyPath?: string;
  password?: string;
  passphrase?: string;
  hasSavedPassword?: boolean;
  hasSavedPassphrase?: boolean;
  createdAt: number;
}

/** The last list that was seen of a machine which does not answer now. */
export type SeenList = Omit<Schemas["SeenListAnswer"], "answer"> & { answer: RunListAnswer };

/** Way to the API of a session's machine. */
export const wayTo = (sessionId: string): string => `/api/hosts/${encodeURIComponent(sessionId)}/at`;
