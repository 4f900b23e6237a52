/** The stages of a connection as a list of marks. Pure. */
import type { Host, Phase } from "../../api/hosts";
import type { HostsText } from "../../text/hosts";

export const STAGES = [
  "resolving",
  "connecting",
  "key_exchange",
  "host_key",
  "authenticating",
  "checking",
  "installing",
  "starting",
  "forwarding",
] as const;
export type Stage = (typeof STAGES)[number];
export type StageMark = "done" | "now" | "failed" | "todo";

export interface StageLine {
  stage: Stage;
  mark: StageMark;
}

const stageOf = (word: string | null | undefined): number =>
  (STAGES as readonly (string | null | undefined)[]).indexOf(word);

/** Marks of all stages while `phase` is under way; `failedAt` marks where it ended. */
export function stageLines(phase: string | null, failedAt: string | null = null): StageLine[] {
  const failed = stageOf(failedAt);
  if (failed >= 0) {
    return STAGES.map((stage, at) => ({
      stage,
      mark: at < failed ? "done" : at === failed ? "failed" : "todo",
    }));
  }
  const done = phase === "running" || phase === "degraded";
  const now = done ? STAGES.length : Math.max(0, stageOf(phase));
  return STAGES.map((stage, at) => ({ stage, mark: at < now ? "done" : at === now ? "now" : "todo" }));
}

/** The stage that a host is at on its way up: that of the newest session on its way, else that of its connection. */
export function phaseOf(host: Host | null, known: ReadonlySet<string> = new Set()): Phase | null {
  const rising = host?.sessions
    .filter((session) => session.status === "connecting" && !known.has(session.sessionId))
    .sort((a, b) => b.startedAt - a.startedAt)[0];
  return rising?.phase ?? host?.connection?.phase ?? null;
}

/** Never back: answers may come in another order than stages. */
export function furthest(a: string | null, b: string | null): string | null {
  return stageOf(b) >= stageOf(a) ? b : a;
}

/** The word of a stage, or of a state after them. */
export function stageWord(words: HostsText, phase: string): string {
  const { stages } = words;
  return stageOf(phase) >= 0 || phase === "running"
    ? stages[phase as Stage | "running"]
    : phase.replaceAll("_", " ");
}
