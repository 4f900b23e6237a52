/** The runs as the address asks for them: which ones, in which order, under which heads; which is chosen, which are ticked. */
import { untrack } from "svelte";
import type { Clock } from "../../state/clock.svelte";
import { logsOfRuns, runHref, runsHref } from "../../state/places";
import { route } from "../../state/route.svelte";
import { chooseLooks } from "../../state/run_colours";
import type { ListedRun, RunSource } from "../../state/run_list.svelte";
import { runOrder } from "../../state/run_order.svelte";
import { Selection } from "../../state/selection.svelte";
import { TableLayout } from "../../state/table_layout.svelte";
import { comparisonOf, tickedRuns } from "../../state/ticked_runs.svelte";
import { TableColumns } from "./columns/table_columns.svelte";
import { compile } from "./filter/match";
import { folderTree } from "./folders";
import { GroupFolds } from "./group_folds.svelte";
import { grouped, isGroup, linesOf, recordedGroup } from "./grouping";
import { Notes } from "./notes.svelte";
import { isWritable } from "./trouble";
import { shown, sorted, sortedNext, sortsOf, sortsText } from "./view";

/** Columns that begin with their largest value. */
const DESCENDING_FIRST = ["started", "duration", "best", "assets"];

export const canWrite = (rows: readonly ListedRun[]): boolean => rows.every((row) => isWritable(row.origin));

export class RunsView {
  readonly layout = new TableLayout("runs");
  readonly notes = new Notes();
  readonly folds = new GroupFolds();
  readonly ticks = new Selection();
  readonly recorded: TableColumns;
  /** The lines of the table that are on screen. */
  #inView = $state.raw({ from: 0, to: 0 });
  /** The run that stands in the preview until one is chosen: the first that was seen. */
  #firstSeen = $state("");

  constructor(
    readonly list: RunSource,
    readonly clock: Clock,
    /** Whether runs of several machines stand in the table. */
    overAll: boolean,
  ) {
    this.recorded = new TableColumns(this.layout, overAll, () => list.rows);
    this.ticks.add(tickedRuns.take());
  }

