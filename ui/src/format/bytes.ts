/** Sizes in powers of 1024, as the storage documents count them. */

const units = ["B", "KB", "MB", "GB", "TB", "PB"] as const;

export function formatBytes(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined || !Number.isFinite(bytes)) return "–";
  let size = Math.max(0, bytes);
  let unit = 0;
  while (size >= 1023.95 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  const text = unit === 0 || size >= 100 ? String(Math.round(size)) : size.toFixed(1);
  return `${text} ${units[unit]}`;
}
