/** The words of this page, for its parts and its dialogs. */
import { preferences } from "../../state/preferences.svelte";
import { type HostsText, hostsTexts } from "../../text/hosts";

/** In a `$derived`: follows the chosen language. */
export const hostsWords = (): HostsText => hostsTexts[preferences.language];
