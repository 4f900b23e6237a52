/** The languages there are, and which one a reader gets who has not chosen. */
import { en, type Text } from "./en";
import { zh } from "./zh";

export type { Text };
export type Language = "en" | "zh";

export const texts: Record<Language, Text> = { en, zh };

/** The first of the reader's languages that we speak. */
export function languageOf(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const language = tag.toLowerCase().split("-")[0];
    if (language === "en" || language === "zh") return language;
  }
  return "en";
}

/** Puts values into a sentence: `fill("{n} runs", { n: 3 })`. */
export function fill(sentence: string, values: Record<string, string | number>): string {
  return sentence.replace(/\{(\w+)\}/g, (hole, name: string) => String(values[name] ?? hole));
}
