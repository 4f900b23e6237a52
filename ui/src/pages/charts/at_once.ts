/** Whether a chart stands among the first of its page: its shelf knows, the chart asks. */
import { createContext } from "svelte";

export const [isAtOnce, setAtOnce] = createContext<() => boolean>();
