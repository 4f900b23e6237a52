/** The words of the GPUs page in each language; they travel with the page, not with the first script. */
import { type GpusText, gpusEn } from "./gpus_en";
import { gpusZh } from "./gpus_zh";
import type { Language } from "./languages";

export type { GpusText };
export const gpusTexts: Record<Language, GpusText> = { en: gpusEn, zh: gpusZh };
