/** The words of the assets in each language; they travel with the page, not with the first script. */
import { type AssetsText, assetsEn } from "./assets_en";
import { assetsZh } from "./assets_zh";
import type { Language } from "./languages";

export type { AssetsText };
export const assetsTexts: Record<Language, AssetsText> = { en: assetsEn, zh: assetsZh };
