/** The keys of the window in groups, as lines to read. Pure. */
import type { Text } from "../../text/languages";
import { capsOf, type DeclaredKey } from "./declared_keys";

export type GroupName = keyof Text["help"]["groups"];

/** Which keys there are, and which groups a page has. */
export interface KeyGroups {
  groups: Record<GroupName, readonly DeclaredKey[]>;
  /** The groups of the page one is on, then what works everywhere. */
  ofPage: (page: string | null) => readonly GroupName[];
}

export interface KeyLine {
  deed: string;
  caps: readonly string[];
  meaning: string;
}

export interface KeyGroup {
  name: GroupName;
  title: string;
  lines: readonly KeyLine[];
}

/** Groups with their words; of a search only the lines that fit, and no group without any. */
export function keyLines(
  { groups }: KeyGroups,
  names: readonly GroupName[],
  text: Text,
  search = "",
): KeyGroup[] {
  const { groups: titles, deeds, caps } = text.help;
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return names.flatMap((name) => {
    const title = titles[name];
    const lines = groups[name].map((key) => ({
      deed: key.deed,
      caps: capsOf(key).map((cap) => caps[cap] ?? cap),
      meaning: deeds[name]?.[key.deed] ?? key.deed,
    }));
    const fit = lines.filter(({ caps: shown, meaning }) => {
      const all = `${title} ${shown.join(" ")} ${meaning}`.toLowerCase();
      return words.every((word) => all.includes(word));
    });
    return fit.length === 0 ? [] : [{ name, title, lines: fit }];
  });
}
