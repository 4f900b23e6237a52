/** Every request: JSON in, JSON out, every refusal an `ApiError` with the server's own words. */
import { bodyOf, requestOf, takeEarly } from "./early";

export interface ErrorBody {
  detail?: unknown;
  error?: string;
  code?: string;
  details?: string;
  /** The stage in which a connection to another machine failed. */
  phase?: string | null;
}

/** A refusal of the server, or the lack of an answer (`status` 0, `code` `NO_ANSWER`). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    /** All that the server said; questions of another machine stand in its `detail`. */
    readonly body: ErrorBody | null = null,
  ) {
    super(detail);
    this.name = "ApiError";
  }
}

export type Query = Record<string, string | number | boolean | null | undefined>;

export interface CallOptions {
  query?: Query;
  body?: unknown;
  signal?: AbortSignal;
}

/** A path with its query; empty members are left out. */
export function address(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null) search.set(name, String(value));
  }
  const text = search.toString();
  return text === "" ? path : `${path}?${text}`;
}

/** `detail` may be a sentence or a list of validation faults; people get one sentence. */
export function sentenceOf(body: ErrorBody | null, fallback: string): string {
  if (typeof body?.detail === "string" && body.detail !== "") return body.detail;
  if (Array.isArray(body?.detail)) {
    const parts = body.detail.map((fault: { msg?: unknown; loc?: unknown[] }) =>
      [fault.loc?.join("."), fault.msg].filter(Boolean).join(": "),
    );
    if (parts.length > 0) return parts.join("; ");
  }
  return body?.error ?? fallback;
}

/** A question (a host key, a second factor) is an object with a code and a message of its own. */
function questionOf(body: ErrorBody | null): { code?: string; message?: string } {
  const { detail } = body ?? {};
  return typeof detail === "object" && detail !== null && !Array.isArray(detail) ? detail : {};
}

async function refusal(response: Response): Promise<ApiError> {
  const body = (await response.json().catch(() => null)) as ErrorBody | null;
  const question = questionOf(body);
  const fallback = question.message ?? `${response.status} ${response.statusText}`.trim();
  const code = body?.code ?? question.code ?? `HTTP_${response.status}`;
  return new ApiError(response.status, code, sentenceOf(body, fallback), body);
}

async function send(method: string, path: string, options: CallOptions): Promise<Response> {
  const init = requestOf(method, options.body, options.signal ?? null);
  const url = address(path, options.query);
  try {
    const early = takeEarly(method, url, init);
    if (!early) return await fetch(url, init);
    const response = await early;
    options.signal?.throwIfAborted();
    return response;
  } catch (cause) {
    if (options.signal?.aborted) throw cause;
    throw new ApiError(0, "NO_ANSWER", cause instanceof Error ? cause.message : String(cause));
  }
}

/** One path segment, safe in an address. */
export function segment(text: string): string {
  return encodeURIComponent(text);
}

/** The API of one machine: of the one that serves this page, or of another one through it. */
export class Api {
  /** What stands before `/api/…` of that machine; empty for the one that serves this page. */
  constructor(readonly base = "") {}

  /** The address of a path of that machine, for links, images and sockets. */
  address(path: string, query: Query = {}): string {
    return address(this.base + path, query);
  }

  /** Whether this run can be asked about at all; of one machine each can. */
  reaches(_run: string): boolean {
    return true;
  }

  /** Calls the machine and reads its JSON answer. */
  async call<Answer>(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const response = await send(method, this.base + path, options);
    if (!response.ok) throw await refusal(response);
    if (response.status === 204) return undefined as Answer;
    return (await bodyOf(response)) as Answer;
  }

  get<Answer>(path: string, query: Query = {}, signal?: AbortSignal): Promise<Answer> {
    return this.call<Answer>("GET", path, signal === undefined ? { query } : { query, signal });
  }

  /** Asks for plain text, such as a log. */
  async text(path: string, query: Query = {}, signal?: AbortSignal): Promise<string> {
    const response = await send(
      "GET",
      this.base + path,
      signal === undefined ? { query } : { query, signal },
    );
    if (!response.ok) throw await refusal(response);
    return response.text();
  }

  post<Answer>(path: string, body?: unknown, signal?: AbortSignal): Promise<Answer> {
    return this.call<Answer>("POST", path, signal === undefined ? { body } : { body, signal });
  }

  put<Answer>(path: string, body: unknown): Promise<Answer> {
    return this.call<Answer>("PUT", path, { body });
  }

  patch<Answer>(path: string, body: unknown): Promise<Answer> {
    return this.call<Answer>("PATCH", path, { body });
  }

  remove<Answer>(path: string): Promise<Answer> {
    return this.call<Answer>("DELETE", path);
  }

  /** Asks for a file and saves it where the browser saves files. */
  async download(path: string, body: unknown, name: string): Promise<void> {
    const response = await send("POST", this.base + path, { body });
    if (!response.ok) throw await refusal(response);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await response.blob());
    link.download = name;
    link.click();
    // The browser has taken the file's content once the click is handled.
    setTimeout(() => URL.revokeObjectURL(link.href), 0);
  }
}

/** The machine that serves this page: its hosts, its window, its keyring. */
export const here = new Api();
