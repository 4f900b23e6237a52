/** The drawn points of a chart as CSV. Pure. */
import type { Points } from "../../charts/delta";

/** A cell that a spreadsheet reads as text and never as a formula. */
function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function curveCsv(metric: string, xName: string, points: Points): string {
  const smooth = points.smooth;
  const lines = [[xName, metric, ...(smooth ? [`${metric} (smoothed)`] : [])].map(cell).join(",")];
  let next = 0;
  const breaks = (before: number) => {
    for (; next < points.nonFinite.length && (points.nonFinite[next]?.[0] ?? 0) < before; next += 1) {
      const [x, word] = points.nonFinite[next] ?? [0, "nan"];
      lines.push(`${x},${word}${smooth ? "," : ""}`);
    }
  };
  points.x.forEach((x, i) => {
    breaks(x);
    lines.push(`${x},${points.y[i] ?? ""}${smooth ? `,${smooth[i] ?? ""}` : ""}`);
  });
  breaks(Number.POSITIVE_INFINITY);
  return `${lines.join("\n")}\n`;
}
