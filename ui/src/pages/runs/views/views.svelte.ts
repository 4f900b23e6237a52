/** The views of the run table that people keep by name. */
import { dropRunView, keepRunView, type RunView, runViews } from "../../../api/annotations";
import type { Api } from "../../../api/client";

/** What belongs to the moment, not to the view. */
const PASSING = ["selected", "preview"];

/** The query of a view, always in the same order, so that equal views have equal texts. */
export function viewQuery(query: URLSearchParams, columns: string): string {
  const kept = new URLSearchParams(query);
  for (const name of PASSING) kept.delete(name);
  // How a reader likes the columns is part of what is seen.
  kept.set("columns", columns);
  kept.sort();
  return kept.toString();
}

export class Views {
  /** Null until the first answer. */
  list = $state.raw<readonly RunView[] | null>(null);
  fault = $state.raw<unknown>(null);

  constructor(readonly api: Api) {}

  load(): Promise<void> {
    return this.#take(runViews(this.api));
  }

  keep(name: string, query: string): Promise<void> {
    return this.#take(keepRunView(this.api, name, query));
  }

  drop(name: string): Promise<void> {
    return this.#take(dropRunView(this.api, name));
  }

  async #take(answer: Promise<RunView[]>): Promise<void> {
    try {
      this.list = await answer;
      this.fault = null;
    } catch (error) {
      this.fault = error;
    }
  }
}
