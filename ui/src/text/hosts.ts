/** The words of the Hosts page and its dialogs in each language; they travel with the page, not with the first script. */
import { type HostsText, hostsEn } from "./hosts_en";
import { hostsZh } from "./hosts_zh";
import type { Language } from "./languages";

export type { HostsText };
export const hostsTexts: Record<Language, HostsText> = { en: hostsEn, zh: hostsZh };

/** What to do about a refusal, by its code; a sentence for any code. */
export function adviceOf(words: HostsText, code: string): string {
  return Object.hasOwn(words.advice, code) ? (words.advice[code] ?? "") : (words.advice.OTHER ?? "");
}
