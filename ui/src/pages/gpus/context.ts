/** The words of this page, for its parts. */
import { preferences } from "../../state/preferences.svelte";
import { type GpusText, gpusTexts } from "../../text/gpus";

/** In a `$derived`: follows the chosen language. */
export const gpusWords = (): GpusText => gpusTexts[preferences.language];
