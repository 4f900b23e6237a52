/** The deeds behind declared keys, for the listener of a page and as a list to choose from. */
import { capsOf, type DeclaredKey } from "./declared_keys";

/** What each deed does now; null where it cannot be done. */
export type Acts<Deed extends string> = Partial<Record<Deed, (() => void) | null>>;

/** Does what a key means; keys that mean nothing now stay the browser's. */
export function doByKey<Deed extends string>(
  event: KeyboardEvent,
  deed: Deed | null,
  acts: Acts<Deed>,
): void {
  const act = deed === null ? null : acts[deed];
  if (!act) return;
  act();
  event.preventDefault();
}

/** To a field, ready to type over what stands in it. */
export function enterField(field: HTMLInputElement | undefined): void {
  field?.focus();
  field?.select();
}

/** The deeds that can be done now, in the order of their keys; `meanings` are those of the help. */
export function keyDeeds(
  keys: readonly DeclaredKey[],
  acts: Acts<string>,
  meanings: Readonly<Record<string, string>> = {},
): { key: string; label: string; hint: string; run: () => void }[] {
  return keys.flatMap((declared) => {
    const run = acts[declared.deed];
    if (!run) return [];
    const meaning = meanings[declared.deed] ?? declared.deed;
    const label = meaning.charAt(0).toLocaleUpperCase() + meaning.slice(1);
    return [{ key: declared.deed, label, hint: capsOf(declared).join(" "), run }];
  });
}
