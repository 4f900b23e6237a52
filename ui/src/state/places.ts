/** Address → page and back. Names are those of the rail, the page folders and the server's files. */

export type PageName = "runs" | "run";

export interface Place {
  /** Null: no page has this address. */
  page: PageName | null;
  id: string | null;
}

const table: readonly { page: PageName; pattern: RegExp }[] = [
  { page: "runs", pattern: /^\/(?:runs\/?)?(?:index\.html)?$/ },
  { page: "run", pattern: /^\/run\/([^/]+)\/?$/ },
];

export function placeOf(pathname: string): Place {
  for (const { page, pattern } of table) {
    const found = pattern.exec(pathname);
    if (found) return { page, id: found[1] === undefined ? null : decoded(found[1]) };
  }
  return { page: null, id: null };
}

/** A segment with a broken escape is taken as it stands. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

export const runHref = (id: string): string => `/run/${encodeURIComponent(id)}`;
export const runsHref = (query = ""): string => (query === "" ? "/runs" : `/runs?${query}`);
