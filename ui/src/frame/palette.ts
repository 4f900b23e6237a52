/** What the command palette finds for a few typed words, and in which order it shows it; pure. */
import type { RunRow } from "../api/wire";

export interface Command {
  key: string;
  label: string;
  /** Faint text at the right. */
  hint: string;
  run: () => void;
}

/** Commands under a heading. */
export interface Section {
  key: string;
  title: string;
  commands: readonly Command[];
}

/** In front of what was typed: actions only, no runs. */
const ACTIONS_ONLY = ">";
/** Runs before the actions, and all that are listed. */
const FIRST_RUNS = 6;
const MOST_RUNS = 100;
/** Commands of one kind that are listed; words lead to the others. */
const MOST_COMMANDS = 60;

export interface Question {
  words: readonly string[];
  actionsOnly: boolean;
}

export function questionOf(typed: string): Question {
  const actionsOnly = typed.trimStart().startsWith(ACTIONS_ONLY);
  const text = actionsOnly ? typed.trimStart().slice(ACTIONS_ONLY.length) : typed;
  return { words: text.toLowerCase().split(/\s+/).filter(Boolean), actionsOnly };
}

/** Every word stands somewhere in the text. */
function fits(text: string, words: readonly string[]): boolean {
  const low = text.toLowerCase();
  return words.every((word) => low.includes(word));
}

/** The commands that fit; those that begin with what was typed come first. */
export function commandsThatFit(commands: readonly Command[], words: readonly string[]): Command[] {
  const found = commands.filter(({ label }) => fits(label, words));
  const begins = ({ label }: Command) => words.length > 0 && label.toLowerCase().startsWith(words.join(" "));
  return [...found.filter(begins), ...found.filter((command) => !begins(command))].slice(0, MOST_COMMANDS);
}

/** What a run is searched by, in small letters; rows never change, so each is put together once. */
const searched = new WeakMap<RunRow, { name: string; all: string }>();

function textsOf(row: RunRow): { name: string; all: string } {
  const known = searched.get(row);
  if (known) return known;
  const name = (row.alias ?? row.id).toLowerCase();
  const all = [name, row.id, row.path ?? "", ...row.tags].join("\n").toLowerCase();
  const texts = { name, all };
  searched.set(row, texts);
  return texts;
}

/** 0: it is called just that, 1: its name begins so, 2: its name has the words, 3: they stand elsewhere. */
function rankOf(row: RunRow, words: readonly string[]): number | null {
  const { name, all } = textsOf(row);
  if (!words.every((word) => all.includes(word))) return null;
  const typed = words.join(" ");
  if (name === typed || row.id.toLowerCase() === typed) return 0;
  if (name.startsWith(typed)) return 1;
  return words.every((word) => name.includes(word)) ? 2 : 3;
}

/** The runs that fit, the closest names first and the list's order among equals: at most so many, and how many there are. */
export function runsThatFit<Row extends RunRow>(
  rows: readonly Row[],
  words: readonly string[],
  most: number = MOST_RUNS,
): { rows: Row[]; count: number } {
  if (words.length === 0) return { rows: rows.slice(0, most), count: rows.length };
  const ranks: Row[][] = [[], [], [], []];
  let count = 0;
  for (const row of rows) {
    const rank = rankOf(row, words);
    if (rank === null) continue;
    count += 1;
    const same = ranks[rank] as Row[];
    if (same.length < most) same.push(row);
  }
  return { rows: ranks.flat().slice(0, most), count };
}

export interface Offers {
  /** What can be done on the page on screen. */
  page: readonly Command[];
  everywhere: readonly Command[];
  runs: readonly Command[];
  /** Shows all runs that fit in the table; null: they are all here. */
  rest: Command | null;
}

/**
 * Sections in the order in which they are shown. Nothing typed: what can be done here, then the newest runs. Words: the
 * closest runs, actions, then the other runs; an action that begins so comes before all.
 */
export function sectionsOf(
  offers: Offers,
  { words, actionsOnly }: Question,
  titles: { runs: string; more: string; page: string; actions: string },
): Section[] {
  const page = commandsThatFit(offers.page, words);
  const everywhere = commandsThatFit(offers.everywhere, words);
  const rest = offers.rest === null ? [] : [offers.rest];
  const actions = [
    { key: "page", title: titles.page, commands: page },
    { key: "actions", title: titles.actions, commands: everywhere },
  ];
  const runs = { key: "runs", title: titles.runs, commands: offers.runs.slice(0, FIRST_RUNS) };
  const more = { key: "more", title: titles.more, commands: [...offers.runs.slice(FIRST_RUNS), ...rest] };
  const shown = actionsOnly
    ? actions
    : words.length === 0
      ? [...actions, runs]
      : isAsked([...page, ...everywhere], words)
        ? [...actions, runs, more]
        : [runs, ...actions, more];
  return shown.filter((section) => section.commands.length > 0);
}

const isAsked = (commands: readonly Command[], words: readonly string[]): boolean =>
  commands.some(({ label }) => label.toLowerCase().startsWith(words.join(" ")));
