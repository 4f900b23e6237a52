/** Where the window is: page, id and query. The address bar is the only store of the view. */
import { type Place, placeOf } from "./places";

/** Browsers refuse more than about a hundred address changes in ten seconds: typing is written late. */
const settleMillis = 200;

class Route {
  place = $state.raw<Place>({ machine: "", page: "runs", id: null });
  query = $state.raw(new URLSearchParams());
  #timer: ReturnType<typeof setTimeout> | undefined;

  begin(): void {
    addEventListener("popstate", () => this.#read());
    addEventListener("pagehide", () => this.#settle());
    this.#read();
  }

  get(name: string): string {
    return this.query.get(name) ?? "";
  }

  /** The address of the view as it is now, written to the bar or not yet. */
  get href(): string {
    const search = this.query.toString();
    return location.pathname + (search === "" ? "" : `?${search}`);
  }

  /** Goes to an address of ours; `replace` leaves no step to go back to. */
  go(href: string, replace = false): void {
    this.#settle();
    if (href === location.pathname + location.search) return;
    if (replace) history.replaceState(null, "", href);
    else history.pushState(null, "", href);
    this.#read();
  }

  /** Changes members of the query at once; empty ones are dropped. Choosing (`push`) can be gone back from. */
  change(members: Record<string, string | null>, push = false): void {
    const query = new URLSearchParams(this.query);
    for (const [name, value] of Object.entries(members)) {
      if (value === null || value === "") query.delete(name);
      else query.set(name, value);
    }
    if (push) this.#settle();
    this.query = query;
    if (push) {
      history.pushState(null, "", this.href);
    } else {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#settle(), settleMillis);
    }
  }

  #settle(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.href !== location.pathname + location.search) history.replaceState(null, "", this.href);
  }

  #read(): void {
    clearTimeout(this.#timer);
    this.place = placeOf(location.pathname);
    this.query = new URLSearchParams(location.search);
  }
}

export const route = new Route();

/** A plain left click on one of our own links stays in the page; the browser keeps all others. */
export function follow(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element | null)?.closest("a");
  if (link?.target !== "" || link.origin !== location.origin) return;
  if (link.hash !== "" || link.hasAttribute("download") || placeOf(link.pathname).page === null) return;
  event.preventDefault();
  route.go(link.pathname + link.search);
}
