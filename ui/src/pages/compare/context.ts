/** What the Compare page hands down to its parts, and its words. */
import { createContext } from "svelte";
import { preferences } from "../../state/preferences.svelte";
import { type CompareText, compareTexts } from "../../text/compare";
import { type RunText, runTexts } from "../../text/run";
import type { Baseline } from "./baseline/baseline.svelte";
import type { CompareView } from "./compare_view.svelte";

/** In a `$derived`: follow the chosen language. */
export const compareWords = (): CompareText => compareTexts[preferences.language];
/** Charts are looked at with the words of the Run page. */
export const chartWords = (): RunText => runTexts[preferences.language];

export const [getBaseline, setBaseline] = createContext<Baseline>();
export const [getView, setView] = createContext<CompareView>();
