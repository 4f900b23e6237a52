/** The words of this page, for its parts. */
import { preferences } from "../../state/preferences.svelte";
import { type AssetsText, assetsTexts } from "../../text/assets";

/** In a `$derived`: follows the chosen language. */
export const assetsWords = (): AssetsText => assetsTexts[preferences.language];
