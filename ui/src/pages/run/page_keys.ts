/** Keys of the Run page, as the help shows them. */
import type { DeclaredKey } from "../../components/keys/declared_keys";
import { TABS } from "./view_state";

export const runKeys: readonly DeclaredKey[] = [
  { deed: "tabs", press: TABS.map((_, at) => String(at + 1)), shown: `1 – ${TABS.length}` },
  { deed: "beside", press: ["[", "]"] },
  { deed: "back", press: ["Escape"] },
];

/** In the log of a run. */
export const logKeys: readonly DeclaredKey[] = [
  { deed: "scroll", press: ["ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End"] },
  { deed: "next", press: ["n"] },
  { deed: "previous", press: [], shown: "Shift N" },
  { deed: "clear", press: ["Escape"] },
];

/** In an image that fills the window. */
export const imageKeys: readonly DeclaredKey[] = [
  { deed: "step", press: ["ArrowLeft", "ArrowRight"] },
  { deed: "key", press: ["ArrowUp", "ArrowDown"] },
  { deed: "play", press: [" "] },
  { deed: "zoom", press: ["+", "-", "0", "1"] },
  { deed: "move", press: [], shown: "Shift ↑ ↓ ← →" },
  { deed: "two", press: ["s", "w", "d", "a", "x"] },
];
