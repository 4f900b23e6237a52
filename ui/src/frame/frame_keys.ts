/** Keys that work on every page. */

export type FrameKey = "palette" | "help";

export function frameKey(event: KeyboardEvent): FrameKey | null {
  if (event.defaultPrevented || event.isComposing || event.altKey) return null;
  const command = event.ctrlKey || event.metaKey;
  if (command && event.key.toLowerCase() === "k") return "palette";
  if (command || event.key !== "?") return null;
  const target = event.target instanceof HTMLElement ? event.target : null;
  return target?.closest("input, textarea, select") ? null : "help";
}
