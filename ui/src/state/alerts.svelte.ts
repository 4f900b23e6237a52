/** What a person wants to be told of on one machine, and what happened there: kept current by the live link. */
import { untrack } from "svelte";
import type { Api } from "../api/client";
import type { Live, LiveFrame } from "../api/live.svelte";
import { type AlertEvent, type AlertRule, choosing, isChosen } from "./alert_facts";

interface AlertsAnswer {
  events: AlertEvent[];
  newest: number;
  seen: number;
}

const kept = 200;

export class Alerts {
  /** Newest first. */
  events = $state.raw<readonly AlertEvent[]>([]);
  rules = $state.raw<readonly AlertRule[]>([]);
  /** False until the machine has answered, and where its viewer knows no rules. */
  available = $state(false);
  /** The dialog with the rules is open. */
  asking = $state(false);
  #newest = $state(0);
  #seen = $state(0);
  readonly unread = $derived(this.events.filter((event) => event.id > this.#seen).length);

  readonly #api: Api;
  readonly #live: Live;
  readonly #ontold: (events: readonly AlertEvent[]) => void;
  #flight: Promise<void> | null = null;
  #again = false;

  /** `ontold` gets what happened since the first answer, oldest first. */
  constructor(api: Api, live: Live, ontold: (events: readonly AlertEvent[]) => void) {
    this.#api = api;
    this.#live = live;
    this.#ontold = ontold;
  }

  start(): () => void {
    const deaf = this.#live.listen((frame) => this.#hear(frame));
    untrack(() => void this.refresh());
    return deaf;
  }

  isWatched(run: string): boolean {
    return isChosen(this.rules, run);
  }

  /** Watches a run by itself, or no longer. */
  async watch(run: string, watched: boolean): Promise<void> {
    await this.#loadRules();
    await this.setRules(choosing(this.rules, run, watched));
  }

  async setRules(rules: readonly AlertRule[]): Promise<void> {
    const answer = await this.#api.call<{ rules: AlertRule[] }>("PUT", "/api/alert-rules", {
      body: { rules },
    });
    this.rules = answer.rules;
  }

  /** A person has the list before their eyes. */
  async see(): Promise<void> {
    if (this.unread === 0) return;
    this.#seen = this.#newest;
    await this.#api.post("/api/alerts/seen", { up_to: this.#newest });
  }

  /** Asks now; calls during a question become one more question after it. */
  refresh(): Promise<void> {
    if (this.#flight) this.#again = true;
    this.#flight ??= this.#ask().finally(() => {
      this.#flight = null;
    });
    return this.#flight;
  }

  async #ask(): Promise<void> {
    do {
      this.#again = false;
      try {
        if (this.available) await this.#loadNew();
        else await this.#begin();
      } catch {
        // A viewer that does not answer is said in the frame; one without rules has no bell.
      }
    } while (this.#again);
  }

  async #begin(): Promise<void> {
    const answer = await this.#api.get<AlertsAnswer>("/api/alerts");
    await this.#loadRules();
    this.events = answer.events;
    this.#newest = answer.newest;
    this.#seen = answer.seen;
    this.available = true;
  }

  async #loadRules(): Promise<void> {
    this.rules = (await this.#api.get<{ rules: AlertRule[] }>("/api/alert-rules")).rules;
  }

  async #loadNew(): Promise<void> {
    const after = this.#newest;
    const answer = await this.#api.get<AlertsAnswer>("/api/alerts", { after });
    this.#seen = answer.seen;
    // A state folder that was emptied begins to count anew.
    if (answer.newest < after) return this.#begin();
    this.#newest = answer.newest;
    if (answer.events.length === 0) return;
    this.events = [...answer.events, ...this.events].slice(0, kept);
    this.#ontold([...answer.events].reverse());
  }

  #hear(frame: LiveFrame): void {
    if (frame.type === "alerts" || frame.type === "hello" || frame.type === "storage") void this.refresh();
  }
}
