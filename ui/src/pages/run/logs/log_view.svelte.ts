/** A run's log as the page holds it: how long it is, the lines looked at, and what is appended to it. */
import { type Api, segment } from "../../../api/client";
import { Socket } from "../../../api/live.svelte";
import type { LogLines } from "../../../api/wire";
import { LinePages, PAGE_LINES } from "./line_pages";

interface FollowFrame {
  first_line?: number;
  lines?: string[];
  reset?: boolean;
}

export class LogView {
  total = $state(0);
  exists = $state(false);
  waiting = $state(true);
  failure = $state.raw<unknown>(null);
  /** Counts what changed in the pages, which are not reactive themselves. */
  version = $state(0);
  /** Counts truncations and replacements of the file. */
  resets = $state(0);

  #pages = new LinePages();
  #cut = new Set<number>();
  #asked = new Set<number>();
  #socket: Socket<FollowFrame> | null = null;
  #stopped = false;

  constructor(
    readonly api: Api,
    readonly run: string,
  ) {}

  async start(): Promise<void> {
    this.failure = null;
    this.waiting = true;
    try {
      this.#take(await this.#ask({ tail: PAGE_LINES }));
      if (!this.#stopped) this.#follow();
    } catch (error) {
      this.failure = error;
    }
    this.waiting = false;
  }

  stop(): void {
    this.#stopped = true;
    this.#socket?.close();
  }

  line(index: number): string | undefined {
    void this.version;
    return this.#pages.get(index);
  }

  /** Every line is shown: its place is its number. */
  number(index: number): number {
    return index;
  }

  isCut(index: number): boolean {
    return this.#cut.has(index);
  }

  /** Fetches what is missing of these lines. */
  need(from: number, to: number): void {
    for (const range of this.#pages.missing(from, to, this.total)) {
      if (this.#asked.has(range.from)) continue;
      this.#asked.add(range.from);
      this.#ask({ from: range.from, count: range.count })
        .then((answer) => this.#take(answer))
        .catch((error) => {
          this.failure = error;
        })
        .finally(() => this.#asked.delete(range.from));
    }
  }

  /** Lines `from..to`, fetched where they are not here. */
  async read(from: number, to: number): Promise<string[]> {
    const found: string[] = [];
    for (let at = from; at < to; at += 5000) {
      const answer = await this.#ask({ from: at, count: Math.min(5000, to - at) });
      found.push(...answer.lines);
      if (answer.lines.length === 0) break;
    }
    return found;
  }

  #ask(query: Record<string, number>): Promise<LogLines> {
    return this.api.get<LogLines>(`/api/log-lines/${segment(this.run)}`, query);
  }

  #take(answer: LogLines): void {
    this.failure = null;
    this.exists = answer.exists || this.exists;
    this.total = Math.max(this.total, answer.total_lines);
    this.#pages.put(answer.first_line, answer.lines);
    for (const line of answer.cut ?? []) this.#cut.add(line);
    this.version += 1;
  }

  #follow(): void {
    this.#socket = new Socket<FollowFrame>(
      this.api.address(`/api/log-follow/${segment(this.run)}`),
      () => ({ from: this.total }),
      (frame) => this.#hear(frame),
    );
    this.#socket.open();
  }

  #hear(frame: FollowFrame): void {
    if (frame.reset) {
      this.#pages.clear();
      this.#cut.clear();
      this.total = 0;
      this.resets += 1;
    }
    if (frame.lines && frame.lines.length > 0) {
      const first = frame.first_line ?? this.total;
      this.exists = true;
      this.#pages.put(first, frame.lines);
      this.total = Math.max(this.total, first + frame.lines.length);
    }
    this.version += 1;
  }
}
