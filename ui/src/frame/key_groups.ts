/** The keys of the whole window in groups, and which groups a page has. Each page declares its own. */
import { chartKeys } from "../components/chart/chart_keys";
import { tableKeys } from "../components/table_keys";
import { compareKeys } from "../pages/compare/page_keys";
import { hostsKeys } from "../pages/hosts/page_keys";
import { binKeys } from "../pages/recycle_bin/page_keys";
import { imageKeys, logKeys, runKeys } from "../pages/run/page_keys";
import { runsKeys } from "../pages/runs/page_keys";
import { capsOf, type DeclaredKey } from "../components/declared_keys";
import type { PageName } from "../state/places";
import type { Text } from "../text/languages";
import { frameKeys } from "./frame_keys";
import { fits, wordsOf } from "./palette";

export type GroupName = keyof Text["help"]["groups"];

export const keyGroups: Record<GroupName, readonly DeclaredKey[]> = {
  everywhere: frameKeys,
  runs: runsKeys,
  table: tableKeys,
  run: runKeys,
  charts: chartKeys,
  log: logKeys,
  images: imageKeys,
  compare: compareKeys,
  hosts: hostsKeys,
  recycle_bin: binKeys,
};

const ofPage: Record<PageName, readonly GroupName[]> = {
  runs: ["runs", "table"],
  run: ["run", "charts", "log", "images"],
  compare: ["compare", "charts"],
  gpus: [],
  hosts: ["hosts", "table"],
  recycle_bin: ["recycle_bin", "table"],
  settings: [],
};

/** What the help shows: the groups of the page one is on, then what works everywhere. */
export const groupsOfPage = (page: PageName | null): readonly GroupName[] => [
  ...(page === null ? [] : ofPage[page]),
  "everywhere",
];

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
export function keyLines(names: readonly GroupName[], text: Text, search = ""): KeyGroup[] {
  const { groups, deeds, caps } = text.help;
  const words = wordsOf(search);
  const groupOf = (name: GroupName): KeyGroup => {
    const lines = keyGroups[name].map((key) => ({
      deed: key.deed,
      caps: capsOf(key).map((cap) => caps[cap] ?? cap),
      meaning: deeds[name][key.deed] ?? key.deed,
    }));
    const fit = (line: KeyLine) => fits(`${groups[name]} ${line.caps.join(" ")} ${line.meaning}`, words);
    return { name, title: groups[name], lines: lines.filter(fit) };
  };
  return names.map(groupOf).filter(({ lines }) => lines.length > 0);
}
