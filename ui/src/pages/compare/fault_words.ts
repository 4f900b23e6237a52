/** Why something of a run is not here, in words; a machine that is away is named. */
import { preferences } from "../../state/preferences.svelte";
import { fill } from "../../text/languages";
import { faultText } from "../../text/words";
import { isAway } from "./compare_view.svelte";
import { compareWords } from "./context";

export const faultWords = (fault: unknown, machine: string): string =>
  isAway(fault) ? fill(compareWords().list.away, { machine }) : faultText(preferences.text, fault);
