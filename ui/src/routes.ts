/** Page → component. The first page comes with the script; the others are fetched when they are opened. */
import type { Component } from "svelte";
import Runs from "./pages/runs/Runs.svelte";
import type { PageName } from "./state/places";

/** The rules of what to be told of; they open over any page, too. */
export const notifications = async (): Promise<Component> =>
  (await import("./pages/settings/Notifications.svelte")).default;

export const pages: Record<PageName, () => Promise<Component> | Component> = {
  runs: () => Runs,
  assets: async () => (await import("./pages/assets/Assets.svelte")).default,
  gpus: async () => (await import("./pages/gpus/Gpus.svelte")).default,
  compare: async () => (await import("./pages/compare/Compare.svelte")).default,
  hosts: async () => (await import("./pages/hosts/Hosts.svelte")).default,
  run: async () => (await import("./pages/run/Run.svelte")).default,
  recycle_bin: async () => (await import("./pages/recycle_bin/RecycleBin.svelte")).default,
  settings: async () => (await import("./pages/settings/Settings.svelte")).default,
};
