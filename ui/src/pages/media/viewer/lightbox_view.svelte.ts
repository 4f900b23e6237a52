/** What the lightbox shows, out of the address, and where its keys and buttons lead. */
import { route } from "../../../state/route.svelte";
import { fill } from "../../../text/languages";
import { type MediaItem, type MediaRow, stepAt } from "../media_items";
import { mediaWords } from "../media_words";
import type { Found } from "./found_words";
import { FIT, fullSize, type Look, panBy, type Size, zoomAt } from "./look";
import {
  besideFirst,
  counterpart,
  itemOf,
  keyFrom,
  type Mode,
  readViewer,
  type Shown,
  stepFrom,
  type ViewerAddress,
  viewerMembers,
} from "./pair";

const ZOOM_STEP = 1.25;

export interface LightboxSource {
  /** Runs to choose from, in their order. */
  runs: readonly { id: string; name: string }[];
  /** The run of a page that has only one; empty elsewhere. */
  home: string;
  /** Undefined while nobody knows. */
  rowsOf: (run: string) => readonly MediaRow[] | undefined;
  load: (run: string) => Promise<void>;
}

export const isPicture = (item: MediaItem | undefined): boolean => item?.kind === "image" && !item.missing;

export class LightboxView {
  stage: Size = $state({ width: 0, height: 0 });
  size: Size | null = $state(null);
  besideSize: Size | null = $state(null);
  found: Found = $state.raw({ kind: "waiting" });
  /** Why a choice led nowhere. */
  note = $state("");

  readonly #source: () => LightboxSource;

  readonly runs = $derived.by(() => this.#source().runs);
  readonly address = $derived.by(() => readViewer(route.query, this.#source().home));
  readonly rows = $derived.by(() => this.#source().rowsOf(this.address.run) ?? []);
  readonly item = $derived.by(() => itemOf(this.rows, this.address.file));
  readonly besideRows = $derived.by(() => this.#source().rowsOf(this.address.besideRun) ?? []);
  readonly beside = $derived.by((): MediaItem | undefined => {
    if (this.address.mode === "one" || !this.item) return undefined;
    return this.address.besideFile === ""
      ? counterpart(this.besideRows, this.rows, this.item)
      : itemOf(this.besideRows, this.address.besideFile);
  });
  /** Films and sounds can stand beside each other, not on top. */
  readonly canLayer = $derived.by(
    () => isPicture(this.item) && (this.beside === undefined || isPicture(this.beside)),
  );
  readonly mode: Mode = $derived.by(() =>
    this.address.mode !== "one" && !(isPicture(this.item) && isPicture(this.beside))
      ? "side"
      : this.address.mode,
  );
  readonly canPair = $derived.by(
    () =>
      this.runs.length > 1 || (this.item !== undefined && besideFirst(this.rows, this.item) !== undefined),
  );
  readonly a: Shown | undefined = $derived.by(() => this.item && { run: this.address.run, item: this.item });
  readonly b: Shown | undefined = $derived.by(
    () => this.beside && { run: this.address.besideRun, item: this.beside },
  );

  constructor(source: () => LightboxSource) {
    this.#source = source;
  }

  change(part: Partial<ViewerAddress>): void {
    this.note = "";
    route.change(viewerMembers(part, this.#source().home));
  }

  nameOf(run: string): string {
    return this.runs.find((one) => one.id === run)?.name ?? run;
  }

  labelOf({ run, item }: Shown): string {
    const parts = [
      this.runs.length > 1 ? this.nameOf(run) : "",
      item.key,
      item.step ?? "",
      item.caption ?? "",
    ];
    return parts.filter((part) => part !== "").join(" · ");
  }

  /** A picture has come and told its size. */
  measured(size: Size, first: boolean): void {
    if (first) this.size = size;
    else this.besideSize = size;
  }

  look(look: Look): void {
    this.change({ look });
  }

  zoom(way: "in" | "out" | "fit" | "full"): void {
    const { look } = this.address;
    if (way === "fit") this.look(FIT);
    else if (way === "full") this.look(fullSize(look));
    else if (this.size) {
      const middle = { x: this.stage.width / 2, y: this.stage.height / 2 };
      this.look(zoomAt(look, this.size, this.stage, way === "in" ? ZOOM_STEP : 1 / ZOOM_STEP, middle));
    }
  }

  pan(x_px: number, y_px: number): void {
    if (this.size) this.look(panBy(this.address.look, this.size, { x: x_px, y: y_px }));
  }

  toMode(mode: Mode): void {
    const { item, address, runs } = this;
    if (!item || (mode !== "one" && !this.canPair)) return;
    const part: Partial<ViewerAddress> = { mode };
    if (mode !== "one" && address.besideFile === "" && address.besideRun === address.run) {
      const at = runs.findIndex((run) => run.id === address.run);
      const other = runs.length > 1 ? (runs[at + 1] ?? runs[at - 1]) : undefined;
      if (other) {
        part.besideRun = other.id;
        void this.#source().load(other.id);
      } else {
        part.besideFile = besideFirst(this.rows, item)?.file ?? "";
      }
    }
    this.change(part);
  }

  toStep(by: 1 | -1): void {
    const next = this.item && stepFrom(this.rows, this.item, by);
    if (next) this.change({ file: next.file });
  }

  besideToStep(by: 1 | -1): void {
    const next = this.beside && stepFrom(this.besideRows, this.beside, by);
    if (next) this.change({ besideFile: next.file });
  }

  toKey(by: 1 | -1): void {
    const { item, beside } = this;
    const next = item && keyFrom(this.rows, item, by);
    if (!item || !next) return;
    const part: Partial<ViewerAddress> = { file: next.file };
    // What was chosen beside it goes to the same key.
    if (beside && this.address.besideFile !== "" && beside.key === item.key) {
      const row = this.besideRows.find((one) => one.key === next.key);
      part.besideFile = row?.items.get(stepAt(row, beside.step))?.[0]?.file ?? "";
    }
    this.change(part);
  }

  /** The same key and step of another run. */
  async toRun(run: string): Promise<void> {
    await this.#source().load(run);
    const { item, rows } = this;
    if (!item) return;
    const next = counterpart(this.#source().rowsOf(run) ?? [], rows, item);
    // Named, because without it the run beside would be the new one.
    if (next) this.change({ run, file: next.file, besideRun: this.address.besideRun });
    else this.note = this.nothingIn(run);
  }

  besideToRun(run: string): void {
    this.change({ besideRun: run, besideFile: "" });
    void this.#source().load(run);
  }

  toNeighbour(by: 1 | -1): void {
    const next = this.runs[this.runs.findIndex((run) => run.id === this.address.run) + by];
    if (next) void this.toRun(next.id);
  }

  swap(): void {
    const { item, beside, address } = this;
    if (!item || !beside) return;
    const follows = address.besideFile === "" && address.run !== address.besideRun;
    this.change({
      run: address.besideRun,
      file: beside.file,
      besideRun: address.run,
      besideFile: follows ? "" : item.file,
    });
  }

  nothingIn(run: string): string {
    const words = mediaWords();
    const { key = "", step = null } = this.item ?? {};
    return fill(words.viewerWords.notInRun, { run: this.nameOf(run), key, step: step ?? words.noStep });
  }
}
