/** The assets of the shown root, kept current by the live link. */
import { type AssetList, listAssets } from "../../api/assets";
import type { Api } from "../../api/client";
import type { Live, LiveFrame } from "../../api/live.svelte";
import { LiveQuestion } from "../../api/live_question.svelte";

/** Runs change in crowds, and assets are saved seldom: they are asked about together. */
const gatherMillis = 1000;

export class AssetFeed extends LiveQuestion {
  list = $state.raw<AssetList | null>(null);

  constructor(
    readonly api: Api,
    live: Live,
  ) {
    super(live);
  }

  /** Begins with nothing, because the root may be another one. */
  override start(): () => void {
    this.list = null;
    this.error = null;
    this.waiting = true;
    return super.start();
  }

  protected async ask(signal: AbortSignal): Promise<void> {
    const list = await listAssets(this.api, signal);
    if (!signal.aborted) this.list = list;
  }

  protected override restMillis(): number | null {
    return this.list?.complete === false ? gatherMillis : null;
  }

  protected hear(frame: LiveFrame): void {
    if (!document.hidden && ["runs", "storage", "hello"].includes(frame.type)) this.askWithin(gatherMillis);
  }
}
