/** Moments, given as Unix seconds: relative for reading, exact for hovering. */

export type Language = "en" | "zh";

const locales: Record<Language, string> = { en: "en-GB", zh: "zh-CN" };

type Form = "day" | "day_of_year" | "exact";
const forms: Record<Form, Intl.DateTimeFormatOptions> = {
  day: { month: "short", day: "numeric" },
  day_of_year: { year: "numeric", month: "short", day: "numeric" },
  exact: {
    year: "numeric",
    month: "short",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
    timeZoneName: "short",
  },
};

/** Making one takes as long as writing a hundred dates with it. */
const made = new Map<string, Intl.DateTimeFormat>();

/** The last second that a date can have, and, negated, the first. */
const LAST_SECS = 8.64e12;

function written(at: number, language: Language, form: Form): string {
  if (Math.abs(at) > LAST_SECS) return "–";
  const key = `${language} ${form}`;
  let format = made.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(locales[language], forms[form]);
    made.set(key, format);
  }
  return format.format(at * 1000);
}

/** "3 min ago"; anything older than a month is a date. */
export function formatAge(at: number | null | undefined, nowSecs: number, language: Language = "en"): string {
  if (at === null || at === undefined || !Number.isFinite(at)) return "–";
  const secs = nowSecs - at;
  if (secs < 45) return language === "zh" ? "刚刚" : "just now";
  const [count, unit] = largest(secs);
  if (unit === "month") return formatDay(at, language, nowSecs);
  if (language === "zh") return `${count} ${{ min: "分钟", h: "小时", d: "天" }[unit]}前`;
  return `${count} ${unit} ago`;
}

function largest(secs: number): [number, "min" | "h" | "d" | "month"] {
  if (secs < 3570) return [Math.max(1, Math.round(secs / 60)), "min"];
  if (secs < 84_600) return [Math.round(secs / 3600), "h"];
  if (secs < 30 * 86_400) return [Math.round(secs / 86_400), "d"];
  return [0, "month"];
}

/** "11 Sep", and the year when it is not that of `nowSecs`. */
export function formatDay(at: number, language: Language = "en", nowSecs?: number): string {
  const date = new Date(at * 1000);
  const thisYear = nowSecs !== undefined && new Date(nowSecs * 1000).getFullYear() === date.getFullYear();
  return written(at, language, thisYear ? "day" : "day_of_year");
}

/** "14:02", in local time. */
export function formatClock(at: number): string {
  return new Date(at * 1000).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}

/** To the second, in local time, with the zone: what a hover shows. */
export function formatExact(at: number | null | undefined, language: Language = "en"): string {
  if (at === null || at === undefined || !Number.isFinite(at)) return "–";
  return written(at, language, "exact");
}
