/** What the window around us offers. In a plain browser: nothing, and the page hides what needs it. */
import { here } from "../api/client";
import type { DesktopInfo } from "../api/wire";

export class Desktop {
  available = $state(false);
  version = $state("");
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

  /** The folder that the reader picked, or null. */
  async pickFolder(): Promise<string | null> {
    return (await here.post<{ path: string | null }>("/api/desktop/pick-folder")).path;
  }
}
