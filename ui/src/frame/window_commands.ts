/** What can be done from every page: where to go, which machine and folder to show, how it looks. */
import type { RunView } from "../api/annotations";
import { copyText } from "../state/clipboard";
import type { Connecting } from "../state/connecting.svelte";
import { deedOf } from "../state/host_facts";
import type { Hosts } from "../state/hosts.svelte";
import {
  ALL,
  assetsHref,
  compareHref,
  gpusHref,
  hostsHref,
  logsOfRuns,
  recycleBinHref,
  runsHref,
  SETTINGS_SECTIONS,
  settingsHref,
} from "../state/places";
import { preferences } from "../state/preferences.svelte";
import { printing } from "../state/printing.svelte";
import type { Root } from "../state/root.svelte";
import { route } from "../state/route.svelte";
import type { RunSource } from "../state/run_list.svelte";
import { tickedRuns } from "../state/ticked_runs.svelte";
import type { Toasts } from "../state/toasts.svelte";
import { alertsTexts } from "../text/alerts";
import { fill } from "../text/languages";
import { settingsTexts } from "../text/settings";
import type { Command } from "./palette";

/** What the commands act on. */
export interface Window {
  list: RunSource;
  root: Root;
  hosts: Hosts;
  connecting: Connecting;
  toasts: Toasts;
  /** Views of the run table by name. */
  views: readonly RunView[];
  /** Opens the rules of what to be told of; null where there are none. */
  onalerts: (() => void) | null;
  onhelp: () => void;
}

const command = (key: string, label: string, run: () => void, hint = ""): Command => ({
  key,
  label,
  hint,
  run,
});
const go = (key: string, label: string, href: string, hint = "") =>
  command(key, label, () => route.go(href), hint);

/** All of them, in the order in which they are shown. */
export function windowCommands(window: Window): Command[] {
  const ticked = comparisonCommands();
  return [
    ...(tickedRuns.comparison === null ? [] : ticked),
    ...pageCommands(),
    ...(tickedRuns.comparison === null ? ticked : []),
    ...viewCommands(window.views),
    ...hostCommands(window),
    ...rootCommands(window),
    ...lookCommands(),
    ...settingCommands(),
    ...windowDeeds(window),
  ];
}

function comparisonCommands(): Command[] {
  const t = preferences.text.palette;
  const { comparison, rows } = tickedRuns;
  if (comparison === null) return [go("compare", t.goCompare, compareHref([], route.place.machine))];
  const logs = logsOfRuns(comparison);
  return [
    go("compare", fill(t.compare, { n: rows.length }), comparison, "C"),
    ...(logs === null ? [] : [go("logs", fill(t.logs, { n: rows.length }), logs, "L")]),
  ];
}

function pageCommands(): Command[] {
  const t = preferences.text.palette;
  const { machine } = route.place;
  return [
    go("runs", t.goRuns, runsHref("", machine)),
    go("assets", t.goAssets, assetsHref("", machine)),
    go("gpus", t.goGpus, gpusHref("", machine)),
    go("hosts", t.goHosts, hostsHref("", machine)),
    go("recycle-bin", t.goRecycleBin, recycleBinHref("", machine)),
    go("settings", t.goSettings, settingsHref("", machine)),
  ];
}

function settingCommands(): Command[] {
  const t = preferences.text.palette;
  const { machine } = route.place;
  const { sections } = settingsTexts[preferences.language];
  return [
    ...SETTINGS_SECTIONS.map((section) =>
      go(
        `settings-${section}`,
        fill(t.setting, { name: sections[section] }),
        settingsHref(`section=${section}`, machine),
      ),
    ),
  ];
}

function viewCommands(views: readonly RunView[]): Command[] {
  const t = preferences.text.palette;
  return views.map(({ name, query }) =>
    go(`view-${name}`, fill(t.view, { name }), runsHref(query, route.place.machine)),
  );
}

function hostCommands({ hosts, connecting }: Window): Command[] {
  const t = preferences.text.palette;
  const here = { machine: "", name: preferences.text.frame.thisMachine };
  const shown = [here, ...hosts.remotes].map(({ machine, name }) =>
    go(`host-${machine}`, fill(t.goHost, { name }), runsHref("", machine)),
  );
  const away = (hosts.list ?? []).filter((host) => deedOf(host) === "connect");
  return [
    ...(hosts.remotes.length === 0 ? [] : [...shown, go("host-all", t.goAll, runsHref("", ALL))]),
    ...away.map((host) =>
      command(`connect-${host.id}`, fill(t.connect, { name: host.name }), () =>
        connecting.open({ host: host.id, goal: "open" }),
      ),
    ),
  ];
}

function rootCommands({ list, root, toasts }: Window): Command[] {
  const { palette: t, root: words, runs, samples } = preferences.text;
  const { storage } = list;
  if (storage === null) return [];
  async function tried(work: Promise<string | null>, done?: string): Promise<void> {
    const fault = await work;
    if (fault !== null) toasts.say(fill(runs.notDone, { detail: fault }), { kind: "bad" });
    else if (done !== undefined) toasts.say(done);
  }
  const others = storage.recent_roots.filter((path) => path !== storage.root);
  return [
    command("root", t.openRoot, () => (root.asking = true), storage.root),
    ...others.map((path) =>
      command(
        `root-${path}`,
        fill(t.root, { path }),
        () => void tried(root.use(path), fill(words.switched, { root: path })),
      ),
    ),
    storage.sample
      ? command("samples", samples.back, () => void tried(root.leaveSamples()))
      : command("samples", samples.show, () => void tried(root.showSamples())),
  ];
}

function lookCommands(): Command[] {
  const t = preferences.text.palette;
  const s = preferences.text.settings;
  const themes = [
    ["system", s.system],
    ["light", s.light],
    ["dark", s.dark],
  ] as const;
  const languages = [
    ["en", "English"],
    ["zh", "简体中文"],
  ] as const;
  const densities = [
    ["comfortable", s.comfortable],
    ["compact", s.compact],
  ] as const;
  const palettes = [
    ["standard", s.standard],
    ["contrast", s.contrast],
  ] as const;
  const choice = (kind: string, value: string, label: string, name: string, run: () => void) =>
    command(`${kind}-${value}`, fill(label, { name }), run);
  return [
    ...themes.map(([theme, name]) => choice("theme", theme, t.theme, name, () => preferences.set({ theme }))),
    ...languages.map(([language, name]) =>
      choice("language", language, t.language, name, () => preferences.set({ language })),
    ),
    ...densities.map(([density, name]) =>
      choice("density", density, t.density, name, () => preferences.set({ density })),
    ),
    ...palettes.map(([palette, name]) =>
      choice("palette", palette, t.lines, name, () => preferences.set({ palette })),
    ),
  ];
}

function windowDeeds({ toasts, onalerts, onhelp }: Window): Command[] {
  const { palette: t, common } = preferences.text;
  const copyLink = () => void copyText(location.origin + route.href).then(() => toasts.say(common.copied));
  return [
    ...(onalerts === null ? [] : [command("alerts", alertsTexts[preferences.language].palette, onalerts)]),
    command("link", t.copyLink, copyLink),
    command("print", t.print, () => void printing.print(), "Ctrl P"),
    command("help", t.keyboard, onhelp, "?"),
  ];
}
