/** What of a run is looked at, in the address bar. Pure. */

export const TABS = ["charts", "logs", "images", "assets", "overview"] as const;
export type Tab = (typeof TABS)[number];

export function readTab(query: URLSearchParams): Tab {
  return TABS.find((tab) => tab === query.get("tab")) ?? "charts";
}

export function writeTab(tab: Tab, query: URLSearchParams): void {
  if (tab === "charts") query.delete("tab");
  else query.set("tab", tab);
}

/** The run before and after this one in the order of a list; undefined where there is none. */
export function neighbours(ids: readonly string[], id: string): { before?: string; after?: string } {
  const at = ids.indexOf(id);
  if (at < 0) return {};
  return { before: ids[at - 1], after: ids[at + 1] };
}

/** The moment that is marked in charts and log, in Unix seconds; null when none is. */
export function readAt(query: URLSearchParams): number | null {
  const text = query.get("at") ?? "";
  return text !== "" && Number.isFinite(Number(text)) ? Number(text) : null;
}
