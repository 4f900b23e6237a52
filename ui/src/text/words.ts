/** Words that depend on a value of the server: states, reasons, faults. */
import type { Text } from "./en";

/** The word of a run's status; a word we do not know is shown as it is. */
export function statusWord(text: Text, status: string): string {
  return Object.hasOwn(text.status, status)
    ? (text.status[status] ?? status)
    : status || (text.status.unknown ?? "");
}

/** Why a run has its status, in a few words. */
export function reasonWord(text: Text, reason: string | null): string {
  if (reason === null) return "";
  return Object.hasOwn(text.reason, reason) ? (text.reason[reason] ?? reason) : reason;
}

/** What a person reads about a failed request: the server's own sentence, ours when there was no answer. */
export function faultText(text: Text, error: unknown): string {
  const { status, detail } = (error ?? {}) as { status?: number; detail?: string };
  if (status === 0) return text.failed.noAnswer;
  if (typeof detail === "string" && detail !== "") return detail;
  return error instanceof Error ? error.message : String(error);
}
