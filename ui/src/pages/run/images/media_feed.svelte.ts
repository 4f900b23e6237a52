/** The images of a run, fetched again as it grows. */
import { type Api, segment } from "../../../api/client";
import { addressOf, type MediaItem } from "../../media/media_items";

const CALM_MILLIS = 1_500;

export class MediaFeed {
  items = $state.raw<MediaItem[] | null>(null);
  failure = $state.raw<unknown>(null);

  #busy = false;
  #again = false;
  #stopped = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly api: Api,
    readonly run: string,
  ) {}

  async load(): Promise<void> {
    if (this.#busy) {
      this.#again = true;
      return;
    }
    this.#busy = true;
    try {
      const answer = await this.api.get<{ images: MediaItem[] }>(`/api/run-images/${segment(this.run)}`);
      // An unchanged list keeps its identity, so that nothing on screen is built anew.
      if (JSON.stringify(answer.images) !== JSON.stringify(this.items)) this.items = answer.images;
      this.failure = null;
    } catch (error) {
      this.failure = error;
    }
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#busy = false;
      if (this.#again) void this.load();
      this.#again = false;
    }, CALM_MILLIS);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  address(item: MediaItem, side_px?: number): string {
    return addressOf(this.api, this.run, item, side_px);
  }
}
