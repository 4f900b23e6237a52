/** The machines that can be reached and how each stands, kept current by the live link. */
import { untrack } from "svelte";
import { here } from "../api/client";
import type { HostsAnswer, Session } from "../api/hosts";
import type { LiveFrame } from "../api/live.svelte";
import { LiveQuestion } from "../api/live_question.svelte";
import { type HostEntry, mergedHosts, type Remote, remotesOf } from "./host_facts";

/** Time between two questions while the live link is down. */
const fallbackMillis = 2_000;

export class Hosts extends LiveQuestion {
  value = $state.raw<HostsAnswer | null>(null);
  /** Null until they are known. */
  readonly list: readonly HostEntry[] | null = $derived(this.value ? mergedHosts(this.value.hosts) : null);
  readonly remotes: readonly Remote[] = $derived(remotesOf(this.list ?? []));

  readonly #watchers = new Map<symbol, number>();

  host(id: string): HostEntry | null {
    return this.list?.find((host) => host.id === id) ?? null;
  }

  session(id: string): Session | null {
    for (const host of this.list ?? []) {
      const found = host.sessions.find((session) => session.sessionId === id);
      if (found) return found;
    }
    return null;
  }

  /** Asks for traffic and latency, of which no event tells, until the returned function is called. */
  watchFigures(everyMillis: number): () => void {
    const key = Symbol("watch");
    this.#watchers.set(key, everyMillis);
    untrack(() => this.plan());
    return () => this.#watchers.delete(key);
  }

  protected async ask(signal: AbortSignal): Promise<void> {
    const value = await here.get<HostsAnswer>("/api/hosts", {}, signal);
    if (!signal.aborted) this.value = value;
  }

  protected override restMillis(): number | null {
    if (this.live.state !== "live" || this.error !== null) return fallbackMillis;
    const isWatched = this.#watchers.size > 0 && !document.hidden && this.remotes.length > 0;
    return isWatched ? Math.min(...this.#watchers.values()) : null;
  }

  protected hear(frame: LiveFrame): void {
    if (frame.type === "hosts" || frame.type === "hello") void this.refresh();
  }
}
