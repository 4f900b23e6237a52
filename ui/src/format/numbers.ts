/** Numbers for reading: few digits that matter, tabular, the same width where it can be. */

/** A metric's value: five significant digits, powers only where they are shorter to read. */
export function formatValue(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e7 || size < 1e-4)
    return minus(
      value
        .toExponential(3)
        .replace(/\.?0+e/, "e")
        .replace("e+", "e"),
    );
  if (Number.isInteger(value)) return minus(grouped(value));
  const digits = Math.max(0, Math.min(6, 4 - Math.floor(Math.log10(size))));
  return minus(digits === 0 ? grouped(Math.round(value)) : value.toFixed(digits));
}

/** How far a value lies from another: in percent of it, or, when that is 0, as it stands. */
export function formatDifference(value: number, from: number): string {
  if (!Number.isFinite(value) || !Number.isFinite(from)) return value === from ? "0 %" : "";
  if (value === from) return "0 %";
  if (from === 0) return (value > 0 ? "+" : "") + formatValue(value);
  const percent = (value / Math.abs(from) - Math.sign(from)) * 100;
  const size = Math.abs(percent);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  if (size >= 1e6) return `${percent > 0 ? "+" : ""}${formatValue(percent)} %`;
  return `${percent > 0 ? "+" : ""}${minus(percent.toFixed(digits))} %`;
}

/** A count of things, with grouped thousands. */
export function formatCount(count: number): string {
  return minus(thousands(Math.trunc(count)));
}

/** A share of a whole, without digits that nobody reads. */
export function formatPercent(part: number, whole: number): string {
  if (whole <= 0) return "0 %";
  return `${Math.floor((part / whole) * 100)} %`;
}

function grouped(value: number): string {
  return Math.abs(value) < 10_000 ? String(value) : thousands(value);
}

// Made once: making one takes longer than a hundred numbers.
const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const thousands = (value: number): string => whole.format(value);

function minus(text: string): string {
  return text.replace(/^-/, "−").replace("e-", "e−");
}
