/** The words of the recycle bin in each language; they travel with the page, not with the first script. */
import type { Language } from "./languages";
import { type RecycleBinText, recycleBinEn } from "./recycle_bin_en";
import { recycleBinZh } from "./recycle_bin_zh";

export type { RecycleBinText };
export const recycleBinTexts: Record<Language, RecycleBinText> = { en: recycleBinEn, zh: recycleBinZh };
