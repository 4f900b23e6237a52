/** What lies in the recycle bin of the shown root, kept current by the live link. */
import type { Api } from "../../api/client";
import type { Live, LiveFrame } from "../../api/live.svelte";
import { LiveQuestion } from "../../api/live_question.svelte";
import { type BinRun, listBin } from "../../api/recycle_bin";

/** Deletions come in crowds: they are asked about together. */
const gatherMillis = 150;

export class Bin extends LiveQuestion {
  runs = $state.raw<readonly BinRun[]>([]);
  readonly byId: ReadonlyMap<string, BinRun> = $derived(new Map(this.runs.map((run) => [run.id, run])));

  constructor(
    readonly api: Api,
    live: Live,
  ) {
    super(live);
  }

  protected async ask(signal: AbortSignal): Promise<void> {
    const runs = await listBin(this.api, signal);
    if (!signal.aborted) this.runs = runs;
  }

  /** A run that goes into the bin, or out of it, leaves or joins the list of runs. */
  protected hear(frame: LiveFrame): void {
    if (!document.hidden && ["runs", "storage", "hello"].includes(frame.type)) this.askWithin(gatherMillis);
  }
}
