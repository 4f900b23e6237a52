/** What the window around us offers. In a plain browser: nothing, and the page hides what needs it. */
import { here } from "../api/client";
import type { DesktopInfo } from "../api/wire";

/** What a file manager dropped onto the window. */
export interface Drop {
  /** `unnamed`: a folder whose place the web view keeps to itself. */
  kind: "folder" | "unnamed" | "file";
  /** The folder's path; empty unless it is known. */
  path: string;
}

/** The event that the shell sends into its own window: `src-tauri/dropped.rs`. */
const droppedEvent = "runicorn:dropped";

/** Between leaving an element of the page and entering the next. */
const leaveMillis = 100;

export class Desktop {
  available = $state(false);
  version = $state("");
  /** Something was dropped, and nobody has asked the reader about it yet. */
  dropped = $state.raw<Drop | null>(null);
  /** Files are being dragged over the window. */
  dragging = $state(false);
  #painted = new Set<"frame" | "page">();
  /** What is being dragged is a column, a link or a text of the page. */
  #own = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  async ask(): Promise<void> {
    try {
      const info = await here.get<DesktopInfo>("/api/desktop");
      this.available = info.available;
      this.version = info.version;
    } catch {
      this.available = false;
    }
  }

  /**
   * Reports, once each, that the frame and then the first page's content are on screen. The shell restarts a window
   * that stays blank; it needs the frame only, because a slow disk is no blank window.
   */
  painted(what: "frame" | "page"): void {
    if (this.#painted.has(what)) return;
    this.#painted.add(what);
    const report = () => void here.post("/api/desktop/painted").catch(() => undefined);
    requestAnimationFrame(() => requestAnimationFrame(report));
  }

  /** Listens for folders and files that are dropped onto the window. */
  listen(): () => void {
    const ended = new AbortController();
    const { signal } = ended;
    addEventListener(droppedEvent, (event) => this.#told((event as CustomEvent<unknown>).detail), { signal });
    addEventListener("dragstart", () => (this.#own = true), { signal });
    addEventListener("dragend", () => (this.#own = false), { signal });
    addEventListener("dragenter", (event) => this.#over(event), { signal });
    addEventListener("dragover", (event) => this.#over(event), { signal });
    addEventListener("dragleave", () => this.#rest(leaveMillis), { signal });
    addEventListener("drop", (event) => this.#drop(event), { signal });
    return () => ended.abort();
  }

  /** The shell knows the path. */
  #told(detail: unknown): void {
    this.#rest(0);
    const folder = (detail as { folder?: unknown } | null)?.folder;
    this.dropped = typeof folder === "string" ? { kind: "folder", path: folder } : { kind: "file", path: "" };
  }

  #over(event: DragEvent): void {
    const types = event.dataTransfer?.types ?? [];
    // WebKitGTK calls a file of a file manager an address.
    if (this.#own || !(types.includes("Files") || types.includes("text/uri-list"))) return;
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
    clearTimeout(this.#timer);
    this.dragging = true;
  }

  /** The drag is over, unless it only went on to another element of the page. */
  #rest(millis: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => (this.dragging = false), millis);
  }

  /** A browser shows what it is, but not where it lies. */
  #drop(event: DragEvent): void {
    this.#rest(0);
    if (this.#own || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    const items = [...event.dataTransfer.items];
    const folder = items.some((item) => item.webkitGetAsEntry()?.isDirectory);
    this.dropped = { kind: folder ? "unnamed" : "file", path: "" };
  }

  /** The folder that the reader picked, or null. */
  async pickFolder(): Promise<string | null> {
    return (await here.post<{ path: string | null }>("/api/desktop/pick-folder")).path;
  }
}
