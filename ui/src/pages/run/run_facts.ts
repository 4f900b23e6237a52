/** Facts about a run that are worked out of its detail. Pure. */
import type { RunDetail } from "../../api/wire";
import type { RunText } from "../../text/run";

/** A value out of a file as one line of text; empty when there is nothing to say. */
export function textOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "object") return JSON.stringify(value);
  return String(value);
}

/** How long the run took, or takes so far; null when nobody knows. */
export function durationOf(detail: RunDetail, now_secs: number): number | null {
  const { started_at, created_at, ended_at, status, last_write_at } = detail.run;
  const from = started_at ?? created_at;
  if (from === null) return null;
  const to = ended_at ?? (status === "running" && !detail.deleted ? now_secs : last_write_at);
  return to === null ? null : Math.max(0, to - from);
}

/** Why the state is what it is said to be, in words; unknown reasons are shown as they came. */
export function reasonWords(detail: RunDetail, words: RunText): string {
  const reason = detail.run.status_reason ?? detail.liveness?.reason ?? "";
  return words.reason[reason] ?? reason;
}
