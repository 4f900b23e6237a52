/** What the frame hands down to every page. */
import { createContext } from "svelte";
import type { Live } from "../api/live.svelte";
import type { Clock } from "./clock.svelte";
import type { Desktop } from "./desktop.svelte";
import type { Root } from "./root.svelte";
import type { RunList } from "./run_list.svelte";
import type { Toasts } from "./toasts.svelte";

export const [getLive, setLive] = createContext<Live>();
export const [getToasts, setToasts] = createContext<Toasts>();
export const [getRunList, setRunList] = createContext<RunList>();
export const [getRoot, setRoot] = createContext<Root>();
export const [getDesktop, setDesktop] = createContext<Desktop>();
export const [getClock, setClock] = createContext<Clock>();
