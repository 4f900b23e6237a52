/** Tick marks: round places on an axis and the shortest words that tell them apart. */

export interface Tick {
  value: number;
  label: string;
}

const MANTISSAS = [1, 2, 5, 10];
const MAX_TICKS = 24;

/** The round step (1, 2 or 5 times a power of ten) that gives at most about `count` marks. */
export function niceStep(span: number, count: number): number {
  const rough = span / Math.max(1, count);
  if (!(rough > 0) || !Number.isFinite(rough)) return 0;
  const power = 10 ** Math.floor(Math.log10(rough));
  if (!(power > 0)) return rough;
  const mantissa = MANTISSAS.find((m) => m * power >= rough * 0.999999) ?? 10;
  return mantissa * power;
}

function places(min: number, max: number, step: number): number[] {
  if (!(step > 0)) return min < max ? [min, max] : [min];
  const first = Math.ceil(min / step - 1e-9);
  const found: number[] = [];
  for (let i = 0; i <= MAX_TICKS; i += 1) {
    const index = first + i;
    // Steps below one are divided by their inverse, so 0.3 is 3/10 and not 0.30000000000000004.
    const value = step < 1 && 1 / step < 1e15 ? index / Math.round(1 / step) : index * step;
    if (value > max * (1 + Math.sign(max) * 1e-12) + step * 1e-9) break;
    if (value !== found[found.length - 1]) found.push(value === 0 ? 0 : value);
  }
  return found;
}

/** Round places at least `least` apart. */
export function linearTicks(min: number, max: number, count: number, least = 0): Tick[] {
  const span = Number.isFinite(max - min) ? max - min : Number.MAX_VALUE;
  const step = Math.max(least, niceStep(span, count));
  const values = places(min, max, step);
  const words = tickWords(min, max, step);
  return values.map((value) => ({ value, label: words(value) }));
}

export function logTicks(min: number, max: number, count: number): Tick[] {
  const low = Math.log10(min);
  const high = Math.log10(max);
  if (high - low < 0.7) return linearTicks(min, max, count).filter((tick) => tick.value > 0);
  const first = Math.floor(low);
  const last = Math.ceil(high);
  const stride = Math.max(1, Math.ceil((last - first) / Math.max(1, count)));
  const mantissas = high - low > count / 2 ? [1] : high - low > count / 3 ? [1, 3] : [1, 2, 5];
  const ticks: Tick[] = [];
  for (let exponent = Math.ceil(first / stride) * stride; exponent <= last; exponent += stride) {
    for (const mantissa of stride > 1 ? [1] : mantissas) {
      const value = Number(`${mantissa}e${exponent}`);
      if (value >= min && value <= max && value > 0) ticks.push({ value, label: shortNumber(value) });
    }
  }
  return ticks;
}

/** A number in as few characters as its size needs: `184k`, `0.02`, `3e-7`. */
export function shortNumber(value: number): string {
  const size = Math.abs(value);
  if (value === 0) return "0";
  if (size >= 1e15 || size < 1e-3) return exponential(value, 2);
  const unit = unitFor(size);
  return `${trim((value / unit.size).toPrecision(4))}${unit.word}`;
}

interface Unit {
  size: number;
  word: string;
}

function unitFor(size: number): Unit {
  if (size >= 1e12) return { size: 1e12, word: "T" };
  if (size >= 1e9) return { size: 1e9, word: "G" };
  if (size >= 1e6) return { size: 1e6, word: "M" };
  if (size >= 1e4) return { size: 1e3, word: "k" };
  return { size: 1, word: "" };
}

function trim(text: string): string {
  return text.includes(".") && !text.includes("e") ? text.replace(/\.?0+$/, "") : text;
}

function exponential(value: number, digits: number): string {
  const [mantissa = "", power = ""] = value.toExponential(Math.min(20, digits)).split("e");
  return `${trim(mantissa)}e${power.replace("+", "")}`;
}

/** How to write the marks of one linear axis: one unit for all, and no more digits than the step asks for. */
function tickWords(min: number, max: number, step: number): (value: number) => string {
  const size = Math.max(Math.abs(min), Math.abs(max));
  const digits = step > 0 ? Math.max(0, Math.floor(Math.log10(size)) - Math.floor(Math.log10(step))) : 3;
  if (size >= 1e15 || size < 1e-3) return (value) => (value === 0 ? "0" : exponential(value, digits));
  const unit = unitFor(size);
  const decimals = step > 0 ? Math.max(0, -Math.floor(Math.log10(step / unit.size) + 1e-9)) : 3;
  if (digits > 9) return (value) => trim((value / unit.size).toPrecision(15)) + unit.word;
  return (value) =>
    value === 0 ? "0" : `${(value / unit.size).toFixed(Math.min(12, decimals))}${unit.word}`;
}

const SECOND_STEPS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 432000,
  864000, 2592000, 7776000, 31536000,
];

function secondStep(span: number, count: number): number {
  if (span / Math.max(1, count) < 1) return niceStep(span, count);
  const rough = span / Math.max(1, count);
  const longest = SECOND_STEPS[SECOND_STEPS.length - 1] ?? 1;
  return SECOND_STEPS.find((step) => step >= rough) ?? niceStep(span / longest, count) * longest;
}

export function durationTicks(min: number, max: number, count: number): Tick[] {
  const step = secondStep(max - min, count);
  return places(min, max, step).map((value) => ({ value, label: shortDuration(value, step) }));
}

/** A length of time in its two largest words: `45s`, `12m 30s`, `3h`, `2d 6h`. */
export function shortDuration(seconds: number, step = 1): string {
  const size = Math.abs(seconds);
  const sign = seconds < 0 ? "-" : "";
  if (size === 0) return "0s";
  if (size < 60) {
    const decimals = step < 1 && step > 0 ? Math.min(9, Math.ceil(-Math.log10(step) - 1e-9)) : 0;
    return `${sign}${trim(size.toFixed(decimals))}s`;
  }
  const whole = Math.round(size);
  if (whole < 3600) return sign + twoWords(whole, 60, "m", 1, "s");
  if (whole < 86400) return sign + twoWords(whole, 3600, "h", 60, "m");
  return sign + twoWords(whole, 86400, "d", 3600, "h");
}

function twoWords(size: number, large: number, largeWord: string, small: number, smallWord: string): string {
  const rest = Math.floor((size % large) / small);
  const head = `${Math.floor(size / large)}${largeWord}`;
  return rest ? `${head} ${rest}${smallWord}` : head;
}

export function timeTicks(min: number, max: number, count: number): Tick[] {
  const step = secondStep(max - min, count);
  // Days start at the reader's midnight, not at Greenwich's.
  const zone = step >= 3600 ? new Date(min * 1000).getTimezoneOffset() * 60 : 0;
  return places(min - zone, max - zone, step).map((place) => {
    const value = place + zone;
    return { value, label: timeWords(value, step) };
  });
}

function timeWords(seconds: number, step: number): string {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return shortNumber(seconds);
  const two = (part: number) => String(part).padStart(2, "0");
  const day = `${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  if (step >= 86400 * 28) return `${date.getFullYear()}-${two(date.getMonth() + 1)}`;
  if (step >= 86400) return day;
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}`;
  if (step >= 3600) return date.getHours() === 0 ? day : clock;
  if (step >= 60) return clock;
  const rest = step < 1 ? (date.getSeconds() + (seconds % 1)).toFixed(1) : String(date.getSeconds());
  return `${clock}:${rest.padStart(step < 1 ? 4 : 2, "0")}`;
}
