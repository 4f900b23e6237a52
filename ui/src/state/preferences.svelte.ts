/** What this reader prefers: theme, language, density, colours of lines. Kept in the browser, applied to the whole page. */
import { type Language, languageOf, type Text, texts } from "../text/languages";

export type Theme = "system" | "light" | "dark";
export type Density = "comfortable" | "compact";
/** Colours of the lines: the usual ones, or darker and lighter ones that stand further from the ground. */
export type Palette = "standard" | "contrast";

const key = "runicorn.preferences";
const themes: readonly string[] = ["system", "light", "dark"];
const densities: readonly string[] = ["comfortable", "compact"];
const palettes: readonly string[] = ["standard", "contrast"];

interface Kept {
  theme?: string;
  language?: string;
  density?: string;
  palette?: string;
}

/** Stored text is someone else's: anything unexpected is as if it were not there. */
export function readKept(text: string | null): Kept {
  try {
    const kept: unknown = JSON.parse(text ?? "{}");
    return typeof kept === "object" && kept !== null ? (kept as Kept) : {};
  } catch {
    return {};
  }
}

class Preferences {
  theme = $state<Theme>("system");
  language = $state<Language>("en");
  density = $state<Density>("comfortable");
  palette = $state<Palette>("standard");
  /** Paper is white, whatever the theme. */
  paper = $state(false);
  #systemDark = $state(false);

  /** The theme on screen. */
  readonly shownTheme = $derived<"light" | "dark">(
    this.paper ? "light" : this.theme === "system" ? (this.#systemDark ? "dark" : "light") : this.theme,
  );
  readonly text: Text = $derived(texts[this.language]);
  /** Height of a table row in pixels, at normal zoom. */
  readonly rowPx = $derived(this.density === "compact" ? 25 : 31);

  /** Reads what was kept and follows the system's theme. Called once, before the first frame. */
  begin(): void {
    const kept = readKept(localStorage.getItem(key));
    if (themes.includes(kept.theme ?? "")) this.theme = kept.theme as Theme;
    if (densities.includes(kept.density ?? "")) this.density = kept.density as Density;
    if (palettes.includes(kept.palette ?? "")) this.palette = kept.palette as Palette;
    this.language =
      kept.language === "en" || kept.language === "zh" ? kept.language : languageOf(navigator.languages);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    this.#systemDark = dark.matches;
    dark.addEventListener("change", () => {
      this.#systemDark = dark.matches;
      this.apply();
    });
    this.apply();
  }

  set(change: { theme?: Theme; language?: Language; density?: Density; palette?: Palette }): void {
    Object.assign(this, change);
    localStorage.setItem(
      key,
      JSON.stringify({
        theme: this.theme,
        language: this.language,
        density: this.density,
        palette: this.palette,
      }),
    );
    this.apply();
  }

  /** Tells the document, so that plain CSS can follow. */
  apply(): void {
    const root = document.documentElement;
    root.dataset.theme = this.shownTheme;
    root.dataset.density = this.density;
    root.dataset.palette = this.palette;
    root.lang = this.language === "zh" ? "zh-CN" : "en";
  }
}

export const preferences = new Preferences();
