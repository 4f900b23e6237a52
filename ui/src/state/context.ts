/** What the frame hands down to every page. */
import { createContext } from "svelte";
import type { Api } from "../api/client";
import type { Live } from "../api/live.svelte";
import type { Alerts } from "./alerts.svelte";
import type { Clock } from "./clock.svelte";
import type { Connecting } from "./connecting.svelte";
import type { Desktop } from "./desktop.svelte";
import type { Machine } from "./host_facts";
import type { Hosts } from "./hosts.svelte";
import type { PageDeeds } from "./page_deeds.svelte";
import type { Root } from "./root.svelte";
import type { RunSource } from "./run_list.svelte";
import type { Toasts } from "./toasts.svelte";

/** The API of the machine on screen. */
export const [getApi, setApi] = createContext<Api>();
/** The machine on screen, as it stands now. */
export const [getMachine, setMachine] = createContext<() => Machine>();
export const [getHosts, setHosts] = createContext<Hosts>();
export const [getConnecting, setConnecting] = createContext<Connecting>();
export const [getLive, setLive] = createContext<Live>();
export const [getToasts, setToasts] = createContext<Toasts>();
export const [getRunList, setRunList] = createContext<RunSource>();
export const [getRoot, setRoot] = createContext<Root>();
export const [getDesktop, setDesktop] = createContext<Desktop>();
/** What a person is told of on the machine on screen. */
export const [getAlerts, setAlerts] = createContext<Alerts>();
export const [getClock, setClock] = createContext<Clock>();
/** What can be done on the page on screen. */
export const [getPageDeeds, setPageDeeds] = createContext<PageDeeds>();
