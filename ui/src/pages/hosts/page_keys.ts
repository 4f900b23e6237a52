/** Keys of the Hosts page: they work unless someone is typing or a dialog is open. */
import { type DeclaredKey, deedsByKey } from "../../components/keys/declared_keys";

export type HostKey = "search" | "add" | "edit";

export const hostsKeys: readonly DeclaredKey<HostKey>[] = [
  { deed: "search", press: ["/"] },
  { deed: "add", press: ["n"] },
  { deed: "edit", press: ["e"] },
];

const deeds = deedsByKey(hostsKeys);

export function hostKey(event: KeyboardEvent): HostKey | null {
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey)
    return null;
  const target = event.target instanceof HTMLElement ? event.target : null;
  if (target?.closest("input, textarea, select, [contenteditable=true]")) return null;
  if (document.querySelector("dialog[open]") !== null) return null;
  return deeds.get(event.key.toLowerCase()) ?? null;
}
