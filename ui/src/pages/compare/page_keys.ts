/** Keys of the Compare page, as the help shows them. */
import type { DeclaredKey } from "../../components/keys/declared_keys";
import { TABS } from "./view_state";

export const compareKeys: readonly DeclaredKey[] = [
  { deed: "tabs", press: TABS.map((_, at) => String(at + 1)), shown: `1 – ${TABS.length}` },
  { deed: "baseline", press: ["b"] },
  { deed: "back", press: ["Escape"] },
];
