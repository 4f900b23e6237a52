/** What can be done on the page on screen: its parts offer it, the command palette lists it. */
import { untrack } from "svelte";

export interface PageDeed {
  /** Names it among the deeds of the page. */
  key: string;
  label: string;
  /** Faint text at the right: the key that does the same. */
  hint?: string;
  run: () => void;
}

type Offer = () => readonly PageDeed[];

export class PageDeeds {
  #offers = $state.raw<readonly Offer[]>([]);

  /** What can be done now, in the order in which it was offered. */
  get list(): readonly PageDeed[] {
    return this.#offers.flatMap((offer) => offer());
  }

  /** Offers deeds until the answer is called. `offer` is asked when someone looks: what cannot be done now is left out. */
  offer(offer: Offer): () => void {
    untrack(() => {
      this.#offers = [...this.#offers, offer];
    });
    return () => {
      this.#offers = this.#offers.filter((other) => other !== offer);
    };
  }
}
