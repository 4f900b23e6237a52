/** A long list is made in parts: at once what a window shows, the rest while the page draws what matters more. */
import { untrack } from "svelte";
import { printing } from "../../state/printing.svelte";

const FIRST = 40;
const NEXT = 60;
/** Time for the first charts to be drawn, and between two parts to be typed and clicked in. */
const FIRST_REST_MILLIS = 300;
const REST_MILLIS = 30;

/** `all` is how long the list is. Made in a component's script. */
export class Parts {
  #made = $state(FIRST);
  readonly #all: () => number;

  constructor(all: () => number) {
    this.#all = all;
    $effect(() => {
      const made = this.#made;
      if (made >= this.#all()) return;
      const rest = made === FIRST ? FIRST_REST_MILLIS : REST_MILLIS;
      const timer = setTimeout(() => untrack(() => (this.#made = made + NEXT)), rest);
      return () => clearTimeout(timer);
    });
  }

  /** How many of the list stand on the page. */
  get made(): number {
    return printing.on ? this.#all() : this.#made;
  }
}
