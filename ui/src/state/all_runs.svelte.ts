/** The runs of this machine and of every connected one as one list. Each part keeps itself current. */
import { Api, here } from "../api/client";
import { type SeenList, wayTo } from "../api/hosts";
import { Live } from "../api/live.svelte";
import type { StorageInfo } from "../api/wire";
import { type HostEntry, isUp, type Remote, rememberedHosts } from "./host_facts";
import type { Hosts } from "./hosts.svelte";
import { type ListedRun, RunList, type RunSource } from "./run_list.svelte";

/** The list of a session's runs over its own live link. */
export function remoteList(hosts: Hosts, remote: Remote, among = false): RunList {
  const { sessionId } = remote.session;
  const api = new Api(wayTo(sessionId));
  return new RunList(new Live(api), {
    machine: remote.machine,
    name: remote.name,
    api,
    among,
    isReachable: () => {
      const session = hosts.session(sessionId);
      return session !== null && isUp(session);
    },
    lastSeen: () =>
      here.get<SeenList>(`/api/hosts/sessions/${encodeURIComponent(sessionId)}/run-list-cached`),
  });
}

/** What was last seen of a host that is not connected. */
function rememberedList(live: Live, host: HostEntry): RunList {
  const query = { connection_id: `${host.username}@${host.host}:${host.port}` };
  return new RunList(live, {
    machine: host.id,
    name: host.name,
    among: true,
    remembered: true,
    lastSeen: () => here.get<SeenList>("/api/hosts/run-list-cached", query),
  });
}

/** Loads a list and keeps its live link until the returned function is called. */
export function startRemote(list: RunList): () => void {
  const stops = [list.live.open(), list.start()];
  return () => {
    for (const stop of stops) stop();
  };
}

interface Part {
  list: RunList;
  stop: () => void;
}

export class AllRuns implements RunSource {
  #parts = $state.raw<ReadonlyMap<string, Part>>(new Map());
  readonly #home: RunList;

  /** `home` is this machine's list; somebody else starts and stops it. */
  constructor(home: RunList) {
    this.#home = home;
  }

  /** Every machine that takes part, this one first. */
  readonly lists: readonly RunList[] = $derived.by(() => [
    this.#home,
    ...[...this.#parts.values()].map((part) => part.list),
  ]);
  readonly rows: readonly ListedRun[] = $derived.by(() => this.lists.flatMap((list) => list.rows));
  readonly byKey: ReadonlyMap<string, ListedRun> = $derived(new Map(this.rows.map((row) => [row.key, row])));
  readonly storage: StorageInfo | null = null;
  /** One machine's fault is no fault of the list: it is said beside that machine. */
  readonly error: unknown = $derived.by(() =>
    this.lists.every((list) => list.error !== null) ? this.#home.error : null,
  );
  readonly waiting: boolean = $derived.by(() => this.lists.every((list) => list.waiting));

  /** Takes machines in and lets those go that are not shown any more. */
  follow(hosts: Hosts): void {
    const next = new Map<string, Part>();
    for (const remote of hosts.remotes) {
      const key = `${remote.session.sessionId} ${remote.machine} ${remote.name}`;
      next.set(key, this.#parts.get(key) ?? this.#begin(hosts, remote));
    }
    for (const host of rememberedHosts(hosts.list ?? [])) {
      next.set(host.id, this.#parts.get(host.id) ?? this.#recall(host));
    }
    for (const [key, part] of this.#parts) if (!next.has(key)) part.stop();
    const same = next.size === this.#parts.size && [...next.keys()].every((key) => this.#parts.has(key));
    if (!same) this.#parts = next;
  }

  stop(): void {
    for (const part of this.#parts.values()) part.stop();
    this.#parts = new Map();
  }

  #begin(hosts: Hosts, remote: Remote): Part {
    const list = remoteList(hosts, remote, true);
    return { list, stop: startRemote(list) };
  }

  #recall(host: HostEntry): Part {
    const list = rememberedList(this.#home.live, host);
    void list.refresh();
    return { list, stop: () => {} };
  }

  async refresh(): Promise<void> {
    await Promise.all(this.lists.map((list) => list.refresh()));
  }

  /** Only one machine's folder can be changed: all are asked again. */
  switched(): Promise<void> {
    return this.refresh();
  }
}
