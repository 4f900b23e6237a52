/** The pages that are fetched when they are opened. The first page comes with the script. */
import type { Component } from "svelte";
import type { PageName } from "./state/places";

export const lazyPages: Record<Exclude<PageName, "runs">, () => Promise<Component>> = {
  assets: async () => (await import("./pages/assets/Assets.svelte")).default,
  gpus: async () => (await import("./pages/gpus/Gpus.svelte")).default,
  compare: async () => (await import("./pages/compare/Compare.svelte")).default,
  hosts: async () => (await import("./pages/hosts/Hosts.svelte")).default,
  run: async () => (await import("./pages/run/Run.svelte")).default,
  recycle_bin: async () => (await import("./pages/recycle_bin/RecycleBin.svelte")).default,
  settings: async () => (await import("./pages/settings/Settings.svelte")).default,
};
