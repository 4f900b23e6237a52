/** What is compared and what of it is looked at, in the address bar. Pure. */
import { idsOf } from "../../state/places";
import { SECTIONS, type Section } from "./differences";
import { BANDS, type BandChoice, type GroupBy, readGroupBy } from "./groups/run_groups";
import { type Brushes, readBrushes } from "./values/value_axes";

/** Runs on one page; more lines than this could be told apart by nobody. */
export const LIMIT = 1000;

export const PARTS = ["values", "code"] as const;
/** What of the differences is looked at. */
export type Part = (typeof PARTS)[number];

export const TABS = ["charts", "values", "changed", "images", "logs"] as const;
export type Tab = (typeof TABS)[number];

export interface CompareAddress {
  ids: string[];
  /** Runs that were asked for beyond the limit. */
  left: number;
  hidden: ReadonlySet<string>;
  tab: Tab;
  /** What is searched for among the values. */
  key: string;
  /** Sections whose equal values are shown. */
  equal: Section[];
  part: Part;
  /** The two runs whose code is compared, and a file of it; empty where nobody chose. */
  code: { before: string; after: string; file: string };
  /** Columns of the values; none: the telling ones. */
  axes: string[];
  /** Stretches of columns that runs must lie in. */
  brushes: Brushes;
  /** Columns of the scatter plot; empty where nobody chose. */
  scatter: { x: string; y: string };
  group: GroupBy;
  band: BandChoice;
  /** Whether the runs of groups are drawn one by one too. */
  each: boolean;
  /** Id of the run that others are held against, and by what; empty for none. */
  baseline: string;
  measure: string;
  /** Keys of the groups whose runs are listed. */
  opened: string[];
}

export function readCompare(query: URLSearchParams): CompareAddress {
  const ids = idsOf(query.get("runs") ?? "");
  const equal = (query.get("equal") ?? "").split(",");
  return {
    ids: ids.slice(0, LIMIT),
    left: Math.max(0, ids.length - LIMIT),
    hidden: new Set(idsOf(query.get("hide") ?? "")),
    tab: TABS.find((tab) => tab === query.get("tab")) ?? "charts",
    key: query.get("key") ?? "",
    equal: SECTIONS.filter((section) => equal.includes(section)),
    part: PARTS.find((part) => part === query.get("part")) ?? "values",
    code: {
      before: idsOf(query.get("before") ?? "")[0] ?? "",
      after: idsOf(query.get("after") ?? "")[0] ?? "",
      file: query.get("file") ?? "",
    },
    axes: idsOf(query.get("axes") ?? ""),
    brushes: readBrushes(query.get("brush") ?? ""),
    scatter: { x: query.get("x_value") ?? "", y: query.get("y_value") ?? "" },
    group: readGroupBy(query.get("group") ?? ""),
    band: BANDS.find((band) => band === query.get("band")) ?? "range",
    each: query.get("each") === "1",
    baseline: idsOf(query.get("baseline") ?? "")[0] ?? "",
    measure: query.get("diff") ?? "",
    opened: idsOf(query.get("opened") ?? ""),
  };
}

export const sectionMembers = (sections: readonly Section[]): string | null =>
  sections.length === 0 ? null : sections.join(",");
