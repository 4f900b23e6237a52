/**
 * Which columns stand in the runs table, in which order, and which of them stay in view: as a member of the address,
 * `columns=!last:loss,state,config:lr` (a `!` stays in view). Pure.
 */

export interface Chosen {
  key: string;
  /** Stays at the left while the others move. */
  pinned: boolean;
}

/** More than anybody reads; an address may say anything. */
const MOST = 60;

const escaped = (key: string): string =>
  key.replace(/[%,!]/g, (mark) => (mark === "!" ? "%21" : encodeURIComponent(mark)));

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Null when the text chooses nothing. Pinned ones come first, each name once. */
export function readChoice(text: string | null): Chosen[] | null {
  if (text === null || text === "") return null;
  const found = new Map<string, Chosen>();
  for (const part of text.split(",").slice(0, MOST)) {
    const pinned = part.startsWith("!");
    const key = unescaped(pinned ? part.slice(1) : part);
    if (key !== "" && key !== "run" && !found.has(key)) found.set(key, { key, pinned });
  }
  return pinnedFirst([...found.values()]);
}

export const writeChoice = (choice: readonly Chosen[]): string =>
  choice.length === 0 ? "run" : choice.map(({ key, pinned }) => (pinned ? "!" : "") + escaped(key)).join(",");

export const choiceOf = (keys: readonly string[]): Chosen[] => keys.map((key) => ({ key, pinned: false }));

const pinnedFirst = (choice: readonly Chosen[]): Chosen[] => [
  ...choice.filter(({ pinned }) => pinned),
  ...choice.filter(({ pinned }) => !pinned),
];

export const isSame = (a: readonly Chosen[], b: readonly Chosen[]): boolean =>
  writeChoice(a) === writeChoice(b);

/** Adds a column at the end, or takes it away. */
export function toggled(choice: readonly Chosen[], key: string): Chosen[] {
  const rest = choice.filter((column) => column.key !== key);
  return rest.length < choice.length ? rest : [...choice, { key, pinned: false }];
}

/** A pinned column goes to the end of those in view, a freed one to the start of the others. */
export function pinToggled(choice: readonly Chosen[], key: string): Chosen[] {
  const column = choice.find((other) => other.key === key);
  if (!column) return [...choice];
  const rest = choice.filter((other) => other.key !== key);
  const edge = rest.filter(({ pinned }) => pinned).length;
  return [...rest.slice(0, edge), { key, pinned: !column.pinned }, ...rest.slice(edge)];
}

/** Moves a column by places among those of its kind; at the edge it stays. */
export function moved(choice: readonly Chosen[], key: string, by: number): Chosen[] {
  const from = choice.findIndex((column) => column.key === key);
  return movedTo(choice, key, from + by);
}

/** Moves a column to where another stands, without crossing the edge of the pinned ones. */
export function movedTo(choice: readonly Chosen[], key: string, to: number): Chosen[] {
  const from = choice.findIndex((column) => column.key === key);
  const column = choice[from];
  if (!column) return [...choice];
  const rest = choice.filter((other) => other.key !== key);
  const edge = rest.filter(({ pinned }) => pinned).length;
  const [low, high] = column.pinned ? [0, edge] : [edge, rest.length];
  const place = Math.min(high, Math.max(low, to));
  return [...rest.slice(0, place), column, ...rest.slice(place)];
}
