/** Folders of the machine on screen that hold runs already, looked for when asked. */
import type { Api } from "../api/client";
import type { StorageCandidate } from "../api/wire";

/** The machine stops counting there. */
const COUNTED_RUNS = 64;

export class FoundRoots {
  /** Null until they were looked for. */
  list = $state.raw<readonly StorageCandidate[] | null>(null);
  finding = $state(false);
  fault = $state.raw<unknown>(null);
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  async find(): Promise<void> {
    this.finding = true;
    try {
      const answer = await this.#api.get<{ candidates: StorageCandidate[] }>(
        "/api/config/storage-candidates",
      );
      this.list = answer.candidates;
      this.fault = null;
    } catch (error) {
      this.fault = error;
    }
    this.finding = false;
  }
}

/** How many runs a folder holds, in the words for so many, or for so many and more. */
export const countWords = (
  { run_count: count }: StorageCandidate,
  words: { some: string; more: string },
): string => (count >= COUNTED_RUNS ? words.more : words.some);
