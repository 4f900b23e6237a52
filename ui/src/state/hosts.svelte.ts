/** The machines that can be reached and how each stands, kept current by the live link. */
import { untrack } from "svelte";
import { here } from "../api/client";
import type { HostsAnswer, Session } from "../api/hosts";
import type { Live, LiveFrame } from "../api/live.svelte";
import { type HostEntry, mergedHosts, type Remote, remotesOf } from "./host_facts";

/** Time between two questions while the live link is down. */
const fallbackMillis = 2_000;

export class Hosts {
  value = $state.raw<HostsAnswer | null>(null);
  error = $state.raw<unknown>(null);
  /** True until the first answer or failure. */
  waiting = $state(true);
  /** Null until they are known. */
  readonly list: readonly HostEntry[] | null = $derived(this.value ? mergedHosts(this.value.hosts) : null);
  readonly remotes: readonly Remote[] = $derived(remotesOf(this.list ?? []));

  readonly #live: Live;
  #flight: Promise<void> | null = null;
  #again = false;
  readonly #watchers = new Map<symbol, number>();
  #stopped = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(live: Live) {
    this.#live = live;
  }

  start(): () => void {
    this.#stopped = false;
    const deaf = this.#live.listen((frame) => this.#hear(frame));
    const wake = () => document.hidden || void this.refresh();
    document.addEventListener("visibilitychange", wake);
    untrack(() => void this.refresh());
    return () => {
      this.#stopped = true;
      deaf();
      document.removeEventListener("visibilitychange", wake);
      clearTimeout(this.#timer);
    };
  }

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
    untrack(() => this.#plan());
    return () => this.#watchers.delete(key);
  }

  /** Asks now. Calls during a question become one more question after it; resolves when the newest is answered. */
  refresh(): Promise<void> {
    if (this.#flight) this.#again = true;
    this.#flight ??= this.#ask().finally(() => {
      this.#flight = null;
    });
    return this.#flight;
  }

  async #ask(): Promise<void> {
    clearTimeout(this.#timer);
    do {
      this.#again = false;
      try {
        this.value = await here.get<HostsAnswer>("/api/hosts");
        this.error = null;
      } catch (error) {
        this.error = error;
      }
    } while (this.#again);
    this.waiting = false;
    this.#plan();
  }

  #plan(): void {
    clearTimeout(this.#timer);
    if (this.#stopped) return;
    const isBlind = this.#live.state !== "live" || this.error !== null;
    const isWatched = this.#watchers.size > 0 && !document.hidden && this.remotes.length > 0;
    if (!isBlind && !isWatched) return;
    this.#timer = setTimeout(
      () => void this.refresh(),
      isBlind ? fallbackMillis : Math.min(...this.#watchers.values()),
    );
  }

  #hear(frame: LiveFrame): void {
    if (frame.type === "hosts" || frame.type === "hello") void this.refresh();
  }
}
