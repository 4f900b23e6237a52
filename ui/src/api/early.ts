/**
 * Requests that an address needs whatever its page does first: they are on their way while the page is still being made.
 * Each answer serves the first one who asks for just that, and soon: what nobody took is asked for anew.
 */

export interface FirstRequest {
  method: "GET" | "POST";
  path: string;
  body?: unknown;
}

/** Longer than a page takes to be made; what is older may have changed. */
const KEPT_MILLIS = 5_000;

const begun = new Map<string, Promise<Response>>();
/** Bodies that are being read already. */
const bodies = new WeakMap<Response, Promise<unknown>>();

const keyOf = (method: string, path: string, body: string | undefined): string =>
  `${method} ${path} ${body ?? ""}`;

export function requestOf(method: string, body: unknown, signal: AbortSignal | null): RequestInit {
  // Every answer carries an ETag where that pays; nothing is shown from memory without asking.
  const init: RequestInit = { method, signal, cache: "no-cache" };
  if (body === undefined) return init;
  return { ...init, body: JSON.stringify(body), headers: { "content-type": "application/json" } };
}

/** Who asks for it hears of the failure; nobody may ask. */
function quiet<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(() => undefined);
  return promise;
}

export function beginEarly(requests: readonly FirstRequest[]): void {
  for (const { method, path, body } of requests) {
    const init = requestOf(method, body, null);
    const answer = fetch(path, init).then((response) => {
      // Read while the page is still coming: its first frame then holds what was asked for.
      if (response.ok) bodies.set(response, quiet(response.json()));
      return response;
    });
    begun.set(keyOf(method, path, init.body as string | undefined), quiet(answer));
  }
  setTimeout(() => begun.clear(), KEPT_MILLIS);
}

/** What was begun for this request, once. */
export function takeEarly(method: string, path: string, init: RequestInit): Promise<Response> | undefined {
  if (begun.size === 0) return undefined;
  const key = keyOf(method, path, init.body as string | undefined);
  const answer = begun.get(key);
  begun.delete(key);
  return answer;
}

/** The JSON of an answer, which may have been read already. */
export function bodyOf(response: Response): Promise<unknown> {
  return bodies.get(response) ?? response.json();
}
