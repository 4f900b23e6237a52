/** Which lines of a log are shown, and its spelling in the address bar. Pure; what a line is, the server says. */

export const LEVELS = ["debug", "info", "warning", "error", "critical"] as const;
export type Level = (typeof LEVELS)[number];

export interface LogFilter {
  /** This serious or more. */
  level: Level | null;
  /** On the clock of the machine with the log, like `2026-01-31T23:59:59`. */
  since: string;
  until: string;
}

/** Without a choice of lines. */
export const WHOLE: LogFilter = { level: null, since: "", until: "" };

const CLOCK = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?$/;

export function readFilter(query: URLSearchParams): LogFilter {
  const time = (name: string) => {
    const text = query.get(name) ?? "";
    return CLOCK.test(text) ? text : "";
  };
  return {
    level: LEVELS.find((level) => level === query.get("level")) ?? null,
    since: time("since"),
    until: time("until"),
  };
}

export const filterKey = (filter: LogFilter): string =>
  [filter.level ?? "", filter.since, filter.until].join("|");

export const isWhole = (filter: LogFilter): boolean => filterKey(filter) === filterKey(WHOLE);

/** As the server takes it. */
export function filterQuery({ level, since, until }: LogFilter): Record<string, string | null> {
  return { level, since: since || null, until: until || null };
}

/** "10:15:42", with the day where two days may be meant. */
export function clockWords(clock: string, withDay: boolean): string {
  const [day = "", time = ""] = clock.split("T");
  return withDay ? `${day} ${time}` : time;
}

/** A stretch of time in few words: the day is said once when it is the same. */
export function stretchWords(since: string, until: string): string {
  const sameDay = since !== "" && since.split("T")[0] === until.split("T")[0];
  const from = since === "" ? "" : clockWords(since, true);
  const to = until === "" ? "" : clockWords(until, !sameDay);
  return `${from} – ${to}`.trim();
}
