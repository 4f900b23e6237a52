/** What the page does to runs: delete with undo, rename, tag. Each deed ends in a message that says what happened. */
import { type Api, segment } from "../../api/client";
import type { DeleteAnswer } from "../../api/wire";
import type { ListedRun, RunSource } from "../../state/run_list.svelte";
import type { Toasts } from "../../state/toasts.svelte";
import { fill, type Text } from "../../text/languages";
import { faultText } from "../../text/words";
import { nameOf } from "./view";

/** The most runs that one request may name. */
const batchRuns = 100;
/** Edits under way at the same time. */
const lanes = 6;

export interface Outcome {
  done: ListedRun[];
  failed: number;
  /** The first fault, in the server's words. */
  detail: string;
}

/** "a, b ,b" → ["a", "b"] */
export function tagsOf(text: string): string[] {
  return [...new Set(text.split(/[,，]/).map((tag) => tag.trim()))].filter(Boolean);
}

export function batches<T>(items: readonly T[], size: number): T[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, at) => items.slice(at * size, (at + 1) * size));
}

function byMachine(rows: readonly ListedRun[]): Map<Api, ListedRun[]> {
  const found = new Map<Api, ListedRun[]>();
  for (const row of rows) found.set(row.origin.api, [...(found.get(row.origin.api) ?? []), row]);
  return found;
}

export class RunEdits {
  constructor(
    readonly list: RunSource,
    readonly toasts: Toasts,
    readonly text: () => Text,
  ) {}

  /** Moves runs to the recycle bin; the message offers the way back. Resolves to the keys that are gone. */
  async softDelete(rows: readonly ListedRun[]): Promise<string[]> {
    const t = this.text();
    const { done, failed, detail } = await this.#batched("/api/runs/soft-delete", rows);
    await this.list.refresh();
    const [first] = done;
    const action = done.length > 0 ? { label: t.common.undo, run: () => void this.restore(done) } : null;
    if (failed > 0) {
      this.toasts.say(fill(t.runs.deletedSome, { n: done.length, failed, detail }), { kind: "bad", action });
    } else if (done.length === 1 && first) {
      this.toasts.say(fill(t.runs.deletedOne, { name: nameOf(first) }), { action });
    } else {
      this.toasts.say(fill(t.runs.deletedMany, { n: done.length }), { action });
    }
    return done.map((row) => row.key);
  }

  async restore(rows: readonly ListedRun[]): Promise<void> {
    const t = this.text();
    const { failed, detail } = await this.#batched("/api/recycle-bin/restore", rows);
    await this.list.refresh();
    if (failed > 0) this.toasts.say(fill(t.runs.notDone, { detail }), { kind: "bad" });
    else this.toasts.say(t.runs.restored);
  }

  /** Names one run and sets its tags; the fault, or null when it is saved. */
  async save(row: ListedRun, alias: string, tags: string[]): Promise<string | null> {
    try {
      await row.origin.api.patch(`/api/runs/${segment(row.id)}`, { alias, tags });
    } catch (error) {
      return faultText(this.text(), error);
    }
    await this.list.refresh();
    this.toasts.say(this.text().runs.saved);
    return null;
  }

  /** Adds and removes tags on many runs; those that would not change are left alone. */
  async tag(rows: readonly ListedRun[], added: readonly string[], dropped: readonly string[]): Promise<void> {
    const outcome: Outcome = { done: [], failed: 0, detail: "" };
    const gone = new Set(dropped);
    const waiting = rows.map((row) => ({
      row,
      after: [...new Set([...row.tags.filter((tag) => !gone.has(tag)), ...added])],
    }));
    const work = async () => {
      for (let next = waiting.pop(); next; next = waiting.pop()) await this.#tagOne(next, outcome);
    };
    await Promise.all(Array.from({ length: lanes }, work));
    await this.list.refresh();
    this.#sayTagged(outcome);
  }

  /** Gives runs the tags that they had. */
  async #untag(rows: readonly ListedRun[]): Promise<void> {
    const outcome: Outcome = { done: [], failed: 0, detail: "" };
    const waiting = [...rows];
    const work = async () => {
      for (let row = waiting.pop(); row; row = waiting.pop()) {
        await this.#patchTags(row, row.tags, outcome);
      }
    };
    await Promise.all(Array.from({ length: lanes }, work));
    await this.list.refresh();
    const t = this.text().runs;
    if (outcome.failed > 0) this.toasts.say(fill(t.notDone, { detail: outcome.detail }), { kind: "bad" });
    else this.toasts.say(t.restored);
  }

  async #tagOne({ row, after }: { row: ListedRun; after: string[] }, outcome: Outcome): Promise<void> {
    if (after.join("\n") === row.tags.join("\n")) return;
    await this.#patchTags(row, after, outcome);
  }

  async #patchTags(row: ListedRun, tags: readonly string[], outcome: Outcome): Promise<void> {
    try {
      await row.origin.api.patch(`/api/runs/${segment(row.id)}`, { tags });
      outcome.done.push(row);
    } catch (error) {
      outcome.failed += 1;
      outcome.detail ||= faultText(this.text(), error);
    }
  }

  #sayTagged({ done, failed, detail }: Outcome): void {
    const t = this.text().runs;
    // The rows are those of before the change: they know the tags to go back to.
    const action =
      done.length > 0 ? { label: this.text().common.undo, run: () => void this.#untag(done) } : null;
    if (failed === 0) this.toasts.say(t.saved, { action });
    else this.toasts.say(fill(t.savedSome, { n: done.length, failed, detail }), { kind: "bad", action });
  }

  /** Names runs to their own machines, no more at a time than a request may. */
  async #batched(path: string, rows: readonly ListedRun[]): Promise<Outcome> {
    const outcome: Outcome = { done: [], failed: 0, detail: "" };
    for (const [api, owned] of byMachine(rows)) {
      for (const batch of batches(owned, batchRuns)) await this.#send(api, path, batch, outcome);
    }
    return outcome;
  }

  async #send(api: Api, path: string, batch: ListedRun[], outcome: Outcome): Promise<void> {
    try {
      const { results } = await api.post<DeleteAnswer>(path, { run_ids: batch.map((row) => row.id) });
      for (const row of batch) {
        const result = results[row.id];
        if (result?.success) outcome.done.push(row);
        else {
          outcome.failed += 1;
          outcome.detail ||= result?.error ?? "";
        }
      }
    } catch (error) {
      outcome.failed += batch.length;
      outcome.detail ||= faultText(this.text(), error);
    }
  }
}
