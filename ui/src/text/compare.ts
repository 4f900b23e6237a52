/** The words of the Compare page in each language; they travel with the page, not with the first script. */
import { type CompareText, compareEn } from "./compare_en";
import { compareZh } from "./compare_zh";
import type { Language } from "./languages";

export type { CompareText };
export const compareTexts: Record<Language, CompareText> = { en: compareEn, zh: compareZh };
