/** The code snapshots of two runs: what files they have, and the texts of those that must be looked at. */
import { type Api, segment } from "../../../api/client";
import { type CodeFile, type ComparedFile, compareFiles, worthReading } from "./code_files";

export interface FileText {
  /** Null where it is binary or too long to show. */
  text: string | null;
  binary: boolean;
}

interface CodeAnswer {
  available: boolean;
  files: CodeFile[];
}

const AT_ONCE = 6;
/** Files of the same length in both that are read to see whether they differ. */
const MOST_READ = 400;
const MOST_READ_BYTES = 8 << 20;

export class CodeFeed {
  /** Null until both lists are here. */
  files = $state.raw<readonly ComparedFile[] | null>(null);
  /** Runs of the two that have no snapshot. */
  without = $state.raw<readonly string[]>([]);
  fault = $state.raw<unknown>(null);
  /** Files that are still to be looked at. */
  left = $state(0);

  #texts = new Map<string, Promise<FileText>>();
  #flight = new AbortController();

  constructor(
    readonly api: Api,
    readonly before: string,
    readonly after: string,
  ) {}

  stop(): void {
    this.#flight.abort();
  }

  async load(): Promise<void> {
    this.fault = null;
    try {
      const list = (run: string) =>
        this.api.get<CodeAnswer>(`/api/run-code/${segment(run)}`, {}, this.#flight.signal);
      const [old, now] = await Promise.all([list(this.before), list(this.after)]);
      this.without = [...(old.available ? [] : [this.before]), ...(now.available ? [] : [this.after])];
      this.files = this.without.length > 0 ? [] : compareFiles(old.files, now.files);
      await this.#readThose(worthReading(this.files, MOST_READ, MOST_READ_BYTES));
    } catch (error) {
      if (!this.#flight.signal.aborted) this.fault = error;
    }
  }

  /** The text of a file on one side; asked for once. */
  text(run: string, path: string): Promise<FileText> {
    const key = `${run}\n${path}`;
    const known = this.#texts.get(key);
    if (known) return known;
    const asked = this.api.get<FileText>(`/api/run-code/${segment(run)}/file`, { path }, this.#flight.signal);
    this.#texts.set(key, asked);
    asked.catch(() => this.#texts.delete(key));
    return asked;
  }

  async #readThose(files: readonly ComparedFile[]): Promise<void> {
    const queue = [...files];
    this.left = queue.length;
    const found = new Map<string, ComparedFile["change"]>();
    const work = async () => {
      for (let file = queue.shift(); file && !this.#flight.signal.aborted; file = queue.shift()) {
        found.set(file.path, await this.#changeOf(file.path));
        this.left -= 1;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    const told = (file: ComparedFile): ComparedFile =>
      file.change === "unread" ? { ...file, change: found.get(file.path) ?? "unknown" } : file;
    if (!this.#flight.signal.aborted) this.files = (this.files ?? []).map(told);
  }

  async #changeOf(path: string): Promise<ComparedFile["change"]> {
    try {
      const [old, now] = await Promise.all([this.text(this.before, path), this.text(this.after, path)]);
      if (old.text === null || now.text === null) return "unknown";
      return old.text === now.text ? "same" : "changed";
    } catch {
      return "unknown";
    }
  }
}
