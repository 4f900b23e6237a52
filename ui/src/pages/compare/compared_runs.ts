/** The runs of a comparison as its parts show them. Pure. */
import type { RunRow } from "../../api/wire";
import { runHref } from "../../state/places";
import type { KeyParts } from "./hosts/run_key";

export interface ComparedRun {
  id: string;
  /** Where it is looked at alone. */
  href: string;
  /** What its machine is called, in a comparison over several. */
  machine: string;
  name: string;
  /** The end of the id, which tells runs of one name apart. */
  short: string;
  /** Null while nobody knows. */
  status: string | null;
  path: string | null;
  tags: readonly string[];
  /** The metric that the run names as its best, with the value and, where it says so, which way is better. */
  best: { name: string; value: number; mode: "max" | "min" | null } | null;
  /** Place of its colour and dashes. */
  look: number;
  shown: boolean;
  /** Why it is not here; null when nothing is wrong. */
  fault: unknown;
}

/** Whose the runs are, and what the machines are called. */
export interface Over {
  machineOf: (id: string) => KeyParts;
  nameOf: (machine: string) => string;
}

export function comparedRuns(
  ids: readonly string[],
  rows: readonly RunRow[],
  faults: ReadonlyMap<string, unknown>,
  looks: ReadonlyMap<string, number>,
  hidden: ReadonlySet<string>,
  over: Over = { machineOf: (id) => ({ machine: "", id }), nameOf: () => "" },
): ComparedRun[] {
  const wanted = new Set(ids);
  const known = new Map(rows.filter((row) => wanted.has(row.id)).map((row) => [row.id, row]));
  return ids.map((id) => {
    const row = known.get(id);
    const own = over.machineOf(id);
    return {
      id,
      href: runHref(own.id, own.machine),
      machine: over.nameOf(own.machine),
      name: row?.alias || own.id,
      short: own.id.split("_").at(-1) ?? own.id,
      status: row?.status ?? null,
      path: row?.path ?? null,
      tags: row?.tags ?? [],
      best: row ? bestOf(row) : null,
      look: looks.get(id) ?? 0,
      shown: !hidden.has(id),
      fault: faults.get(id) ?? null,
    };
  });
}

function bestOf(row: RunRow): ComparedRun["best"] {
  const { best_metric_name: name, best_metric_value: value, best_metric_mode: mode } = row;
  if (!name || value == null) return null;
  return { name, value, mode: mode === "max" || mode === "min" ? mode : null };
}
