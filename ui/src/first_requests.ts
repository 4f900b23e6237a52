/** What the page of an address asks for first. Pure; a page that asks for something else is merely not ahead. */
import type { FirstRequest } from "./api/early";
import { idsOf, placeOf } from "./state/places";

/** The list of this machine's runs stands behind every page. */
const LIST: FirstRequest = { method: "GET", path: "/api/run-list" };

export function firstRequests(pathname: string, query: URLSearchParams): FirstRequest[] {
  return [...ofPage(pathname, query), LIST];
}

function ofPage(pathname: string, query: URLSearchParams): FirstRequest[] {
  const { machine, page, id } = placeOf(pathname);
  // Another machine is asked over its session, which the page must know first.
  if (machine !== "") return [];
  if (page === "run" && id !== null) {
    const of = (what: string): FirstRequest => ({
      method: "GET",
      path: `/api/${what}/${encodeURIComponent(id)}`,
    });
    return [of("run-detail"), of("run-metrics")];
  }
  const runs = page === "compare" ? idsOf(query.get("runs") ?? "") : [];
  return runs.length === 0 ? [] : [{ method: "POST", path: "/api/run-metrics", body: { runs } }];
}
