/** How a page declares its keys: once, for the listener, for the help and for the settings. Pure. */

export interface DeclaredKey<Deed extends string = string> {
  deed: Deed;
  /** What an event calls the keys that do it, letters small. */
  press: readonly string[];
  /** The caps that are drawn, where they are not just those keys: "Shift ↑ ↓". */
  shown?: string;
}

/** Key → deed, for a listener. */
export function deedsByKey<Deed extends string>(
  keys: readonly DeclaredKey<Deed>[],
): ReadonlyMap<string, Deed> {
  return new Map(keys.flatMap(({ deed, press }) => press.map((key) => [key, deed] as const)));
}

const drawn: Record<string, string> = {
  ArrowUp: "↑",
  ArrowDown: "↓",
  ArrowLeft: "←",
  ArrowRight: "→",
  Escape: "Esc",
  " ": "Space",
};

/** The caps to draw, one for each key. */
export function capsOf({ press, shown }: DeclaredKey): string[] {
  if (shown !== undefined) return shown.split(" ");
  return press.map((key) => drawn[key] ?? (key.length === 1 ? key.toUpperCase() : key));
}
