/** Lengths of time: at most two units, the larger first. */
import type { Language } from "./dates";

const words = {
  en: { d: "d", h: "h", min: "min", s: "s", ms: "ms" },
  zh: { d: "天", h: "小时", min: "分", s: "秒", ms: "毫秒" },
} as const;

export function formatDuration(secs: number | null | undefined, language: Language = "en"): string {
  if (secs === null || secs === undefined || !Number.isFinite(secs) || secs < 0) return "–";
  const w = words[language];
  if (secs < 1) return `${Math.round(secs * 1000)} ${w.ms}`;
  if (secs < 10) return `${secs.toFixed(1)} ${w.s}`;
  const whole = Math.round(secs);
  if (whole < 60) return `${whole} ${w.s}`;
  if (whole < 3600) return pair(Math.floor(whole / 60), w.min, whole % 60, w.s);
  const minutes = Math.round(secs / 60);
  if (minutes < 1440) return pair(Math.floor(minutes / 60), w.h, minutes % 60, w.min);
  const hours = Math.round(secs / 3600);
  return pair(Math.floor(hours / 24), w.d, hours % 24, w.h);
}

function pair(large: number, largeWord: string, small: number, smallWord: string): string {
  return small === 0 ? `${large} ${largeWord}` : `${large} ${largeWord} ${small} ${smallWord}`;
}
