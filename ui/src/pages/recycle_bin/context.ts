/** The words of this page, for its parts and its dialog. */
import { preferences } from "../../state/preferences.svelte";
import { type RecycleBinText, recycleBinTexts } from "../../text/recycle_bin";

/** In a `$derived`: follows the chosen language. */
export const binWords = (): RecycleBinText => recycleBinTexts[preferences.language];
