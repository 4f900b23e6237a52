/** The columns that every run has, in the order in which they matter. */
import type { Column } from "../../../components/table/columns";
import type { Text } from "../../../text/languages";

export type BuiltIn = keyof Text["runs"]["column"];

/** `isExtra`: stands in the table only when it is chosen. */
const shapes: readonly (Omit<Column, "label" | "key"> & { key: BuiltIn; isExtra?: boolean })[] = [
  { key: "run", width: 210, grows: 2, pinned: true },
  { key: "host", width: 158 },
  { key: "state", width: 120 },
  { key: "best", width: 146, align: "end" },
  { key: "started", width: 98, align: "end" },
  { key: "duration", width: 102, align: "end" },
  { key: "tags", width: 130 },
  { key: "note", width: 180, grows: 1, isExtra: true },
  { key: "path", width: 160, grows: 1 },
  { key: "assets", width: 70, align: "end" },
];

/** The names of these columns but the first, which is always there. The host is told where there are several. */
export const builtInKeys = (withHost: boolean): BuiltIn[] =>
  shapes.slice(1).flatMap(({ key }) => (withHost || key !== "host" ? [key] : []));

/** Those that the table begins with. */
export const firstKeys = (withHost: boolean): BuiltIn[] =>
  builtInKeys(withHost).filter((key) => !shapes.some((shape) => shape.key === key && shape.isExtra));

/** One of them; undefined for any other name. */
export function builtInColumn(key: string, text: Text): Column | undefined {
  const shape = shapes.find((other) => other.key === key);
  if (!shape) return undefined;
  const { isExtra, ...column } = shape;
  return { ...column, label: text.runs.column[shape.key] };
}
