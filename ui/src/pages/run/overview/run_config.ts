/** The parts of a run's configuration as one value to show. Pure. */
import type { RunDetail } from "../../../api/wire";

function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

/** Arguments alone stand without a folder round them; null when nothing was recorded. */
export function configOf(
  config: RunDetail["config"] | null | undefined,
  words: { args: string; extra: string; files: string },
): Record<string, unknown> | null {
  const { args, extra, config_files: files } = config ?? {};
  if (isEmpty(extra) && isEmpty(files)) return isEmpty(args) ? null : (args as Record<string, unknown>);
  const parts: [string, unknown][] = [
    [words.args, args],
    [words.extra, extra],
    [words.files, files],
  ];
  return Object.fromEntries(parts.filter(([, value]) => !isEmpty(value)));
}
