/** The recycle bin of a machine: what lies in it, the way back, and the end. Requests are cut to what one may name. */
import type { Api } from "./client";
import type { DeleteAnswer } from "./wire";

/** The most runs that one request may restore or delete softly, and delete for ever. */
const restoredRuns = 100;
const purgedRuns = 50;

/** A deleted run. */
export interface BinRun {
  id: string;
  path: string;
  alias: string | null;
  createdAt: number | null;
  deletedAt: number | null;
  /** Word of the marker. */
  reason: string;
  /** Status when it was deleted. */
  status: string;
  /** Where its files lie now. */
  folder: string;
}

/** What came, or would come, of deleting one run for ever. */
interface PurgedRun {
  success?: boolean;
  kept_assets?: unknown[];
  blobs_deleted?: number;
  outputs_deleted?: number;
  bytes_freed?: number;
  errors?: string[];
}
interface PurgeAnswer {
  results?: Record<string, PurgedRun>;
}

/** What deleting runs for ever did, or would do. */
export interface PurgeSum {
  /** Runs that are gone, or would be. */
  done: string[];
  failed: number;
  /** The first fault, in the server's words. */
  detail: string;
  /** Files that only these runs saved. */
  files: number;
  bytes: number;
  /** Saved things that stay, because other runs use them. */
  kept: number;
}

export interface RestoreSum {
  done: string[];
  failed: number;
  detail: string;
}

const textOf = (value: unknown): string | null => (typeof value === "string" ? value : null);
const numberOf = (value: unknown): number | null =>
  typeof value === "number" && Number.isFinite(value) ? value : null;

/** Another machine may send anything: what has no id is no run. */
export function readBin(answer: unknown): BinRun[] {
  const { deleted_runs: found } = (answer ?? {}) as { deleted_runs?: unknown };
  if (!Array.isArray(found)) return [];
  return found.flatMap((run: Record<string, unknown> | null) => {
    const id = textOf(run?.id);
    if (run === null || id === null) return [];
    return {
      id,
      path: textOf(run.path) ?? "",
      alias: textOf(run.alias),
      createdAt: numberOf(run.created_time),
      deletedAt: numberOf(run.deleted_at),
      reason: textOf(run.delete_reason) ?? "",
      status: textOf(run.original_status) ?? "",
      folder: textOf(run.run_dir) ?? "",
    };
  });
}

export async function listBin(api: Api, signal: AbortSignal): Promise<BinRun[]> {
  return readBin(await api.get<unknown>("/api/recycle-bin", {}, signal));
}

function cut(ids: readonly string[], size: number): string[][] {
  const count = Math.ceil(ids.length / size);
  return Array.from({ length: count }, (_, at) => ids.slice(at * size, (at + 1) * size));
}

async function toEach(api: Api, path: string, ids: readonly string[]): Promise<RestoreSum> {
  const sum: RestoreSum = { done: [], failed: 0, detail: "" };
  for (const run_ids of cut(ids, restoredRuns)) {
    const { results } = await api.post<DeleteAnswer>(path, { run_ids });
    for (const id of run_ids) {
      if (results[id]?.success) sum.done.push(id);
      else {
        sum.failed += 1;
        sum.detail ||= results[id]?.error ?? "";
      }
    }
  }
  return sum;
}

export const restoreRuns = (api: Api, ids: readonly string[]): Promise<RestoreSum> =>
  toEach(api, "/api/recycle-bin/restore", ids);

export const deleteRuns = (api: Api, ids: readonly string[]): Promise<RestoreSum> =>
  toEach(api, "/api/runs/soft-delete", ids);

/** Adds what an answer says of the runs that were named. */
export function addPurged(sum: PurgeSum, ids: readonly string[], answer: PurgeAnswer): void {
  for (const id of ids) {
    const run = answer.results?.[id];
    if (run?.success) sum.done.push(id);
    else {
      sum.failed += 1;
      sum.detail ||= run?.errors?.[0] ?? "";
    }
    sum.files += (run?.blobs_deleted ?? 0) + (run?.outputs_deleted ?? 0);
    sum.bytes += run?.bytes_freed ?? 0;
    sum.kept += run?.kept_assets?.length ?? 0;
  }
}

export const nothingPurged = (): PurgeSum => ({
  done: [],
  failed: 0,
  detail: "",
  files: 0,
  bytes: 0,
  kept: 0,
});

/** Deletes runs for ever; `dryRun` only says what that would do. `onstep` hears the sum so far. */
export async function purgeRuns(
  api: Api,
  ids: readonly string[],
  dryRun: boolean,
  signal?: AbortSignal,
  onstep: (done: number) => void = () => {},
): Promise<PurgeSum> {
  const sum = nothingPurged();
  for (const run_ids of cut(ids, purgedRuns)) {
    const body = { run_ids, dry_run: dryRun };
    addPurged(sum, run_ids, await api.post<PurgeAnswer>("/api/runs/permanent-delete", body, signal));
    onstep(sum.done.length + sum.failed);
  }
  return sum;
}

/** Empties the bin: how many runs are gone, and what stayed. */
export async function emptyBin(api: Api): Promise<{ gone: number; problems: string[] }> {
  const answer = await api.post<{ permanently_deleted: number; errors?: string[] }>(
    "/api/recycle-bin/empty",
    { confirm: true },
  );
  return { gone: answer.permanently_deleted, problems: answer.errors ?? [] };
}
