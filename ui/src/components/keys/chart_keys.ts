/** The keys of a chart that holds the focus, as the help shows them; the chart itself listens. */
import type { DeclaredKey } from "./declared_keys";

export const chartKeys: readonly DeclaredKey[] = [
  { deed: "point", press: ["ArrowLeft", "ArrowRight"] },
  { deed: "line", press: ["ArrowUp", "ArrowDown"] },
  { deed: "leap", press: ["PageUp", "PageDown", "Home", "End"] },
  { deed: "zoom", press: ["+", "-"] },
  { deed: "pan", press: [], shown: "Shift ← →" },
  { deed: "log", press: ["l"] },
  { deed: "whole", press: ["0", "Escape"] },
];
