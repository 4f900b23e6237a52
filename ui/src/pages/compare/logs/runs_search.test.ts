import { describe, expect, it, vi } from "vitest";
import { Api, ApiError } from "../../../api/client";
import type { LogSearchAnswer } from "../../../api/wire";
import { RunMedia } from "../../media/run_media.svelte";
import { partsOf } from "../hosts/run_key";
import { RunsSearch } from "./runs_search.svelte";

const question = { pattern: "p", regex: false, matchCase: false };
const machineOf = (run: string) => partsOf(run).machine;
const SLOW = ["slow/a", "slow/b", "slow/c", "slow/d", "slow/e"];

/** Answers for each run but those of a machine that says nothing. */
class Machines extends Api {
  asked: string[] = [];
  refused = new Set<string>();
  override call<Answer>(_: string, path: string): Promise<Answer> {
    const run = decodeURIComponent(path.slice(path.lastIndexOf("/") + 1));
    this.asked.push(run);
    if (machineOf(run) === "slow") return new Promise(() => {});
    if (this.refused.has(run)) return Promise.reject(new ApiError(0, "NOT_REACHABLE", ""));
    const hits: Partial<LogSearchAnswer> & { images: unknown[] } = { total_hits: 1, hits: [], images: [] };
    return Promise.resolve(hits as Answer);
  }
}

describe("questions about the runs of several machines", () => {
  it("are not held up by a machine that does not answer: a search", async () => {
    const api = new Machines();
    const search = new RunsSearch(api, machineOf);
    search.ask(question, [...SLOW, "/a", "x/a"]);
    await vi.waitFor(() => expect([...search.found.keys()]).toEqual(["/a", "x/a"]));
    expect(api.asked).toEqual(["slow/a", "slow/b", "slow/c", "/a", "x/a"]);
    expect(search.left).toBe(SLOW.length);
    search.clear();
  });

  it("are not held up by a machine that does not answer: pictures", async () => {
    const api = new Machines();
    const media = new RunMedia(api, machineOf);
    media.need([...SLOW, "/a", "x/a"]);
    await vi.waitFor(() => expect([...media.lists.keys()]).toEqual(["/a", "x/a"]));
    expect(api.asked).toEqual(["slow/a", "slow/b", "slow/c", "slow/d", "/a", "x/a"]);
    media.stop();
  });

  it("are asked again of the runs that answer now", async () => {
    const api = new Machines();
    api.refused.add("x/a");
    const search = new RunsSearch(api, machineOf);
    search.ask(question, ["/a", "x/a"]);
    await vi.waitFor(() => expect(search.found.get("x/a")?.failure).toBeInstanceOf(ApiError));
    api.refused.clear();
    search.again(["x/a"]);
    await vi.waitFor(() => expect(search.found.get("x/a")?.answer?.total_hits).toBe(1));
    expect(api.asked).toEqual(["/a", "x/a", "x/a"]);
    search.clear();
  });
});
