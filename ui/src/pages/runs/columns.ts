/** The columns of the runs table, in the order in which they matter. */
import type { Column } from "../../components/VirtualTable.svelte";
import type { Text } from "../../text/languages";

export type ColumnKey = keyof Text["runs"]["column"];

const shapes: readonly (Omit<Column, "label" | "key"> & { key: ColumnKey })[] = [
  { key: "run", width: 210, grows: 2 },
  { key: "host", width: 158 },
  { key: "state", width: 120 },
  { key: "best", width: 146, align: "end" },
  { key: "started", width: 98, align: "end" },
  { key: "duration", width: 102, align: "end" },
  { key: "tags", width: 130 },
  { key: "path", width: 160, grows: 1 },
  { key: "assets", width: 70, align: "end" },
];

/** Every column; the first one cannot be hidden. The host is told where there are several. */
export function allColumns(text: Text, withHost: boolean): Column[] {
  const told = shapes.filter(({ key }) => withHost || key !== "host");
  return told.map((shape) => ({ ...shape, label: text.runs.column[shape.key] }));
}
