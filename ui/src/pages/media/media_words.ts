/** The words about pictures, films and sounds, for every page that shows them. */
import { preferences } from "../../state/preferences.svelte";
import { type RunText, runTexts } from "../../text/run";

/** In a `$derived`: follow the chosen language. */
export const mediaWords = (): RunText["images"] => runTexts[preferences.language].images;
