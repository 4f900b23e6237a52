/** What differs between runs: their recorded values side by side, equal ones apart. Pure. */
import type { RunDetail } from "../../api/wire";
import { readEnvironment } from "../run/overview/environment";
import { valueRows } from "../run/overview/value_tree";
import type { Difference } from "./baseline/difference";

const RECORDED = ["config", "summary", "environment"] as const;
/** Metrics are there when one of the runs is the baseline. */
export const SECTIONS = ["metrics", "data", ...RECORDED] as const;
export type Section = (typeof SECTIONS)[number];

export interface DifferenceRow {
  path: string;
  /** The value of each run; null where the run has none. */
  cells: readonly (string | null)[];
  /** What most runs have, the first run's when several are as common; or what the baseline has. */
  usual: string | null;
  /** Of numbers: how each run's differs from the baseline's. */
  against?: readonly (Difference | null)[];
}

export interface SectionRows {
  section: Section;
  differing: DifferenceRow[];
  equal: DifferenceRow[];
  /** Rows for which there is no room. */
  left?: number;
}

const OPEN = { closed: new Set<string>(), search: "" };

/** Every value with the path that leads to it. Empty lists and objects are values too. */
export function flatten(value: unknown): Map<string, string> {
  const found = new Map<string, string>();
  for (const { path, text, children, kind } of valueRows(value, OPEN).rows) {
    if (children > 0) continue;
    found.set(path, kind === "object" ? "{}" : kind === "array" ? "[]" : text);
  }
  return found;
}

type Loose = Record<string, unknown>;

const isEmpty = (value: unknown): boolean =>
  value === null || value === undefined || (typeof value === "object" && Object.keys(value).length === 0);

/** Arguments and additions stand together, as they do in most people's heads; files of the configuration beside them. */
function configOf({ args, extra, config_files: files }: RunDetail["config"]): Loose {
  return { ...args, ...extra, ...(isEmpty(files) ? {} : { config_files: files }) };
}

/** Packages go by their names, so that another order or one package more changes nothing else. */
function environmentOf(detail: RunDetail): Loose {
  if (isEmpty(detail.environment)) return {};
  const { python, platform, host, git, packages, variables } = readEnvironment(detail.environment);
  const facts: Loose = { python, platform, host };
  if (git) facts.git = { commit: git.commit, branch: git.branch, changed_files: git.changed ?? 0 };
  facts.packages = Object.fromEntries(packages.map(({ name, version }) => [name, version]));
  facts.variables = Object.fromEntries(variables);
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== "" && !isEmpty(value)));
}

const parts: Record<(typeof RECORDED)[number], (detail: RunDetail) => unknown> = {
  config: (detail) => configOf(detail.config),
  summary: (detail) => detail.summary,
  environment: environmentOf,
};

/** Rows of one section, in the order in which the runs first name them; `base` is the place of the baseline. */
export function compareValues(values: readonly ReadonlyMap<string, string>[], base = -1): DifferenceRow[] {
  const paths = new Set(values.flatMap((value) => [...value.keys()]));
  return [...paths].map((path) => {
    const cells = values.map((value) => value.get(path) ?? null);
    return { path, cells, usual: base < 0 ? usualOf(cells) : (cells[base] ?? null) };
  });
}

function usualOf(cells: readonly (string | null)[]): string | null {
  const counts = new Map<string | null, number>();
  for (const cell of cells) counts.set(cell, (counts.get(cell) ?? 0) + 1);
  let usual = cells[0] ?? null;
  for (const [cell, count] of counts) if (count > (counts.get(usual) ?? 0)) usual = cell;
  return usual;
}

export const isEqual = (row: DifferenceRow): boolean => row.cells.every((cell) => cell === row.usual);

/** Whether each word of a search is somewhere in the texts. */
export function fits(texts: readonly (string | null)[], search: string): boolean {
  const text = texts.join("\n").toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** All sections that say anything, with the rows whose name or a value holds the words. */
export function differences(details: readonly RunDetail[], search = "", base = -1): SectionRows[] {
  return RECORDED.map((section) => {
    const values = details.map((detail) => flatten(parts[section](detail)));
    const rows = compareValues(values, base).filter(({ path, cells }) =>
      fits([path, ...new Set(cells)], search),
    );
    return {
      section,
      differing: rows.filter((row) => !isEqual(row)),
      equal: rows.filter(isEqual),
    };
  }).filter(({ differing, equal }) => differing.length + equal.length > 0);
}
