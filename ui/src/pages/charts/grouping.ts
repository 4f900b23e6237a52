/** Which charts a run has and in which groups: by the name's part before the first slash, pinned ones first. */

export interface ChartGroup {
  /** The prefix; empty for names without one. */
  prefix: string;
  metrics: string[];
}

/** `train/loss` belongs to `train`, `layers/0/norm` to `layers`, `loss` to the group without a name. */
export function prefixOf(metric: string): string {
  const slash = metric.indexOf("/");
  return slash > 0 && slash < metric.length - 1 ? metric.slice(0, slash) : "";
}

/** The part of the name that its group does not say already. */
export function leafOf(metric: string): string {
  const prefix = prefixOf(metric);
  return prefix === "" ? metric : metric.slice(prefix.length + 1);
}

const order = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

export function groupMetrics(metrics: readonly string[]): ChartGroup[] {
  const groups = new Map<string, string[]>();
  for (const metric of metrics) {
    const prefix = prefixOf(metric);
    const group = groups.get(prefix);
    if (group) group.push(metric);
    else groups.set(prefix, [metric]);
  }
  return [...groups.entries()]
    .sort(([one], [other]) => order.compare(one, other))
    .map(([prefix, names]) => ({ prefix, metrics: names.sort(order.compare) }));
}

/** Metrics that match a search: every word somewhere in the name, or the whole as a regex when it is written `/…/`. */
export function searchMetrics(
  metrics: readonly string[],
  search: string,
): { found: string[]; problem: boolean } {
  const wanted = search.trim();
  if (wanted === "") return { found: [...metrics], problem: false };
  const regex = /^\/(.+)\/$/.exec(wanted)?.[1];
  if (regex !== undefined) {
    try {
      const pattern = new RegExp(regex, "i");
      return { found: metrics.filter((metric) => pattern.test(metric)), problem: false };
    } catch {
      return { found: [], problem: true };
    }
  }
  const words = wanted.toLowerCase().split(/\s+/);
  const found = metrics.filter((metric) => words.every((word) => metric.toLowerCase().includes(word)));
  return { found, problem: false };
}
