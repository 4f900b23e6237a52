/** The theme's colours for the canvas, which cannot read CSS variables itself. */

export interface ChartColours {
  grid: string;
  words: string;
  mark: string;
  /** What charts stand on. */
  ground: string;
  series: string[];
  font: string;
}

const SERIES = 8;
/** Tell lines apart when colours repeat: solid first. */
export const DASHES: readonly (readonly number[])[] = [[], [6, 3], [2, 3], [8, 3, 2, 3]];

export function chartColours(element: Element): ChartColours {
  const style = getComputedStyle(element);
  const token = (name: string) => style.getPropertyValue(name).trim();
  const root_px = Number.parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
  return {
    grid: token("--line"),
    words: token("--faint"),
    mark: token("--warn"),
    ground: token("--panel"),
    series: Array.from({ length: SERIES }, (_, i) => token(`--s${i + 1}`)),
    font: `${Math.round(root_px * 0.6875)}px ${token("--font") || "sans-serif"}`,
  };
}

/** The colour of a series, and its dashes from the ninth on. */
export function strokeOf(colours: ChartColours, index: number): { stroke: string; dash: number[] } {
  const stroke = colours.series[index % SERIES] ?? colours.words;
  return { stroke, dash: [...(DASHES[Math.floor(index / SERIES) % DASHES.length] ?? [])] };
}

/** Tells when the theme changes; returns the way to stop. */
export function watchTheme(changed: () => void): () => void {
  const observer = new MutationObserver(changed);
  observer.observe(document.documentElement, {
    attributes: true,
    attributeFilter: ["data-theme", "data-palette", "style", "class"],
  });
  return () => observer.disconnect();
}
