/** Curves of several machines in one chart: each machine draws its own runs, over an x axis that is that of all of them. */
import type { SeriesAnswer, SeriesRequest } from "../../../api/wire";
import { byMachine, groupsOf, keyOf } from "./run_key";

/** Smallest and largest x of each metric, in the order of the question. */
type Extents = ([number, number] | null)[];

/** Where a machine goes on, and over which axes it drew. */
interface Held {
  cursor: string;
  extents: Extents;
}

interface Part {
  machine: string;
  answer: SeriesAnswer;
  /** The place of each of its groups among all. */
  places: number[];
  extents: Extents;
}

/** One question to one machine. */
export interface MachineQuestion {
  machine: string;
  body: SeriesRequest;
}

/** Asks machines at the same time; those that do not answer are left out, and it throws when none does. */
export type AskMachines = (
  questions: readonly MachineQuestion[],
) => Promise<{ machine: string; answer: SeriesAnswer }[]>;

/** A machine goes on from its own cursor; where one begins anew, all do. */
export async function seriesOfMany(request: SeriesRequest, ask: AskMachines): Promise<SeriesAnswer> {
  const machines = [...byMachine([...request.runs, ...(request.groups ?? []).flat()]).keys()];
  const held = request.cursor ? (JSON.parse(request.cursor) as Record<string, Held>) : {};
  const goesOn = machines.every((machine) => held[machine] !== undefined);
  const parts = await partsOf(request, machines, ask, (machine) => (goesOn ? held[machine] : undefined));
  if (!goesOn) return merged(await inSharedColumns(request, parts, ask), false);
  if (parts.some(({ answer }) => !answer.delta)) return seriesOfMany({ ...request, cursor: null }, ask);
  return merged(parts, true);
}

async function partsOf(
  request: SeriesRequest,
  machines: readonly string[],
  ask: AskMachines,
  heldOf: (machine: string) => { cursor: string | null; extents: Extents } | undefined,
): Promise<Part[]> {
  const places = new Map<string, number[]>();
  const questions = machines.map((machine) => {
    const groups = groupsOf(request.groups ?? [], machine);
    places.set(
      machine,
      groups.map((group) => group.at),
    );
    const body: SeriesRequest = {
      ...request,
      runs: byMachine(request.runs).get(machine) ?? [],
      cursor: heldOf(machine)?.cursor ?? null,
      extents: heldOf(machine)?.extents ?? [],
      ...(request.groups ? { groups: groups.map((group) => group.runs) } : {}),
    };
    return { machine, body };
  });
  const told = await ask(questions);
  return told.map(({ machine, answer }) => ({
    machine,
    answer,
    places: places.get(machine) ?? [],
    extents: heldOf(machine)?.extents ?? [],
  }));
}

/** A machine that reduced its curves over a narrower axis than that of the chart is asked again, with that axis. */
async function inSharedColumns(
  request: SeriesRequest,
  parts: readonly Part[],
  ask: AskMachines,
): Promise<readonly Part[]> {
  const isWindow = request.from != null && request.to != null;
  const extents = extentsOf(
    request.metrics,
    parts.map(({ answer }) => answer),
  );
  const narrow = parts.filter(({ answer }) => isNarrow(request.metrics, answer, extents));
  if (isWindow || narrow.length === 0) return parts;
  const names = narrow.map(({ machine }) => machine);
  const again = await partsOf(request, names, ask, () => ({ cursor: null, extents }));
  return parts.map((part) => again.find(({ machine }) => machine === part.machine) ?? part);
}

const curvesOf = (answer: SeriesAnswer) => [...answer.series, ...(answer.groups ?? [])];

function extentsOf(metrics: readonly string[], answers: readonly SeriesAnswer[]): Extents {
  const found = new Map<string, [number, number]>();
  for (const { metric, x_from, x_to } of answers.flatMap(curvesOf)) {
    if (x_from === null || x_to === null) continue;
    const [from, to] = found.get(metric) ?? [x_from, x_to];
    found.set(metric, [Math.min(from, x_from), Math.max(to, x_to)]);
  }
  return metrics.map((metric) => found.get(metric) ?? null);
}

function isNarrow(metrics: readonly string[], answer: SeriesAnswer, shared: Extents): boolean {
  const reduced = new Set(
    curvesOf(answer)
      .filter(({ exact }) => !exact)
      .map(({ metric }) => metric),
  );
  const own = extentsOf(metrics, [answer]);
  return metrics.some(
    (metric, at) =>
      reduced.has(metric) && (own[at]?.[0] !== shared[at]?.[0] || own[at]?.[1] !== shared[at]?.[1]),
  );
}

function merged(parts: readonly Part[], delta: boolean): SeriesAnswer {
  const held = parts.map(({ machine, answer, extents }) => [machine, { cursor: answer.cursor, extents }]);
  return {
    series: parts.flatMap(({ machine, answer }) =>
      answer.series.map((one) => ({ ...one, run: keyOf(machine, one.run) })),
    ),
    groups: parts.flatMap(({ answer, places }) =>
      (answer.groups ?? []).map((one) => ({ ...one, group: places[one.group] ?? -1 })),
    ),
    cursor: JSON.stringify(Object.fromEntries(held)),
    delta,
    live: parts.some(({ answer }) => answer.live),
  };
}
