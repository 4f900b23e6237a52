/** What the page does to runs: delete with undo, rename, tag. Each deed ends in a message that says what happened. */
import { patch, post, segment } from "../../api/client";
import type { DeleteAnswer, RunRow } from "../../api/wire";
import type { RunList } from "../../state/run_list.svelte";
import type { Toasts } from "../../state/toasts.svelte";
import { fill, type Text } from "../../text/languages";
import { faultText } from "../../text/words";
import { nameOf } from "./view";

/** The most runs that one request may name. */
const batchRuns = 100;
/** Edits under way at the same time. */
const lanes = 6;

export interface Outcome {
  done: string[];
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

export class RunEdits {
  constructor(
    readonly list: RunList,
    readonly toasts: Toasts,
    readonly text: () => Text,
  ) {}

  /** Moves runs to the recycle bin; the message offers the way back. Resolves to the ids that are gone. */
  async softDelete(rows: readonly RunRow[]): Promise<string[]> {
    const t = this.text();
    const outcome = await this.#batched(
      "/api/runs/soft-delete",
      rows.map((row) => row.id),
    );
    const { done, failed, detail } = outcome;
    await this.list.refresh();
    const first = rows.find((row) => row.id === done[0]);
    const action = done.length > 0 ? { label: t.common.undo, run: () => void this.restore(done) } : null;
    if (failed > 0) {
      this.toasts.say(fill(t.runs.deletedSome, { n: done.length, failed, detail }), { kind: "bad", action });
    } else if (done.length === 1 && first) {
      this.toasts.say(fill(t.runs.deletedOne, { name: nameOf(first) }), { action });
    } else {
      this.toasts.say(fill(t.runs.deletedMany, { n: done.length }), { action });
    }
    return done;
  }

  async restore(ids: readonly string[]): Promise<void> {
    const t = this.text();
    const { failed, detail } = await this.#batched("/api/recycle-bin/restore", ids);
    await this.list.refresh();
    if (failed > 0) this.toasts.say(fill(t.runs.notDone, { detail }), { kind: "bad" });
    else this.toasts.say(t.runs.restored);
  }

  /** Names one run and sets its tags; the fault, or null when it is saved. */
  async save(id: string, alias: string, tags: string[]): Promise<string | null> {
    try {
      await patch(`/api/runs/${segment(id)}`, { alias, tags });
    } catch (error) {
      return faultText(this.text(), error);
    }
    await this.list.refresh();
    this.toasts.say(this.text().runs.saved);
    return null;
  }

  /** Adds and removes tags on many runs; those that would not change are left alone. */
  async tag(rows: readonly RunRow[], added: readonly string[], dropped: readonly string[]): Promise<void> {
    const outcome: Outcome = { done: [], failed: 0, detail: "" };
    const gone = new Set(dropped);
    const waiting = rows.map((row) => ({
      id: row.id,
      before: row.tags,
      after: [...new Set([...row.tags.filter((tag) => !gone.has(tag)), ...added])],
    }));
    const work = async () => {
      for (let next = waiting.pop(); next; next = waiting.pop()) await this.#tagOne(next, outcome);
    };
    await Promise.all(Array.from({ length: lanes }, work));
    await this.list.refresh();
    this.#sayTagged(outcome);
  }

  async #tagOne(run: { id: string; before: string[]; after: string[] }, outcome: Outcome): Promise<void> {
    try {
      if (run.after.join("\n") !== run.before.join("\n")) {
        await patch(`/api/runs/${segment(run.id)}`, { tags: run.after });
      }
      outcome.done.push(run.id);
    } catch (error) {
      outcome.failed += 1;
      outcome.detail ||= faultText(this.text(), error);
    }
  }

  #sayTagged({ done, failed, detail }: Outcome): void {
    const t = this.text().runs;
    if (failed === 0) this.toasts.say(t.saved);
    else this.toasts.say(fill(t.savedSome, { n: done.length, failed, detail }), { kind: "bad" });
  }

  async #batched(path: string, ids: readonly string[]): Promise<Outcome> {
    const outcome: Outcome = { done: [], failed: 0, detail: "" };
    for (const batch of batches(ids, batchRuns)) {
      try {
        const { results } = await post<DeleteAnswer>(path, { run_ids: batch });
        for (const id of batch) {
          const result = results[id];
          if (result?.success) outcome.done.push(id);
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
    return outcome;
  }
}
