/** WebSockets that come back by themselves, and the one that carries the server's live events. */
import { type Api, address, here, type Query } from "./client";

export type LinkState = "connecting" | "live" | "lost";

const firstWaitMillis = 250;
const longestWaitMillis = 5_000;

/** A JSON WebSocket that is dialled again after each loss, sooner at first, then every five seconds. */
export class Socket<Frame> {
  state = $state<LinkState>("connecting");
  /** Since when frames arrive, in Unix seconds; null while they do not. */
  since = $state<number | null>(null);

  #socket: WebSocket | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #losses = 0;
  #closed = false;

  /** `query` is asked at each dial, so that a follower goes on where it stopped. */
  constructor(
    readonly path: string,
    readonly query: () => Query,
    readonly onframe: (frame: Frame) => void,
    readonly onopen: () => void = () => {},
  ) {}

  open(): () => void {
    this.#closed = false;
    this.#dial();
    return () => this.close();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
    this.#socket = null;
  }

  /** Dials now when the link is lost, whatever the wait. */
  retry(): void {
    if (this.state !== "lost" || this.#closed) return;
    clearTimeout(this.#timer);
    this.#losses = 0;
    this.#dial();
  }

  send(frame: unknown): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #dial(): void {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}${address(this.path, this.query())}`);
    this.#socket = socket;
    socket.onopen = () => {
      this.#losses = 0;
      this.state = "live";
      this.since = Date.now() / 1000;
      this.onopen();
    };
    socket.onmessage = (message) => {
      if (typeof message.data === "string" && message.data !== "") {
        this.onframe(JSON.parse(message.data) as Frame);
      }
    };
    socket.onclose = () => {
      if (this.#closed || this.#socket !== socket) return;
      this.state = "lost";
      this.since = null;
      const wait = Math.min(longestWaitMillis, firstWaitMillis * 2 ** this.#losses);
      this.#losses = Math.min(this.#losses + 1, 10);
      this.#timer = setTimeout(() => this.#dial(), wait);
    };
  }
}

export interface LiveFrame {
  type: string;
  [member: string]: unknown;
}

type Listener = (frame: LiveFrame) => void;

/** `/api/live` of a machine: one for each that is on screen. Listeners get every frame; watched runs report their growth. */
export class Live {
  readonly #socket: Socket<LiveFrame>;
  readonly #listeners = new Set<Listener>();
  readonly #watches = new Map<symbol, readonly string[]>();

  constructor(api: Api = here) {
    this.#socket = new Socket<LiveFrame>(
      api.address("/api/live"),
      () => ({}),
      (frame) => this.#tell(frame),
      () => this.#sendWatches(),
    );
  }

  get state(): LinkState {
    return this.#socket.state;
  }

  get since(): number | null {
    return this.#socket.since;
  }

  open(): () => void {
    return this.#socket.open();
  }

  retry(): void {
    this.#socket.retry();
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Asks for `run` frames of these runs until the returned function is called. */
  watch(ids: readonly string[]): () => void {
    const key = Symbol("watch");
    this.#watches.set(key, ids);
    this.#sendWatches();
    return () => {
      this.#watches.delete(key);
      this.#sendWatches();
    };
  }

  #sendWatches(): void {
    this.#socket.send({ watch: [...new Set([...this.#watches.values()].flat())] });
  }

  #tell(frame: LiveFrame): void {
    for (const listener of this.#listeners) listener(frame);
  }
}
