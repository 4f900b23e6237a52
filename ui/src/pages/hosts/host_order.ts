/** The order of the list of servers: what is connected first, then what was used last. Pure. */

import type { SortOrder } from "../../components/table/columns";
import { addressOf, type HostEntry, hostState, stateRank } from "../../state/host_facts";

const collator = new Intl.Collator(["en", "zh"], { numeric: true, sensitivity: "base" });

/** Anything that stands or moves before anything that rests. */
const standing = (host: HostEntry): number => Math.min(stateRank(hostState(host)), stateRank("signed_in"));

const compare: Record<string, (a: HostEntry, b: HostEntry) => number> = {
  name: (a, b) => collator.compare(a.name, b.name),
  address: (a, b) => collator.compare(addressOf(a), addressOf(b)),
  state: (a, b) => stateRank(hostState(a)) - stateRank(hostState(b)),
  seen: (a, b) => (a.last_seen_at ?? 0) - (b.last_seen_at ?? 0),
};

/** Without a wish: connected ones, then the last used ones, then as the ssh config has them. */
export function orderedHosts(hosts: readonly HostEntry[], sort: SortOrder | null): HostEntry[] {
  const by = sort ? compare[sort.key] : undefined;
  if (sort && by) return [...hosts].sort((a, b) => (sort.descending ? -1 : 1) * by(a, b));
  return [...hosts].sort(
    (a, b) => standing(a) - standing(b) || (b.last_seen_at ?? 0) - (a.last_seen_at ?? 0),
  );
}
