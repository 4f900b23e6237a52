/** Hosts and sessions as the server tells of them, for tests: everything is well unless a member says otherwise. */
import type { Host, Session } from "../api/hosts";

export function session(id: string, members: Partial<Session> = {}): Session {
  return {
    sessionId: id,
    host: "gpu",
    sshPort: 22,
    username: "me",
    localPort: 8081,
    remotePort: 0,
    remoteRoot: "/data/runs",
    remotePid: 1,
    status: "running",
    startedAt: 1,
    uptimeSeconds: 1,
    isActive: true,
    url: "http://localhost:8081",
    phase: "running",
    error: null,
    viewer: "bundled",
    transport: "socket",
    latencyMs: 1,
    receivedBytes: 0,
    sentBytes: 0,
    reconnects: 0,
    remoteVersion: "0.1.0",
    condaEnv: null,
    connectionId: "me@gpu:22",
    ...members,
  };
}

export function host(id: string, members: Partial<Host> = {}): Host {
  const name = id.replace(/^\w+:/, "");
  return {
    id,
    name,
    host: name,
    port: 22,
    username: "me",
    source: "ssh_config",
    saved_server_id: null,
    address: name,
    jump: [],
    notes: [],
    auth_method: null,
    has_password: false,
    has_passphrase: false,
    connection: null,
    sessions: [],
    last_seen_at: null,
    last_root: null,
    last_environment: null,
    last_viewer: null,
    ...members,
  };
}
