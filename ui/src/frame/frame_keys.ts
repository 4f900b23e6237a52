/** Keys that work on every page. */
import type { DeclaredKey } from "../components/keys/declared_keys";

export type FrameKey = "palette" | "print" | "help";

export const frameKeys: readonly DeclaredKey[] = [
  { deed: "palette", press: [], shown: "Ctrl K" },
  { deed: "print", press: [], shown: "Ctrl P" },
  { deed: "help", press: ["?"] },
  { deed: "close", press: ["Escape"] },
  { deed: "next", press: [], shown: "Tab" },
];

export function frameKey(event: KeyboardEvent): FrameKey | null {
  if (event.defaultPrevented || event.isComposing || event.altKey) return null;
  const command = event.ctrlKey || event.metaKey;
  if (command && event.key.toLowerCase() === "k") return "palette";
  if (command && !event.shiftKey && event.key.toLowerCase() === "p") return "print";
  if (command || event.key !== "?") return null;
  const target = event.target instanceof HTMLElement ? event.target : null;
  return target?.closest("input, textarea, select") ? null : "help";
}
