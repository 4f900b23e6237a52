/** What people wrote about runs, by the machine that keeps it: asked for when a machine's runs are first shown. */
import { keepRunNote, type RunNotes, runNotes } from "../../api/annotations";
import type { ListedRun, RunOrigin } from "../../state/run_list.svelte";

export class Notes {
  #kept = $state.raw<ReadonlyMap<RunOrigin, RunNotes>>(new Map());
  fault = $state.raw<unknown>(null);
  readonly #asked = new Set<RunOrigin>();

  /** Asks each of these rows' machines once. */
  need(rows: readonly ListedRun[]): void {
    for (const { origin } of rows) {
      if (this.#asked.has(origin) || !origin.isReachable || origin.isRemembered) continue;
      this.#asked.add(origin);
      void this.#take(origin, runNotes(origin.api));
    }
  }

  of(row: ListedRun): string {
    return this.#kept.get(row.origin)?.get(row.id) ?? "";
  }

  /** Keeps a note; why it could not be kept, or null. */
  keep(row: ListedRun, text: string): Promise<unknown> {
    return this.#take(row.origin, keepRunNote(row.origin.api, row.id, text));
  }

  async #take(origin: RunOrigin, answer: Promise<RunNotes>): Promise<unknown> {
    try {
      this.#kept = new Map([...this.#kept, [origin, await answer]]);
      this.fault = null;
      return null;
    } catch (error) {
      this.fault = error;
      return error;
    }
  }
}
