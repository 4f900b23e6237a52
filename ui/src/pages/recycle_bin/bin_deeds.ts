/** What the page does to deleted runs. Each deed ends in a message that says what happened. */
import type { Api } from "../../api/client";
import {
  type BinRun,
  deleteRuns,
  emptyBin,
  purgeRuns,
  type RestoreSum,
  restoreRuns,
} from "../../api/recycle_bin";
import type { Toasts } from "../../state/toasts.svelte";
import { counted } from "../../text/counted";
import { fill, type Text } from "../../text/languages";
import type { RecycleBinText } from "../../text/recycle_bin";
import { faultText } from "../../text/words";
import { nameOf } from "./bin_rows";

/** What follows a deed: lists that have to be asked anew. */
type Refresh = () => Promise<unknown>;

export class BinDeeds {
  constructor(
    readonly api: Api,
    readonly refresh: Refresh,
    readonly toasts: Toasts,
    readonly text: () => Text,
    readonly words: () => RecycleBinText,
  ) {}

  /** Brings runs back; the message offers to undo that. Resolves to the ids that are back. */
  async restore(runs: readonly BinRun[]): Promise<string[]> {
    const sum = await this.#try(() => restoreRuns(this.api, idsOf(runs)));
    if (sum === null) return [];
    const back = new Set(sum.done);
    const done = runs.filter((run) => back.has(run.id));
    const action =
      done.length === 0 ? null : { label: this.text().common.undo, run: () => void this.deleteAgain(done) };
    const w = this.words();
    this.#say(sum, done, { one: w.restoredOne, many: w.restoredMany, some: w.restoredSome }, action);
    return sum.done;
  }

  /** Undoes a restoring. */
  async deleteAgain(runs: readonly BinRun[]): Promise<void> {
    const sum = await this.#try(() => deleteRuns(this.api, idsOf(runs)));
    if (sum === null) return;
    const w = this.words();
    const done = runs.filter((run) => sum.done.includes(run.id));
    this.#say(sum, done, { one: w.againOne, many: w.againMany, some: w.notDone }, null);
  }

  /** Deletes runs for ever. Resolves to the ids that are gone. */
  async purge(runs: readonly BinRun[]): Promise<string[]> {
    const sum = await this.#try(() => purgeRuns(this.api, idsOf(runs), false));
    if (sum === null) return [];
    const { done, failed, detail } = sum;
    if (failed === 0) this.toasts.say(counted(this.words().purged, done.length));
    else this.toasts.say(fill(this.words().purgedSome, { n: done.length, failed, detail }), { kind: "bad" });
    return done;
  }

  async empty(): Promise<void> {
    const sum = await this.#try(() => emptyBin(this.api));
    if (sum === null) return;
    const { gone, problems } = sum;
    const values = { n: gone, failed: problems.length, detail: problems[0] ?? "" };
    if (problems.length === 0) this.toasts.say(counted(this.words().emptied, gone));
    else this.toasts.say(fill(this.words().purgedSome, values), { kind: "bad" });
  }

  /** Null: it failed as a whole, and that was said. Lists are asked anew either way. */
  async #try<Sum>(work: () => Promise<Sum>): Promise<Sum | null> {
    try {
      return await work();
    } catch (error) {
      this.toasts.say(fill(this.words().notDone, { detail: faultText(this.text(), error) }), { kind: "bad" });
      return null;
    } finally {
      await this.refresh();
    }
  }

  #say(
    { failed, detail }: RestoreSum,
    done: readonly BinRun[],
    words: { one: string; many: string; some: string },
    action: { label: string; run: () => void } | null,
  ): void {
    const [first] = done;
    if (failed > 0) {
      this.toasts.say(fill(words.some, { n: done.length, failed, detail }), { kind: "bad", action });
    } else if (done.length === 1 && first) {
      this.toasts.say(fill(words.one, { name: nameOf(first) }), { action });
    } else this.toasts.say(fill(words.many, { n: done.length }), { action });
  }
}

const idsOf = (runs: readonly BinRun[]): string[] => runs.map((run) => run.id);
