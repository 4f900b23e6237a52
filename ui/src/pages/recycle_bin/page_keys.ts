/** Keys of the recycle bin: they work unless someone is typing or a dialog is open. */
import { type DeclaredKey, deedsByKey } from "../../components/keys/declared_keys";
import { isTyping } from "../runs/page_keys";

export type BinKey = "search" | "restore" | "purge" | "clear";

export const binKeys: readonly DeclaredKey<BinKey>[] = [
  { deed: "search", press: ["/"] },
  { deed: "restore", press: ["r"] },
  { deed: "purge", press: ["Delete"] },
  { deed: "clear", press: ["Escape"] },
];

const deeds = deedsByKey(binKeys);

export function binKey(event: KeyboardEvent): BinKey | null {
  if (event.defaultPrevented || event.isComposing || isTyping(event.target)) return null;
  if (document.querySelector("dialog[open]") !== null) return null;
  if (event.key === "Backspace" && event.metaKey) return "purge";
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  return deeds.get(event.key.length === 1 ? event.key.toLowerCase() : event.key) ?? null;
}
