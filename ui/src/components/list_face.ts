/** What a page shows in place of its list: it waits, it failed, or there is nothing to list yet. */
import type { Text } from "../text/languages";
import { faultText } from "../text/words";

export interface FailedFace {
  kind: "failed";
  title: string;
  detail: string;
  retryLabel: string;
  onretry: () => void;
  /** Another way out than to try again. */
  way?: { label: string; onclick: () => void };
}

export type ListFace = { kind: "waiting"; label: string } | FailedFace | { kind: "empty" };

/** The question failed, in the words of who was asked. */
export const failedFace = (text: Text, error: unknown, onretry: () => void): FailedFace => ({
  kind: "failed",
  title: text.failed.title,
  detail: faultText(text, error),
  retryLabel: text.common.retry,
  onretry,
});
