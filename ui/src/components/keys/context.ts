/** What the keys do, on which page: handed down to the help and the settings. */
import { createContext } from "svelte";
import type { KeyGroups } from "./key_lines";

export const [getKeyGroups, setKeyGroups] = createContext<KeyGroups>();
