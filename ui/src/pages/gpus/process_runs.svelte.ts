/** Which run a process on a GPU belongs to. The server knows that a run's process is alive here; its number is in the run's own files. */
import { type Api, segment } from "../../api/client";
import type { RunDetail } from "../../api/wire";
import type { ListedRun } from "../../state/run_list.svelte";

export interface OwnRun {
  id: string;
  name: string;
}

/** More runs than train on one machine. */
const askedRuns = 32;

/** Runs whose process was seen alive on the machine of the list: there a number means that process. */
export function aliveRuns(rows: readonly ListedRun[], machine: string): ListedRun[] {
  const here = (row: ListedRun): boolean =>
    row.status === "running" && row.status_reason === "process_alive" && row.origin.machine === machine;
  return rows.filter(here).slice(0, askedRuns);
}

export class ProcessRuns {
  byPid = $state.raw<ReadonlyMap<number, OwnRun>>(new Map());
  /** Numbers never change while a run lives: each is asked for once. */
  readonly #pids = new Map<string, number | null>();
  #alive: readonly ListedRun[] = [];
  #busy = false;

  constructor(readonly api: Api) {}

  async follow(alive: readonly ListedRun[]): Promise<void> {
    this.#alive = alive;
    if (this.#busy) return;
    this.#busy = true;
    for (let next = this.#unknown(); next; next = this.#unknown()) await this.#ask(next.id);
    this.#busy = false;
    this.byPid = new Map(
      this.#alive.flatMap((row): [number, OwnRun][] => {
        const pid = this.#pids.get(row.id) ?? null;
        return pid === null ? [] : [[pid, { id: row.id, name: row.alias ?? row.id }]];
      }),
    );
  }

  #unknown(): ListedRun | undefined {
    return this.#alive.find((row) => !this.#pids.has(row.id));
  }

  /** A run that cannot be read has no number; nothing else on the page depends on it. */
  async #ask(id: string): Promise<void> {
    const detail = await this.api.get<RunDetail>(`/api/run-detail/${segment(id)}`).catch(() => null);
    const pid = Number(detail?.meta?.pid);
    this.#pids.set(id, Number.isInteger(pid) && pid > 0 ? pid : null);
  }
}
