/** What a search found as rows of one list: each run, then its lines. Pure. */
import type { LogSearchHit } from "../../../api/wire";
import type { ComparedRun } from "../compared_runs";
import type { RunHits } from "./runs_search.svelte";

/** Lines on the page; more could be read by nobody. */
export const MOST_LINES = 5000;

export type HitRow =
  | { kind: "run"; run: ComparedRun; total: number; given: number; complete: boolean }
  | { kind: "line"; run: ComparedRun; hit: LogSearchHit }
  | { kind: "failed"; run: ComparedRun; failure: unknown };

export interface HitList {
  rows: HitRow[];
  /** Runs that hold it. */
  runs: number;
  /** Lines that hold it, shown or not. */
  lines: number;
  /** Runs whose log is longer than one search reads. */
  cut: number;
  /** Whether lines are left out of the rows. */
  limited: boolean;
}

export function hitRows(runs: readonly ComparedRun[], found: ReadonlyMap<string, RunHits>): HitList {
  const list: HitList = { rows: [], runs: 0, lines: 0, cut: 0, limited: false };
  let room = MOST_LINES;
  for (const run of runs) {
    const hits = found.get(run.id);
    if (!hits) continue;
    const { answer, failure } = hits;
    if (answer === null) {
      list.rows.push({ kind: "failed", run, failure });
      continue;
    }
    if (!answer.complete) list.cut += 1;
    if (answer.total_hits === 0) continue;
    list.runs += 1;
    list.lines += answer.total_hits;
    const given = answer.hits.slice(0, room);
    room -= given.length;
    list.limited ||= given.length < answer.total_hits;
    list.rows.push({
      kind: "run",
      run,
      total: answer.total_hits,
      given: given.length,
      complete: answer.complete,
    });
    for (const hit of given) list.rows.push({ kind: "line", run, hit });
  }
  return list;
}

/** The next row that leads to a line, from one in a direction; the same when there is none. */
export function nextLine(rows: readonly HitRow[], from: number, by: 1 | -1): number {
  for (let at = from + by; at >= 0 && at < rows.length; at += by) {
    if (rows[at]?.kind === "line") return at;
  }
  return from;
}
