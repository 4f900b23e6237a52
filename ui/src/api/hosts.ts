/** Other machines as our server tells of them: `/api/hosts` and the documented `/api/remote/*`. */
import type { RunListAnswer } from "./wire";

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
  phase?: string | null;
  /** The end of the viewer's log, where that is the reason. */
  log?: string;
}

export interface Session {
  sessionId: string;
  host: string;
  sshPort: number;
  username: string;
  localPort: number;
  remotePort: number;
  remoteRoot: string;
  remotePid: number | null;
  status: SessionStatus;
  startedAt: number;
  uptimeSeconds: number;
  isActive: boolean;
  url: string;
  phase: Phase;
  error: Trouble | null;
  viewer: "bundled" | "python";
  transport: string;
  latencyMs: number | null;
  receivedBytes: number;
  sentBytes: number;
  reconnects: number;
  remoteVersion: string | null;
  condaEnv: string | null;
  connectionId: string;
}

export interface HostConnection {
  connection_id: string;
  connected: boolean;
  phase: Phase | null;
  error: Trouble | null;
}

export type HostSource = "ssh_config" | "saved" | "recent";

export interface Host {
  /** `ssh:<alias>`, `saved:<id>` or `recent:<connection_id>`. */
  id: string;
  name: string;
  host: string;
  port: number;
  username: string;
  source: HostSource;
  address: string;
  jump: string[];
  notes: string[];
  auth_method: string | null;
  has_password: boolean;
  has_passphrase: boolean;
  connection: HostConnection | null;
  sessions: Session[];
  last_seen_at: number | null;
  last_root: string | null;
  last_environment: string | null;
  last_viewer: string | null;
}

export interface Keyring {
  kind: "keyring" | "session";
  detail: string | null;
}

export interface HostsAnswer {
  hosts: Host[];
  keyring: Keyring;
  /** What of the ssh config could not be honoured. */
  notes: string[];
}

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

export interface Environment {
  name: string;
  type: string;
  python_version: string;
  path: string;
  is_default: boolean;
}

export interface EnvironmentVersions {
  pythonVersion: string | null;
  runicornVersion: string | null;
}

export interface StorageCandidate {
  path: string;
  run_count: number;
}

export interface FolderItem {
  name: string;
  is_dir: boolean;
  size: number;
  mtime: number;
}

/** A part of a folder: folders first, then by name. */
export interface FolderPage {
  path: string;
  items: FolderItem[];
  total?: number;
  next_offset?: number | null;
}

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
export interface CachedRunList extends RunListAnswer {
  age_secs: number;
}

/** Way to the API of a session's machine. */
export const wayTo = (sessionId: string): string => `/api/hosts/${encodeURIComponent(sessionId)}/at`;
