/** Charts that are shown first, remembered in the browser for each storage root. */

const LIMIT = 200;

/** Stored text is someone else's: anything unexpected is as if it were not there. */
export function readPins(text: string | null): string[] {
  try {
    const kept: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(kept)
      ? kept.filter((name): name is string => typeof name === "string").slice(0, LIMIT)
      : [];
  } catch {
    return [];
  }
}

export class Pins {
  names = $state.raw<readonly string[]>([]);
  readonly #key: string;

  constructor(root: string) {
    this.#key = `runicorn.pins.${root}`;
    this.names = readPins(localStorage.getItem(this.#key));
  }

  toggle(name: string): void {
    this.names = this.names.includes(name)
      ? this.names.filter((other) => other !== name)
      : [...this.names, name].slice(-LIMIT);
    try {
      localStorage.setItem(this.#key, JSON.stringify(this.names));
    } catch {
      // A full or forbidden store only means that the pins last as long as the page.
    }
  }
}
