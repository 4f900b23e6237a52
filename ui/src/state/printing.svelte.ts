/**
 * Paper: while it is made the page is light, as wide as a sheet, and shows what it else draws only on screen. What draws
 * late says so, and the paper waits for it.
 */
import { tick, untrack } from "svelte";
import { preferences } from "./preferences.svelte";

/** Rows of a table and charts of a page that go on paper; the page says when there are more. */
export const PRINTED_ROWS = 1_000;
export const PRINTED_CHARTS = 200;

class Printing {
  /** The page is laid out for paper. */
  on = $state(false);
  /** What is not drawn yet. */
  left = $state(0);
  #ready: (() => void) | null = null;

  /** Follows the browser's own printing, too. Called once. */
  begin(): void {
    addEventListener("beforeprint", () => this.#turn(true));
    addEventListener("afterprint", () => this.cancel());
  }

  /** Lays the page out, waits until everything is drawn, and asks the browser for paper. */
  async print(): Promise<void> {
    if (this.on) return;
    this.#turn(true);
    // What is shown now asks for what it needs in its first effects, and is measured in the frame after.
    await tick();
    await drawnFrame();
    if (this.left > 0) await new Promise<void>((ready) => (this.#ready = ready));
    if (!this.on) return;
    await drawnFrame();
    window.print();
  }

  /** Back to the screen; paper that still waits is not made. */
  cancel(): void {
    this.#turn(false);
    this.#ready?.();
    this.#ready = null;
  }

  /** Something that belongs on paper is not drawn; call the answer when it is. */
  wait(): () => void {
    untrack(() => (this.left += 1));
    return () => {
      untrack(() => (this.left -= 1));
      if (this.left > 0) return;
      this.#ready?.();
      this.#ready = null;
    };
  }

  #turn(on: boolean): void {
    if (this.on === on) return;
    this.on = on;
    preferences.paper = on;
    preferences.apply();
    if (on) document.documentElement.dataset.printing = "";
    else delete document.documentElement.dataset.printing;
  }
}

const drawnFrame = () =>
  new Promise<void>((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())));

export const printing = new Printing();
