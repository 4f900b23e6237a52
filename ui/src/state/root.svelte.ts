/** Which storage folder is shown: choosing another, sample runs and back. */
import { type Api, ApiError } from "../api/client";
import type { StorageInfo } from "../api/wire";
import type { RunSource } from "./run_list.svelte";

export class Root {
  /** The dialog that asks for a folder is open. */
  asking = $state(false);
  /** The folder that the dialog proposes in place of the one that is shown: one that was dropped onto the window. */
  offered = $state<string | null>(null);
  busy = $state(false);
  readonly #api: Api;
  readonly #list: RunSource;

  constructor(api: Api, list: RunSource) {
    this.#api = api;
    this.#list = list;
  }

  /** Asks whether to show this folder; nothing is shown before the reader says so. An empty path must be typed or picked. */
  offer(path: string): void {
    this.offered = path;
    this.asking = true;
  }

  /** Ends the question. */
  close(): void {
    this.asking = false;
    this.offered = null;
  }

  /** Shows another folder; the fault as a sentence, or null when it worked. */
  async use(path: string): Promise<string | null> {
    return this.#do(async () => {
      await this.#api.post("/api/config/user_root_dir", { path });
      this.close();
      await this.#list.switched();
    });
  }

  async showSamples(): Promise<string | null> {
    return this.#do(async () => this.#list.switched(await this.#api.post<StorageInfo>("/api/samples")));
  }

  async leaveSamples(): Promise<string | null> {
    return this.#do(async () => this.#list.switched(await this.#api.remove<StorageInfo>("/api/samples")));
  }

  async #do(work: () => Promise<void>): Promise<string | null> {
    this.busy = true;
    try {
      await work();
      return null;
    } catch (error) {
      return error instanceof ApiError ? error.detail : String(error);
    } finally {
      this.busy = false;
    }
  }
}
