/** Words of the Settings page; fetched with the page. */
import type { Language } from "./languages";
import { settingsEn } from "./settings_en";
import { settingsZh } from "./settings_zh";

export const settingsTexts: Record<Language, typeof settingsEn> = { en: settingsEn, zh: settingsZh };
