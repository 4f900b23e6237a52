/** The words of the Run page in each language; they travel with the page, not with the first script. */
import type { Language } from "./languages";
import { type RunText, runEn } from "./run_en";
import { runZh } from "./run_zh";

export type { RunText };
export const runTexts: Record<Language, RunText> = { en: runEn, zh: runZh };
