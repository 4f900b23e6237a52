/** What the Run page hands down to its parts. */
import { createContext } from "svelte";
import type { RunText } from "../../text/run";
import type { RunView } from "./run_view.svelte";

/** A function, because the reader may change the language while the page is open. */
export const [getWords, setWords] = createContext<() => RunText>();
export const [getView, setView] = createContext<RunView>();
