/** Keys of the list of assets: they work unless someone is typing or a dialog is open. */
import { type DeclaredKey, deedsByKey } from "../../components/keys/declared_keys";
import { isTyping } from "../runs/page_keys";

export type AssetsKey = "search";

export const assetsKeys: readonly DeclaredKey<AssetsKey>[] = [{ deed: "search", press: ["/"] }];

const deeds = deedsByKey(assetsKeys);

export function assetsKey(event: KeyboardEvent): AssetsKey | null {
  if (event.defaultPrevented || event.isComposing || isTyping(event.target)) return null;
  if (document.querySelector("dialog[open]") !== null) return null;
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  return deeds.get(event.key) ?? null;
}
