/** Runs put together by what they share: a configuration value, the state, the folder, tags. Pure. */
import type { RecordedValue } from "../../../api/run_values";
import type { ComparedRun } from "../compared_runs";

/** What the runs are grouped by; null: not at all. `config:<name>`, `tag:<name>`, `state`, `folder` or `tags`. */
export type GroupBy = string | null;

export const PLAIN_WAYS = ["state", "folder", "tags"] as const;
export type PlainWay = (typeof PLAIN_WAYS)[number];

export const BANDS = ["range", "standard_error", "none"] as const;
export type BandChoice = (typeof BANDS)[number];

export interface RunGroup {
  /** What its runs share, as a text that stays the same: it stands in the address. */
  key: string;
  /** Id of its line in the charts, and what it is pointed at by. */
  line: string;
  /** The same of the groups that would be one if one machine had all their runs. */
  share: string;
  /** What people read. */
  label: string;
  runs: ComparedRun[];
}

/** Words for what has no name of its own. */
export interface GroupWords {
  /** Of a run without the value, the folder or any tag. */
  missing: string;
  /** "without {tag}" */
  without: string;
  stateWord: (state: string) => string;
}

const PREFIX = "group:";
export const lineOfGroup = (key: string): string => PREFIX + key;

/** Keys of runs that lack the value stand apart from all values: none begins so. */
const MISSING = "-";
const keyOf = (value: string): string => `=${value}`;

export function readGroupBy(text: string): GroupBy {
  if ((PLAIN_WAYS as readonly string[]).includes(text)) return text;
  return /^(?:config|tag):./.test(text) ? text : null;
}

const order = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

/** Groups in a natural order of their names, runs without the value last; runs keep their order. */
export function groupRuns(
  by: string,
  runs: readonly ComparedRun[],
  recorded: (field: string, run: string) => RecordedValue,
  words: GroupWords,
): RunGroup[] {
  const groups = new Map<string, RunGroup>();
  for (const run of runs) {
    const share = shareOf(by, run, recorded, words);
    // No machine can average the points of another one: each has groups of its own.
    const key = run.machine ? `${share.key} ${run.machine}` : share.key;
    const label = run.machine ? `${share.label} · ${run.machine}` : share.label;
    const group = groups.get(key);
    if (group) group.runs.push(run);
    else groups.set(key, { key, share: share.key, line: lineOfGroup(key), label, runs: [run] });
  }
  return [...groups.values()].sort(inOrder);
}

/** Whether runs that share a value stand in several groups, because several machines have them. */
export const isSplit = (groups: readonly RunGroup[]): boolean =>
  new Set(groups.map((group) => group.share)).size < groups.length;

function inOrder(one: RunGroup, other: RunGroup): number {
  const last = (group: RunGroup) => Number(group.key === MISSING || group.key.startsWith(`${MISSING} `));
  const [a, b] = [Number(one.key.slice(1)), Number(other.key.slice(1))];
  const numbers = one.key.length > 1 && other.key.length > 1 && !Number.isNaN(a) && !Number.isNaN(b);
  return last(one) - last(other) || (numbers ? a - b : order.compare(one.label, other.label));
}

function shareOf(
  by: string,
  run: ComparedRun,
  recorded: (field: string, run: string) => RecordedValue,
  words: GroupWords,
): { key: string; label: string } {
  const missing = { key: MISSING, label: words.missing };
  const told = (value: string | null | undefined, label = value) =>
    value ? { key: keyOf(value), label: label ?? value } : missing;
  if (by === "state") return told(run.status, words.stateWord(run.status ?? ""));
  if (by === "folder") return told(run.path);
  if (by === "tags") return told([...run.tags].sort(order.compare).join(", "));
  if (by.startsWith("tag:")) {
    const tag = by.slice("tag:".length);
    const label = words.without.replace("{tag}", () => tag);
    return run.tags.includes(tag) ? { key: keyOf("1"), label: tag } : { key: MISSING, label };
  }
  const value = recorded(by, run.id);
  return value === null ? missing : { key: keyOf(String(value)), label: String(value) || "“”" };
}

/** Every tag of these runs, in a natural order. */
export const tagsOf = (runs: readonly ComparedRun[]): string[] =>
  [...new Set(runs.flatMap((run) => run.tags))].sort(order.compare);
