/** Joining newly arrived points to those already drawn. */
import type { NonFiniteWord } from "../../components/chart/plot_data";

/** The part of a series that a live update touches. */
export interface Points {
  x: number[];
  y: (number | null)[];
  smooth: (number | null)[] | null;
  nonFinite: [number, NonFiniteWord][];
}

/** Old and new points in x order; new ones stand after old ones of the same x, as they do in the file. */
export function appendPoints(old: Points, added: Points): Points {
  if (added.x.length === 0 && added.nonFinite.length === 0) return old;
  const nonFinite = mergeBy(old.nonFinite, added.nonFinite, ([x]) => x);
  if (added.x.length === 0) return { ...old, nonFinite };
  const last = old.x[old.x.length - 1];
  if (last === undefined || last <= (added.x[0] as number)) {
    return {
      x: old.x.concat(added.x),
      y: old.y.concat(added.y),
      smooth: joinSmooth(old, added, (one, other) => one.concat(other)),
      nonFinite,
    };
  }
  const from = mergeOrder(old.x, added.x);
  const pick = <T>(one: readonly T[], other: readonly T[]) =>
    from.map(([fresh, index]) => (fresh ? other[index] : one[index]) as T);
  return {
    x: pick(old.x, added.x),
    y: pick(old.y, added.y),
    smooth: joinSmooth(old, added, pick),
    nonFinite,
  };
}

type Smooth = (number | null)[];

function joinSmooth(old: Points, added: Points, join: (one: Smooth, other: Smooth) => Smooth): Smooth | null {
  if (!old.smooth && !added.smooth) return null;
  const none = (points: Points): Smooth => points.smooth ?? points.x.map(() => null);
  return join(none(old), none(added));
}

function mergeOrder(old: readonly number[], added: readonly number[]): [boolean, number][] {
  const order: [boolean, number][] = [];
  let i = 0;
  let j = 0;
  while (i < old.length || j < added.length) {
    if (j >= added.length || (i < old.length && (old[i] as number) <= (added[j] as number)))
      order.push([false, i++]);
    else order.push([true, j++]);
  }
  return order;
}

function mergeBy<T>(old: readonly T[], added: readonly T[], x: (item: T) => number): T[] {
  const order = mergeOrder(old.map(x), added.map(x));
  return order.map(([fresh, index]) => (fresh ? added[index] : old[index]) as T);
}
