/** The keys of a table, as the help shows them; the table itself listens. */
import type { DeclaredKey } from "./declared_keys";

export const tableKeys: readonly DeclaredKey[] = [
  { deed: "move", press: ["ArrowUp", "ArrowDown"] },
  { deed: "leap", press: ["PageUp", "PageDown", "Home", "End"] },
  { deed: "open", press: ["Enter"] },
  { deed: "tick", press: [" "] },
  { deed: "tickRange", press: [], shown: "Shift ↑ ↓" },
  { deed: "tickAll", press: [], shown: "Ctrl A" },
  { deed: "width", press: [], shown: "Shift ← →" },
  { deed: "column", press: [], shown: "Alt ← →" },
  { deed: "sort", press: [], shown: "Shift Click" },
];