  readonly folder = $derived(route.get("path"));
  readonly query = $derived(route.get("q"));
  // Texts first: what is made of them is made anew only when they change, not at each keystroke elsewhere.
  readonly #statusText = $derived(route.get("status"));
  readonly #sortedBy = $derived(route.get("sort"));
  readonly statuses = $derived(new Set(this.#statusText.split(",").filter(Boolean)));
  readonly sort = $derived(sortsOf(this.#sortedBy));
  readonly isFiltered = $derived(this.query !== "" || this.#statusText !== "" || this.folder !== "");

  readonly tree = $derived.by(() => folderTree(this.list.rows));
  readonly #ordered = $derived.by(() =>
    sorted(this.list.rows, this.sort, this.#now(), (key) => this.recorded.sorter(key)),
  );
  readonly filter = $derived.by(() => compile(this.query, this.recorded.reader, this.#now()));
  readonly shown = $derived(shown(this.#ordered, this.folder, this.filter.test, this.statuses));
  readonly base = $derived.by(() => this.list.byKey.get(route.get("baseline")));

  readonly groupBy = $derived(route.get("group"));
  readonly groups = $derived.by(() =>
    this.groupBy === "" ? null : grouped(this.shown.rows, this.groupBy, this.recorded.reader, this.#now()),
  );
  readonly lines = $derived(this.groups === null ? this.shown.rows : linesOf(this.groups, this.folds.closed));
  readonly #order = $derived(this.groups?.flatMap((group) => group.rows) ?? this.shown.rows);

  readonly chosen = $derived.by(
    () => this.list.byKey.get(route.get("selected")) ?? this.list.byKey.get(this.#firstSeen),
  );
  /** The head that is chosen in place of a run. */
  readonly headAt = $derived(
    this.groups?.some((group) => group.key === this.folds.at) ? this.folds.at : null,
  );
  readonly ticked = $derived.by(() => this.ticks.ids.flatMap((id) => this.list.byKey.get(id) ?? []));
  /** The ticked runs when there are any, else the chosen one, unless a head is. */
  readonly meant: readonly ListedRun[] = $derived(
    this.ticked.length > 0 ? this.ticked : this.chosen && this.headAt === null ? [this.chosen] : [],
  );
  readonly comparison = $derived(comparisonOf(this.ticked));
  readonly logsHref = $derived(logsOfRuns(this.comparison));
  /** The colours that the ticked runs will have beside each other. */
  readonly looks = $derived(chooseLooks(this.ticks.ids));

  /** Running durations move every second; neither the order nor what is found need to. */
  #now(): number {
    return untrack(() => this.clock.nowSecs);
  }

  /** Call it while a component is made: what stands in view is asked for, and other pages know what is chosen here. */
  follow(): void {
    $effect(() => this.recorded.start());
    $effect(() => this.#need());
    $effect(() => {
      if (!this.list.byKey.has(this.#firstSeen)) this.#firstSeen = this.shown.rows[0]?.key ?? "";
    });
    $effect(() => {
      tickedRuns.rows = this.ticked;
      return () => {
        tickedRuns.rows = [];
      };
    });
    // A run that is opened from here goes on to the next, and back to this view.
    $effect(() => runOrder.set(this.#order, runsHref(route.query.toString(), route.place.machine)));
  }

  #need(): void {
    const { list, recorded } = this;
    const seen = this.lines
      .slice(this.#inView.from, this.#inView.to)
      .flatMap((line) => (isGroup(line) ? [] : [line]));
    recorded.need(seen);
    if (this.base) recorded.need([this.base]);
    this.notes.need(seen);
    // A table that is sorted by what runs recorded, searched for it or grouped by it, needs it of all.
    if (this.query !== "") recorded.needNames(list.rows);
    const names = [...this.filter.names, ...recordedGroup(this.groupBy)];
    recorded.needAll(
      list.rows,
      this.sort.map(({ key }) => key),
      names,
    );
  }

  /** Lines from one to before another are on screen. */
  see(from: number, to: number): void {
    this.#inView = { from, to };
  }

  sortBy(key: string, add: boolean): void {
    const descends = DESCENDING_FIRST.includes(key) || this.recorded.sorter(key) !== undefined;
    route.change({ sort: sortsText(sortedNext(this.sort, key, descends, add)) });
  }

  toggleBaseline(row: ListedRun): void {
    route.change({ baseline: this.base?.key === row.key ? null : row.key });
  }

  showAll(): void {
    route.change({ q: null, status: null, path: null });
  }

  select(key: string | null): void {
    route.change({ selected: key });
  }

  /** The choice moves to a run, or to the head of a group; the preview stays with the run. */
  move(key: string): void {
    this.folds.at = this.list.byKey.has(key) ? null : key;
    if (this.folds.at === null) this.select(key);
  }

  /** The choice is in the table: where it is not, its first run is chosen. */
  enter(): void {
    const { rows } = this.shown;
    const first = rows[0];
    if (first && !rows.some((row) => row.key === this.chosen?.key)) this.select(first.key);
  }

  open(key: string): void {
    const row = this.list.byKey.get(key);
    if (row) route.go(runHref(row.id, row.origin.machine));
  }

  /** Takes runs away by a deed that tells which ones went; the choice moves on to the next that stays. */
  async remove(
    rows: readonly ListedRun[],
    deed: (rows: readonly ListedRun[]) => Promise<string[]>,
  ): Promise<void> {
    if (rows.length === 0 || !canWrite(rows)) return;
    const leaving = new Set(rows.map((row) => row.key));
    const stays = (row: ListedRun) => !leaving.has(row.key);
    const all = this.shown.rows;
    const at = all.findIndex((row) => row.key === this.chosen?.key);
    const next = all.slice(at).find(stays) ?? all.findLast(stays);
    const gone = await deed(rows);
    this.ticks.drop(gone);
    if (this.chosen === undefined || gone.includes(route.get("selected"))) this.select(next?.key ?? null);
  }
}
