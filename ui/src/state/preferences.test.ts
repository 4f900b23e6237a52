import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { preferences, readKept } from "./preferences.svelte";

let systemDark = false;
let tell: () => void = () => {};

beforeEach(() => {
  localStorage.clear();
  systemDark = false;
  vi.stubGlobal("matchMedia", () => ({
    get matches() {
      return systemDark;
    },
    addEventListener: (_: string, listener: () => void) => (tell = listener),
  }));
});
afterEach(() => vi.unstubAllGlobals());

describe("preferences", () => {
  it("follow the system's theme until one is chosen", () => {
    preferences.set({ theme: "system" });
    preferences.begin();
    expect(document.documentElement.dataset.theme).toBe("light");
    systemDark = true;
    tell();
    expect(document.documentElement.dataset.theme).toBe("dark");
    preferences.set({ theme: "light" });
    expect(document.documentElement.dataset.theme).toBe("light");
  });

  it("are there again after a reload", () => {
    preferences.set({ theme: "dark", language: "zh", density: "compact" });
    preferences.theme = "light";
    preferences.language = "en";
    preferences.begin();
    expect([preferences.theme, preferences.language, preferences.density]).toEqual(["dark", "zh", "compact"]);
    expect(document.documentElement.lang).toBe("zh-CN");
    expect(preferences.rowPx).toBe(25);
  });

  it.each(["nonsense", "3", "null", '{"theme":"__proto__","language":7}'])(
    "are not broken by stored %s",
    (text) => {
      expect(() => readKept(text)).not.toThrow();
      preferences.set({ theme: "light", language: "en" });
      localStorage.setItem("runicorn.preferences", text);
      preferences.begin();
      expect(["system", "light", "dark"]).toContain(preferences.theme);
      expect(["en", "zh"]).toContain(preferences.language);
    },
  );
});
