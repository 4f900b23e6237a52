/** Keys of the recycle bin: they work unless someone is typing or a dialog is open. */
import { isTyping } from "../runs/page_keys";

export type BinKey = "search" | "restore" | "purge" | "clear";

const deeds = new Map<string, BinKey>([
  ["/", "search"],
  ["r", "restore"],
  ["Delete", "purge"],
  ["Escape", "clear"],
]);

export function binKey(event: KeyboardEvent): BinKey | null {
  if (event.defaultPrevented || event.isComposing || isTyping(event.target)) return null;
  if (document.querySelector("dialog[open]") !== null) return null;
  if (event.key === "Backspace" && event.metaKey) return "purge";
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  return deeds.get(event.key.length === 1 ? event.key.toLowerCase() : event.key) ?? null;
}
