/** Page → component. */
import type { Component } from "svelte";
import { lazyPages } from "./lazy_pages";
import Runs from "./pages/runs/Runs.svelte";
import type { PageName } from "./state/places";

/** The rules of what to be told of; they open over any page, too. */
export const notifications = async (): Promise<Component> =>
  (await import("./pages/settings/Notifications.svelte")).default;

export const pages: Record<PageName, () => Promise<Component> | Component> = {
  runs: () => Runs,
  ...lazyPages,
};
