/** The words about notifications in each language. */
import { type AlertsText, alertsEn } from "./alerts_en";
import { alertsZh } from "./alerts_zh";
import type { Language } from "./languages";

export type { AlertsText };
export const alertsTexts: Record<Language, AlertsText> = { en: alertsEn, zh: alertsZh };
