/** Where in a log one reads: which of its lines are shown, which stand in sight, which are chosen. The address can name a line. */
import { untrack } from "svelte";
import type { Api } from "../../../api/client";
import { route } from "../../../state/route.svelte";
import { readAt } from "../view_state";
import { FilteredLog } from "./filtered_log.svelte";
import { LineMoment } from "./line_moment.svelte";
import { filterKey, isWhole, readFilter } from "./log_filter";
import { LogView } from "./log_view.svelte";

/** Lines that are fetched before and after those in sight. */
const SPARE_LINES = 100;

interface Stretch {
  from: number;
  to: number;
}

/** What a reader hears of. */
interface Told {
  /** A line could not be found. */
  onfault: (error: unknown) => void;
  /** The file began anew. */
  onreset: () => void;
}

export class LogPlace {
  readonly log: LogView;
  readonly shown: FilteredLog;
  readonly moment: LineMoment;

  top = $state(0);
  follow = $state(true);
  /** Places in sight. */
  range: Stretch = $state.raw({ from: 0, to: 0 });
  /** Places among the lines that are shown; without a filter those are their numbers. */
  selection: Stretch | null = $state.raw(null);
  #anchor = 0;
  /** The line that is looked at: it stays in sight when others are left out or come back. */
  #looked: number | null = null;
  #ready: Promise<void> = Promise.resolve();
  #resets = 0;

  readonly filter = $derived(readFilter(route.query));
  readonly #key = $derived(filterKey(this.filter));
  readonly whole = $derived(isWhole(this.filter));
  readonly source: LogView | FilteredLog = $derived.by(() => (this.whole ? this.log : this.shown));
  /** The number of the one chosen line; null when none or several are. */
  readonly chosen: number | null = $derived.by(() => {
    const { selection } = this;
    if (selection === null || selection.to !== selection.from + 1) return null;
    return this.source.number(selection.from) ?? null;
  });

  constructor(
    api: Api,
    run: string,
    readonly told: Told,
  ) {
    this.log = new LogView(api, run);
    this.shown = new FilteredLog(api, run);
    this.moment = new LineMoment(api, run);
  }

  /** Call it while a component is made: the log is read and followed until that ends. */
  attend(): void {
    $effect(() => {
      void this.#key;
      untrack(() => {
        this.#ready = this.#choose(this.follow ? null : this.#looked, this.moment.line);
      });
    });
    $effect(() => {
      this.#looked = this.source.number(this.selection?.from ?? this.range.from) ?? this.#looked;
    });
    $effect(() => {
      void untrack(() => this.log.start()).then(() => this.#begin());
      return () => {
        this.log.stop();
        this.shown.clear();
        this.moment.stop();
      };
    });
    $effect(() => {
      const line = this.chosen;
      untrack(() => void this.moment.ask(line));
    });
    $effect(() => {
      void this.source.version;
      const { from, to } = this.range;
      untrack(() => this.source.need(from - SPARE_LINES, to + SPARE_LINES));
    });
    $effect(() => {
      if (this.log.total > 0 && !this.whole) untrack(() => this.shown.grew());
    });
    $effect(() => this.#hearResets());
  }

  #hearResets(): void {
    if (this.log.resets === this.#resets) return;
    this.#resets = this.log.resets;
    this.selection = null;
    untrack(() => this.told.onreset());
  }

  async #choose(near: number | null, kept: number | null): Promise<void> {
    const mine = this.#key;
    this.selection = null;
    if (this.whole) this.shown.clear();
    else await this.shown.begin(this.filter);
    if (mine !== this.#key) return;
    if (kept !== null) await this.chooseLine(kept);
    else if (near !== null) await this.#goToLine(near);
  }

  /** An address may name a line to begin at, or a moment that is marked in the charts. */
  async #begin(): Promise<void> {
    const line = Number.parseInt(route.get("line"), 10);
    const at = readAt(route.query);
    if (line > 0) {
      await this.#ready;
      await this.chooseLine(line - 1);
    } else if (at !== null) {
      await this.#beginAt(at);
    }
  }

  async #beginAt(time: number): Promise<void> {
    try {
      const line = await this.moment.nearest(time);
      await this.#ready;
      if (line !== null) await this.chooseLine(line);
    } catch (error) {
      this.told.onfault(error);
    }
  }

  toggleFollow(): void {
    this.follow = !this.follow;
  }

  /** Shows a place with a third of the window above it. */
  goTo(place: number): void {
    this.follow = false;
    this.top = Math.max(0, place - (this.range.to - this.range.from) / 3);
  }

  /** Shows a line of the log, or the next one that is shown; tells its place. */
  async #goToLine(line: number): Promise<number> {
    let place = Math.max(0, Math.min(line, this.log.total - 1));
    try {
      if (!this.whole) place = await this.shown.locate(line);
    } catch {
      // The bar of the filter says what is wrong; the place stays where it was.
      return place;
    }
    this.goTo(place);
    return place;
  }

  async chooseLine(line: number): Promise<void> {
    const place = await this.#goToLine(line);
    // Left out by the filter: the next line is in sight, but nobody chose it.
    if ((this.source.number(place) ?? line) !== line) return;
    this.selection = { from: place, to: place + 1 };
    this.#anchor = place;
  }

  /** A click on a line: chooses it or no longer, with `range` all from the one before to it. */
  select(place: number, range: boolean): void {
    if (range && this.selection) {
      const ends = [this.#anchor, place];
      this.selection = { from: Math.min(...ends), to: Math.max(...ends) + 1 };
    } else {
      const again = this.selection?.from === place && this.selection.to === place + 1;
      this.selection = again ? null : { from: place, to: place + 1 };
      this.#anchor = place;
    }
    const number = this.selection && this.source.number(this.selection.from);
    route.change({ line: number == null ? null : String(number + 1) });
  }

  isChosen(place: number): boolean {
    return this.selection !== null && place >= this.selection.from && place < this.selection.to;
  }
}
