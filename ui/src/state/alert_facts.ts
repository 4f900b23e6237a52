/** Rules and events as values: what a rule asks for, what an event says, how one run is watched. */
import { formatDuration } from "../format/durations";
import type { AlertsText } from "../text/alerts";
import { counted } from "../text/counted";
import { fill, type Language, type Text } from "../text/languages";
import { statusWord } from "../text/words";

export type WatchedRuns =
  | { kind: "all" }
  | { kind: "chosen"; ids: string[] }
  | { kind: "folder"; path: string }
  | { kind: "tag"; tag: string };

export interface AlertRule {
  id: string;
  enabled: boolean;
  runs: WatchedRuns;
  ended: boolean;
  failed: boolean;
  stalled_after_secs: number | null;
  non_finite: boolean;
  /** Empty: any metric. */
  metrics: string[];
}

export interface AlertEvent {
  id: number;
  at: number;
  event: "ended" | "failed" | "stalled" | "non_finite";
  run: string;
  name: string;
  path: string;
  /** Whether the run is in the storage folder that is shown. */
  here: boolean;
  status: string | null;
  silent_secs: number | null;
  metrics: string[];
}

/** The rule that the bell of a run's page keeps. */
const ownRule = "watched-runs";
const usualStallSecs = 15 * 60;
export const stallLimitSecs = { least: 60, most: 31 * 86_400 };

/** A rule as a person begins with: all runs, whatever is bad news or the end. */
export function newRule(rules: readonly AlertRule[]): AlertRule {
  const taken = new Set(rules.map((rule) => rule.id));
  let number = rules.length + 1;
  while (taken.has(`rule-${number}`)) number += 1;
  return { ...watching(`rule-${number}`), runs: { kind: "all" } };
}

function watching(id: string): AlertRule {
  return {
    id,
    enabled: true,
    runs: { kind: "chosen", ids: [] },
    ended: true,
    failed: true,
    stalled_after_secs: usualStallSecs,
    non_finite: true,
    metrics: [],
  };
}

/** Whether a run is watched by itself, not only as one of all or of a folder. */
export function isChosen(rules: readonly AlertRule[], run: string): boolean {
  return rules.some((rule) => rule.enabled && rule.runs.kind === "chosen" && rule.runs.ids.includes(run));
}

/** The rules with a run watched by itself, or not. A rule of chosen runs that has none left goes. */
export function choosing(rules: readonly AlertRule[], run: string, chosen: boolean): AlertRule[] {
  if (!chosen) {
    return rules.flatMap((rule) => {
      if (rule.runs.kind !== "chosen" || !rule.runs.ids.includes(run)) return [rule];
      const ids = rule.runs.ids.filter((id) => id !== run);
      return ids.length === 0 ? [] : [{ ...rule, runs: { kind: "chosen" as const, ids } }];
    });
  }
  const own = rules.find((rule) => rule.id === ownRule && rule.runs.kind === "chosen") ?? watching(ownRule);
  const ids = own.runs.kind === "chosen" ? own.runs.ids.filter((id) => id !== run) : [];
  const next: AlertRule = { ...own, enabled: true, runs: { kind: "chosen", ids: [...ids, run] } };
  return [...rules.filter((rule) => rule.id !== ownRule), next];
}

/** What stops a rule from being kept, as a sentence; null when nothing does. */
export function ruleFault(rule: AlertRule, text: AlertsText): string | null {
  const t = text.editor;
  if (rule.runs.kind === "folder" && rule.runs.path.trim() === "") return t.folderMissing;
  if (rule.runs.kind === "tag" && rule.runs.tag.trim() === "") return t.tagMissing;
  const stall = rule.stalled_after_secs;
  if (stall !== null && !(stall >= stallLimitSecs.least && stall <= stallLimitSecs.most))
    return t.minutesWrong;
  if (!rule.ended && !rule.failed && !rule.non_finite && stall === null) return t.eventMissing;
  return null;
}

/** The names in a line of text that commas separate, each once. */
export function namesIn(line: string): string[] {
  return [...new Set(line.split(/[,，]/).map((name) => name.trim()))].filter(Boolean);
}

/** Whether an event is bad news. */
export function isBad(event: AlertEvent): boolean {
  return event.event !== "ended";
}

/** An event as a sentence. */
export function eventSentence(event: AlertEvent, words: AlertsText, text: Text, language: Language): string {
  const run = event.name || event.run;
  const metric = event.metrics[0] ?? "";
  const others = event.metrics.length - 1;
  switch (event.event) {
    case "ended":
      return fill(words.ended, { run, status: statusWord(text, event.status ?? "") });
    case "failed":
      return fill(words.failed, { run });
    case "stalled":
      return fill(words.stalled, { run, time: formatDuration(event.silent_secs, language) });
    default:
      return others > 0
        ? fill(words.nonFiniteSome, { run, metric, n: others })
        : fill(words.nonFinite, { run, metric });
  }
}

/** How many runs a rule of chosen runs names. */
export function chosenWords(ids: readonly string[], words: AlertsText): string {
  return ids.length === 0 ? words.editor.chosenNone : counted(words.editor.chosenSome, ids.length);
}
