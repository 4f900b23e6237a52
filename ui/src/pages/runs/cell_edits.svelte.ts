/** Changing a name, tags or a note where they stand in the table. One cell at a time. */
import type { ListedRun } from "../../state/run_list.svelte";
import type { Text } from "../../text/languages";
import { faultText } from "../../text/words";
import type { Notes } from "./notes.svelte";
import { type RunEdits, tagsOf } from "./run_edits";
import { nameOf } from "./view";

export const EDITABLE = ["run", "tags", "note"] as const;
export type Editable = (typeof EDITABLE)[number];

export const isEditable = (column: string): column is Editable =>
  EDITABLE.some((editable) => editable === column);

export class CellEdits {
  #at = $state.raw<{ key: string; column: Editable } | null>(null);

  constructor(
    readonly edits: RunEdits,
    readonly notes: Notes,
    readonly text: () => Text,
    /** Where the keys go once a cell is left. */
    readonly onleave: () => void,
  ) {}

  begin(row: ListedRun, column: Editable): void {
    this.#at = { key: row.key, column };
  }

  end(): void {
    this.#at = null;
    this.onleave();
  }

  isAt(row: ListedRun, column: string): boolean {
    return this.#at?.key === row.key && this.#at.column === column;
  }

  valueOf(row: ListedRun, column: Editable): string {
    if (column === "run") return row.alias ?? "";
    return column === "tags" ? row.tags.join(", ") : this.notes.of(row);
  }

  labelOf(row: ListedRun, column: Editable): string {
    return `${this.text().runs.edits[column]}: ${nameOf(row)}`;
  }

  /** Why it could not be kept, or null. */
  async keep(row: ListedRun, column: Editable, value: string): Promise<string | null> {
    if (column === "run") return this.edits.save(row, value.trim(), row.tags);
    if (column === "tags") return this.edits.save(row, row.alias ?? "", tagsOf(value));
    const fault = await this.notes.keep(row, value);
    return fault === null ? null : faultText(this.text(), fault);
  }
}
