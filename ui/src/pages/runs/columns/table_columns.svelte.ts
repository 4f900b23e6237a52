/** The columns of the runs table as the page holds them: chosen ones, their order and what stands in them. */
import { untrack } from "svelte";
import { askCurves, type SmallCurve } from "../../../api/run_curves";
import { askValues, type RecordedValue } from "../../../api/run_values";
import type { Column } from "../../../components/table/columns";
import { preferences } from "../../../state/preferences.svelte";
import { route } from "../../../state/route.svelte";
import type { ListedRun } from "../../../state/run_list.svelte";
import type { TableLayout } from "../../../state/table_layout.svelte";
import { bestByName, type Reader } from "../filter/terms";
import { bestDirections } from "./best_direction";
import { builtInColumn, builtInKeys, firstKeys } from "./built_in";
import { type Chosen, choiceOf, isSame, movedTo, readChoice, writeChoice } from "./choice";
import { RecordedNames } from "./names.svelte";
import { RowFeed } from "./row_feed.svelte";
import { fieldLabel, fieldOf, isCompared, isValue, recordedField, sortKey } from "./value_fields";

const CURVE_PX = 84;
/** A value and its distance from the baseline beside it. */
const WITH_BASELINE_PX = 152;

const valueFeed = () =>
  new RowFeed<RecordedValue>((api, runs, fields, hear, signal) => askValues(api, runs, fields, hear, signal));

const curveFeed = () =>
  new RowFeed<SmallCurve>((api, runs, fields, hear, signal) => {
    const metrics = fields.map((field) => fieldOf(field)?.name ?? "");
    return askCurves(api, runs, metrics, CURVE_PX, (part, curves) => hear(part, fields, curves), signal);
  });

export class TableColumns {
  readonly values = valueFeed();
  readonly #curves = curveFeed();
  readonly #names = new RecordedNames();

  constructor(
    readonly layout: TableLayout,
    /** Whether runs of several machines stand in the table. */
    readonly overAll: boolean,
    /** All runs of the list. */
    readonly rows: () => readonly ListedRun[],
  ) {}

  readonly own: readonly string[] = $derived.by(() => builtInKeys(this.overAll));
  readonly first: readonly string[] = $derived.by(() => firstKeys(this.overAll));
  readonly #text = $derived(route.get("columns"));
  /** What the address says, else what this reader chose last, else the table's own. */
  readonly choice: readonly Chosen[] = $derived.by(
    () => readChoice(this.#text) ?? readChoice(this.layout.columns) ?? choiceOf(this.first),
  );
  readonly columns: readonly Column[] = $derived.by(() => [
    ...this.#column({ key: "run", pinned: true }),
    ...this.choice.flatMap((chosen) => this.#column(chosen)),
  ]);
  /** Looked for only where a column asks for it. */
  readonly #directions = $derived.by(() => bestDirections(this.rows()));
  readonly #fields = $derived(this.#recorded(this.choice.map(({ key }) => key)));
  readonly #curveFields = $derived(
    this.choice.map(({ key }) => key).filter((key) => fieldOf(key)?.kind === "curve"),
  );

  #recorded(keys: readonly string[]): string[] {
    return keys.filter(isValue).flatMap((key) => this.#recordedOne(key) ?? []);
  }

  #recordedOne(key: string): string | null {
    return fieldOf(key)?.kind === "best" ? recordedField(key, this.#directions) : key;
  }

  #column({ key, pinned }: Chosen): Column[] {
    const { text } = preferences;
    const field = fieldOf(key);
    if (field === null) {
      const own = key === "host" && !this.overAll ? undefined : builtInColumn(key, text);
      return own === undefined ? [] : [{ ...own, pinned }];
    }
    const label = fieldLabel(field, text);
    if (field.kind === "curve") return [{ key, label, width: 104, sortable: false, pinned }];
    const width = Math.min(220, Math.max(92, 28 + 7 * label.length));
    const compared = isCompared(field) && route.get("baseline") !== "";
    return [
      { key, label, width: compared ? Math.max(width, WITH_BASELINE_PX) : width, align: "end", pinned },
    ];
  }

  choose(choice: readonly Chosen[]): void {
    const text = isSame(choice, choiceOf(this.first)) ? null : writeChoice(choice);
    this.layout.choose(text);
    route.change({ columns: text });
  }

  reset(): void {
    this.layout.reset();
    route.change({ columns: null });
  }

  move(key: string, to: string): void {
    const place = this.choice.findIndex((column) => column.key === to);
    if (place >= 0) this.choose(movedTo(this.choice, key, place));
  }

  /** Asks for what stands in the cells of these rows. */
  need(rows: readonly ListedRun[]): void {
    this.values.need(rows, this.#fields);
    this.#curves.need(rows, this.#curveFields);
  }

  /** Asks for what the whole table is sorted by or searched for: a column, and recorded names. */
  needAll(rows: readonly ListedRun[], sortedBy: readonly string[], names: readonly string[]): void {
    if (names.length > 0) this.#names.need(rows);
    const searched = names.flatMap((name) => this.#names.fieldOf(name) ?? []);
    const fields = [...this.#recorded(sortedBy), ...searched];
    if (fields.length > 0) this.values.need(rows, fields, false);
  }

  needNames(rows: readonly ListedRun[]): void {
    this.#names.need(rows);
  }

  /** Every recorded name, once they were asked for. */
  readonly allNames: readonly string[] = $derived.by(() => {
    const { names } = this.#names;
    return names === null ? [] : [...new Set([...names.config, ...names.summary, ...names.metrics])];
  });

  /** Names that runs were configured with, once they were asked for. */
  get configured(): readonly string[] {
    return this.#names.names?.config ?? [];
  }

  /** What a search or a group reads under a recorded name: the best value of a run's best metric, else what the run recorded. */
  readonly reader: Reader = (name) => {
    const best = bestByName(name);
    return (row) => {
      const own = best(row);
      const field = own === null ? this.#names.fieldOf(name) : null;
      return field === null ? own : (this.valueOf(row as ListedRun, field) ?? null);
    };
  };

  valueOf(row: ListedRun, field: string): RecordedValue | undefined {
    const recorded = this.#recordedOne(field);
    return recorded === null ? null : this.values.valueOf(row, recorded);
  }

  curveOf(row: ListedRun, field: string): SmallCurve | null | undefined {
    return this.#curves.valueOf(row, field);
  }

  /** Undefined where the column sorts by something of the row itself. */
  sorter(key: string): ((row: ListedRun) => number | string | null) | undefined {
    return isValue(key) ? (row) => sortKey(this.valueOf(row, key)) : undefined;
  }

  get fault(): unknown {
    return this.values.fault ?? this.#curves.fault;
  }

  retry(): void {
    this.values.retry();
    this.#curves.retry();
  }

  start(): () => void {
    return () => {
      untrack(() => {
        this.values.stop();
        this.#curves.stop();
        this.#names.stop();
      });
    };
  }
}
