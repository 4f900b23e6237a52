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

export class Desktop {
  available = $state(false);
  version = $state("");
  /** Something was dropped, and nobody has asked the reader about it yet. */
  dropped = $state.raw<Drop | null>(null);
  /** Files are being dragged over the window. */
  dragging = $state(false);
  #painted = new Set<"frame" | "page">();

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
    addEventListener("dragover", (event) => this.#over(event), { signal });
    addEventListener("dragleave", (event) => this.#left(event), { signal });
    addEventListener("drop", (event) => this.#drop(event), { signal });
    return () => ended.abort();
  }

  /** The shell knows the path. */
  #told(detail: unknown): void {
    this.dragging = false;
    const folder = (detail as { folder?: unknown } | null)?.folder;
    this.dropped = typeof folder === "string" ? { kind: "folder", path: folder } : { kind: "file", path: "" };
  }

  #over(event: DragEvent): void {
    if (!hasFiles(event)) return;
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
    this.dragging = true;
  }

  #left(event: DragEvent): void {
    if (event.relatedTarget === null) this.dragging = false;
  }

  /** A browser shows what it is, but not where it lies. */
  #drop(event: DragEvent): void {
    if (!hasFiles(event)) return;
    event.preventDefault();
    this.dragging = false;
    const items = [...(event.dataTransfer?.items ?? [])];
    const folder = items.some((item) => item.webkitGetAsEntry()?.isDirectory);
    this.dropped = { kind: folder ? "unnamed" : "file", path: "" };
  }

  /** The folder that the reader picked, or null. */
  async pickFolder(): Promise<string | null> {
    return (await here.post<{ path: string | null }>("/api/desktop/pick-folder")).path;
  }
}

/** Texts and columns that are dragged inside the page have none. */
function hasFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes("Files") ?? false;
}
