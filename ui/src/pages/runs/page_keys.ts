/** Keys of the whole page: they work unless someone is typing or a dialog is open. */

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

const deeds = new Map<string, PageKey>([
  ["/", "search"],
  ["Delete", "delete"],
  ["Backspace", "delete"],
  ["e", "edit"],
  ["c", "compare"],
  ["l", "logs"],
  ["p", "preview"],
  ["b", "baseline"],
  ["F2", "rename"],
  ["Escape", "clear"],
]);

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
