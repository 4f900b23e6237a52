/** The live links of several machines as one; runs go by their keys. */
import type { Live, LiveFrame } from "../../../api/live.svelte";
import { byMachine, keyOf } from "./run_key";

/** What a comparison needs of a live link. */
export type Following = Pick<Live, "state" | "since" | "listen" | "watch">;

export class ManyLive implements Following {
  readonly #liveOf: (machine: string) => Live | null;
  readonly #ids: ReadonlyMap<string, string[]>;
  /** Machines that had a link when it was first listened to; what others write is found by asking. */
  readonly #heard = new Set<string>();

  /** Since when all of them are followed; null while one is not. */
  get since(): Live["since"] {
    const all = [...this.#ids.keys()].map((machine) => this.#liveOf(machine)?.since ?? null);
    return all.reduce((latest, since) =>
      latest === null || since === null ? null : Math.max(latest, since),
    );
  }

  constructor(keys: readonly string[], liveOf: (machine: string) => Live | null) {
    this.#ids = byMachine(keys);
    this.#liveOf = liveOf;
  }

  get state(): Live["state"] {
    for (const machine of this.#ids.keys()) {
      const state = this.#liveOf(machine)?.state ?? "lost";
      if (state !== "live" || !this.#heard.has(machine)) return state === "live" ? "lost" : state;
    }
    return "live";
  }

  listen(listener: (frame: LiveFrame) => void): () => void {
    return this.#each((live, machine) => {
      this.#heard.add(machine);
      const own = (frame: LiveFrame) =>
        listener(frame.type === "run" ? { ...frame, run: keyOf(machine, String(frame.run)) } : frame);
      return live.listen(own);
    });
  }

  watch(): () => void {
    return this.#each((live, _, ids) => live.watch(ids));
  }

  #each(begin: (live: Live, machine: string, ids: string[]) => () => void): () => void {
    const stops = [...this.#ids].flatMap(([machine, ids]) => {
      const live = this.#liveOf(machine);
      return live ? [begin(live, machine, ids)] : [];
    });
    return () => {
      for (const stop of stops) stop();
    };
  }
}
