/**
 * What the address needs is on its way before the page's script is read: its requests and the part of the page that it
 * names. A script of its own in the build (`vite.config.ts`), small enough to run while the rest is still coming.
 */
import { beginEarly } from "./api/early";
import { firstRequests } from "./first_requests";
import { lazyPages } from "./lazy_pages";
import { placeOf } from "./state/places";

beginEarly(firstRequests(location.pathname, new URLSearchParams(location.search)));
const { page } = placeOf(location.pathname);
/** Resolves when the page's own part is there; null when it has none. What fails here is said where the page is shown. */
export const part: Promise<unknown> | null =
  page === null || page === "runs" ? null : lazyPages[page]().catch(() => undefined);
