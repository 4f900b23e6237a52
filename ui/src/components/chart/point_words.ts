/** A place on the x axis as the tooltip says it: exact, not rounded like a tick. */
import type { AxisKind } from "./axis";
import { shortDuration } from "./ticks";

export function pointWords(x: number | null, kind: AxisKind): string {
  if (x === null) return "–";
  if (kind === "duration") return shortDuration(x, 0.01);
  if (kind === "time") return timeOf(x);
  if (Number.isInteger(x) && Math.abs(x) < 1e15) return x.toLocaleString("en-US");
  return String(Number(x.toPrecision(9)));
}

function timeOf(seconds: number): string {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return String(seconds);
  const two = (part: number) => String(part).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
