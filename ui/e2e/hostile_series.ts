/** Series that are hard to draw, the same on every run, and what smoothing makes of them, computed the slow and plain way. */

export interface Point {
  x: number;
  y: number;
}

/** Numbers of 0..1 that follow from a seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const random = randomFrom(7);
const whole = (below: number) => Math.floor(random() * below);
const every = (count: number, y: (x: number) => number): Point[] =>
  Array.from({ length: count }, (_, x) => ({ x, y: y(x) }));

function walk(count: number, step: number, start = 0): Point[] {
  let at = start;
  return every(count, () => {
    at += (random() - 0.5) * step;
    return at;
  });
}

/** NaN and infinities in runs of any length, some of them around a single value. */
function gaps(): Point[] {
  const points: Point[] = [];
  let level = 10;
  while (points.length < 20_000) {
    const length = random() < 0.3 ? 1 : 1 + whole(400);
    for (let i = 0; i < length; i += 1) {
      level += random() - 0.5;
      points.push({ x: points.length, y: level });
    }
    const bad = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY][whole(3)] as number;
    for (let i = 1 + whole(random() < 0.5 ? 3 : 200); i > 0; i -= 1)
      points.push({ x: points.length, y: bad });
  }
  return points;
}

/** Steps that are repeated, and steps that go back. */
function again(): Point[] {
  const points: Point[] = [];
  for (let x = 0; x < 6000; x += 1) {
    for (let i = 1 + whole(5); i > 0; i -= 1) points.push({ x, y: Math.sin(x / 300) * 5 + random() });
    if (random() < 0.002) x = Math.max(0, x - whole(200));
  }
  return points;
}

/** Dense bursts far apart. */
function bursts(): Point[] {
  const points: Point[] = [];
  let x = 0;
  for (let burst = 0; burst < 25; burst += 1) {
    x += 1 + whole(200_000);
    for (let i = 1 + whole(1500); i > 0; i -= 1) {
      points.push({ x, y: 100 * random() - 40 });
      x += 1 + whole(3);
    }
  }
  return points;
}

/** Each series in the order in which it is recorded. */
export const HOSTILE_SERIES: readonly (readonly [string, readonly Point[]])[] = [
  ["walk", walk(60_000, 1)],
  ["spikes", every(50_000, (x) => (random() < 0.0005 ? (random() - 0.5) * 100 : Math.sin(x / 4000)))],
  ["gaps", gaps()],
  ["again", again()],
  ["levels", every(20_000, (x) => Math.floor(x / 777) % 7)],
  ["constant", every(5000, () => 7.25)],
  ["huge", walk(12_000, 1e300)],
  ["tiny", walk(12_000, 1e-300)],
  ["alone", every(900, (x) => (x % 3 === 1 ? 5 + random() : Number.NaN))],
  ["few", every(31, (x) => (x % 7 === 3 ? Number.NaN : random() - 0.5))],
  ["one", [{ x: 5, y: 42 }]],
  ["bursts", bursts()],
];

/** By x; points of the same x in the order of the file. */
export function inOrder(points: readonly Point[]): Point[] {
  return points.map((point) => ({ ...point })).sort((one, other) => one.x - other.x);
}

/** Smoothing of a whole series. Values that are no numbers stay as they are and count for nothing. */
export function fullSmooth(
  points: readonly Point[],
  kind: "ema" | "gaussian" | "running_mean",
  amount: number,
): number[] {
  if (kind === "ema") return ema(points, amount);
  const [before, after] =
    kind === "gaussian"
      ? [Math.ceil(3 * amount), Math.ceil(3 * amount)]
      : [Math.floor((amount - 1) / 2), amount - 1 - Math.floor((amount - 1) / 2)];
  const weightOf = (distance: number) =>
    kind === "gaussian" ? Math.exp(-((distance / amount) ** 2) / 2) : 1;
  return points.map(({ y }, at) => {
    if (!Number.isFinite(y)) return y;
    let [sum, weights] = [0, 0];
    for (let i = Math.max(0, at - before); i <= Math.min(points.length - 1, at + after); i += 1) {
      const value = points[i]?.y ?? Number.NaN;
      if (!Number.isFinite(value)) continue;
      sum += value * weightOf(i - at);
      weights += weightOf(i - at);
    }
    return sum / weights;
  });
}

function ema(points: readonly Point[], weight: number): number[] {
  let past = 0;
  let count = 0;
  return points.map(({ y }) => {
    if (!Number.isFinite(y)) return y;
    past = weight * past + (1 - weight) * y;
    count += 1;
    return past / (1 - weight ** count);
  });
}
