/** The page of a run, at one viewer for all tests of a file. */
import { expect } from "vitest";
import { writeLiveRun } from "./run_root";
import { SharedViewer } from "./visit";

export class RunPage extends SharedViewer {
  private liveRuns = 0;

  open(id: string, query = "") {
    return this.page.goto(`${this.address}/run/${id}${query === "" ? "" : `?${query}`}`);
  }

  /** A live run for one test alone, in the list already. */
  async ownLiveRun(): Promise<{ id: string; dir: string }> {
    this.liveRuns += 1;
    const id = `20260101_0001${String(this.liveRuns).padStart(2, "0")}_11fe00`;
    const dir = writeLiveRun(this.root, id);
    await expect.poll(async () => (await fetch(`${this.address}/api/runs/${id}`)).status).toBe(200);
    return { id, dir };
  }
}
