/** What a person may send to whoever helps: everything about a failure, no secret. Pure; always in English. */
import type { Session, Trouble } from "../../api/hosts";
import type { HostEntry } from "../../state/host_facts";

export interface Findings {
  host: HostEntry;
  trouble: Trouble | null;
  session: Session | null;
  /** The far end of the viewer's log. */
  log?: string;
  version: string;
  now: Date;
}

const sessionLine = (session: Session): string =>
  [
    session.sessionId,
    `${session.status}/${session.phase}`,
    `${session.viewer} ${session.remoteVersion ?? "?"}`,
    `transport ${session.transport}`,
    `environment ${session.condaEnv ?? "-"}`,
    `root ${session.remoteRoot || "(default)"}`,
    `${session.reconnects} reconnects`,
    `latency ${session.latencyMs === null ? "-" : `${Math.round(session.latencyMs)} ms`}`,
  ].join(", ");

export function diagnosticsOf({ host, trouble, session, log = "", version, now }: Findings): string {
  const lines = [
    `Runicorn Desktop ${version || "?"}, ${now.toISOString()}`,
    `host: ${host.name} (${host.source}), ${host.username}@${host.host}:${host.port}, address ${host.address || "-"}`,
    ...(host.jump.length > 0 ? [`via: ${host.jump.join(" -> ")}`] : []),
    ...host.notes.map((note) => `note: ${note}`),
    ...(trouble
      ? [`stage: ${trouble.phase ?? "-"}`, `code: ${trouble.code}`, `detail: ${trouble.detail}`]
      : []),
    ...(host.connection
      ? [`connection: ${host.connection.connected ? "live" : (host.connection.phase ?? "none")}`]
      : []),
    ...(session ? [`session: ${sessionLine(session)}`] : []),
    ...(log === "" ? [] : ["viewer log:", log]),
  ];
  return `${lines.join("\n")}\n`;
}
