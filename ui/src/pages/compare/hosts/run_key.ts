/** Runs of several machines in one comparison: which machine a run is asked of. Pure. */

/** `<machine>/<id>`; this machine has no name. Neither part of it is escaped: the address does that. */
export const keyOf = (machine: string, id: string): string => `${machine}/${id}`;

export interface KeyParts {
  machine: string;
  id: string;
}

/** An id never holds a slash, a machine may. */
export function partsOf(key: string): KeyParts {
  const at = key.lastIndexOf("/");
  return { machine: key.slice(0, Math.max(0, at)), id: key.slice(at + 1) };
}

/** The ids that each machine is asked for, in the order in which the machines are first named. */
export function byMachine(keys: readonly string[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const key of keys) {
    const { machine, id } = partsOf(key);
    const ids = found.get(machine);
    if (ids) ids.push(id);
    else found.set(machine, [id]);
  }
  return found;
}

/** Groups of one machine each: no machine can average the points of another one. `at` is the place among all groups. */
export function groupsOf(
  groups: readonly (readonly string[])[],
  machine: string,
): { at: number; runs: string[] }[] {
  return groups.flatMap((runs, at) =>
    runs[0] !== undefined && partsOf(runs[0]).machine === machine
      ? [{ at, runs: runs.map((key) => partsOf(key).id) }]
      : [],
  );
}
