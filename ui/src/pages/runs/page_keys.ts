/** Keys of the whole page: they work unless someone is typing or a dialog is open. */

import { type DeclaredKey, deedsByKey } from "../../components/declared_keys";

export type PageKey = "search" | "delete" | "edit" | "compare" | "preview" | "clear";

export const runsKeys: readonly DeclaredKey<PageKey>[] = [
  { deed: "search", press: ["/"] },
  { deed: "edit", press: ["e"] },
  { deed: "compare", press: ["c"] },
  { deed: "preview", press: ["p"] },
  { deed: "delete", press: ["Delete", "Backspace"], shown: "Delete" },
  { deed: "clear", press: ["Escape"] },
];

const deeds = deedsByKey(runsKeys);

/** True where letters are text, not commands. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  const field = target.closest("input, textarea, select, [contenteditable=true]");
  return field !== null && !(field instanceof HTMLInputElement && field.type === "checkbox");
}

export function pageKey(event: KeyboardEvent): PageKey | null {
  if (event.defaultPrevented || event.isComposing || isTyping(event.target)) return null;
  if (document.querySelector("dialog[open]") !== null) return null;
  if (event.key === "Backspace" ? !event.metaKey : event.ctrlKey || event.metaKey || event.altKey)
    return null;
  return deeds.get(event.key.length === 1 ? event.key.toLowerCase() : event.key) ?? null;
}
