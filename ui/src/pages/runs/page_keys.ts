/** Keys of the whole page: they work unless someone is typing or a dialog is open. */

import { type DeclaredKey, deedsByKey } from "../../components/keys/declared_keys";

export type PageKey =
  | "search"
  | "delete"
  | "edit"
  | "compare"
  | "logs"
  | "preview"
  | "baseline"
  | "rename"
  | "clear";

export const runsKeys: readonly DeclaredKey<PageKey | "complete" | "group">[] = [
  { deed: "search", press: ["/"] },
  { deed: "edit", press: ["e"] },
  { deed: "compare", press: ["c"] },
  { deed: "logs", press: ["l"] },
  { deed: "baseline", press: ["b"] },
  { deed: "rename", press: ["F2"] },
  { deed: "preview", press: ["p"] },
  { deed: "complete", press: [], shown: "Ctrl Space" },
  { deed: "group", press: ["ArrowLeft", "ArrowRight"] },
  { deed: "delete", press: ["Delete", "Backspace"], shown: "Delete" },
  { deed: "clear", press: ["Escape"] },
];

const deeds = deedsByKey(runsKeys);
/** These are the table's and the search's own. */
const elsewhere = new Set(["complete", "group"]);
const isPageKey = (deed: string | undefined): deed is PageKey => deed !== undefined && !elsewhere.has(deed);

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
  const deed = deeds.get(event.key.length === 1 ? event.key.toLowerCase() : event.key);
  return isPageKey(deed) ? deed : null;
}
