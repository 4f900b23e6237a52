/** Address → machine and page, and back. Names are those of the rail, the page folders and the server's files. */

export type PageName = "runs" | "run" | "compare" | "assets" | "gpus" | "hosts" | "recycle_bin" | "settings";

export interface Place {
  /** Whose runs: empty for the machine that serves the page, `all`, or a host's id, with `~session` when it has several. */
  machine: string;
  /** Null: no page has this address. */
  page: PageName | null;
  id: string | null;
}

/** The runs of all machines in one list. */
export const ALL = "all";

const elsewhere = /^\/at\/([^/]+)(\/.*)?$/;

const table: readonly { page: PageName; pattern: RegExp }[] = [
  { page: "runs", pattern: /^\/(?:runs\/?)?(?:index\.html)?$/ },
  { page: "run", pattern: /^\/run\/([^/]+)\/?$/ },
  { page: "assets", pattern: /^\/assets\/?$/ },
  { page: "gpus", pattern: /^\/gpus\/?$/ },
  { page: "compare", pattern: /^\/compare\/?$/ },
  { page: "hosts", pattern: /^\/hosts\/?$/ },
  { page: "recycle_bin", pattern: /^\/recycle-bin\/?$/ },
  { page: "settings", pattern: /^\/settings\/?$/ },
];

export function placeOf(pathname: string): Place {
  const away = elsewhere.exec(pathname);
  const machine = decoded(away?.[1] ?? "");
  const path = away ? (away[2] ?? "/") : pathname;
  for (const { page, pattern } of table) {
    const found = pattern.exec(path);
    if (found) return { machine, page, id: found[1] === undefined ? null : decoded(found[1]) };
  }
  return { machine, page: null, id: null };
}

/** A segment with a broken escape is taken as it stands. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** `ssh:gpu-03` and `recent:me@10.0.0.7:22` stay readable in the address bar. */
function prefix(machine: string): string {
  if (machine === "") return "";
  const plain = encodeURIComponent(machine).replaceAll("%3A", ":").replaceAll("%40", "@");
  return `/at/${plain}`;
}

const withQuery = (path: string, query: string): string => (query === "" ? path : `${path}?${query}`);

export const runHref = (id: string, machine = ""): string =>
  `${prefix(machine)}/run/${encodeURIComponent(id)}`;
export const runsHref = (query = "", machine = ""): string => withQuery(`${prefix(machine)}/runs`, query);
export const hostsHref = (query = "", machine = ""): string => withQuery(`${prefix(machine)}/hosts`, query);

/** A machine has its assets, its GPUs and its bin for itself: from the list of all machines the way leads to those of this one. */
const single = (machine: string): string => prefix(machine === ALL ? "" : machine);
export const gpusHref = (query = "", machine = ""): string => withQuery(`${single(machine)}/gpus`, query);
export const assetsHref = (query = "", machine = ""): string => withQuery(`${single(machine)}/assets`, query);
/** One asset among all. */
export const assetHref = (id: string, machine = ""): string =>
  assetsHref(`selected=${encodeURIComponent(id)}`, machine);
export const recycleBinHref = (query = "", machine = ""): string =>
  withQuery(`${single(machine)}/recycle-bin`, query);

/** The parts of the settings, in their order and as the address names them. */
export const SETTINGS_SECTIONS = ["storage", "look", "notifications", "shortcuts", "about"] as const;
export type SettingsSection = (typeof SETTINGS_SECTIONS)[number];

export const settingsSectionOf = (text: string): SettingsSection =>
  SETTINGS_SECTIONS.find((section) => section === text) ?? "storage";

export const settingsHref = (query = "", machine = ""): string =>
  withQuery(`${prefix(machine)}/settings`, query);

/** A comma stands between ids; one inside an id is escaped once more. */
const idText = (id: string): string => encodeURIComponent(id.replace(/[%,]/g, encodeURIComponent));

/** These runs of a machine beside each other; without any, the page that teaches how to choose some. */
export const compareHref = (ids: readonly string[] = [], machine = ""): string =>
  withQuery(`${prefix(machine)}/compare`, ids.length === 0 ? "" : `runs=${ids.map(idText).join(",")}`);

/** The logs of compared runs; `comparison` is an address of these runs beside each other. */
export const logsOfRuns = (comparison: string | null): string | null =>
  comparison === null ? null : `${comparison}&tab=logs`;

/** A list of ids as a member of an address; null for none. */
export const idsMember = (ids: readonly string[]): string | null =>
  ids.length === 0 ? null : ids.map((id) => id.replace(/[%,]/g, encodeURIComponent)).join(",");

/** The ids of such a member, each once. */
export const idsOf = (member: string): string[] => [
  ...new Set(member.split(",").filter(Boolean).map(decoded)),
];
