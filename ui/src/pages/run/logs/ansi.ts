/**
 * A log line with terminal escapes to spans of plain text with a few style words.
 *
 * Nothing here makes markup: the spans are rendered as text nodes and the style words are class names from
 * a fixed list. Colours of any depth become one of the theme's eight, so text stays readable in both themes.
 */

const COLOURS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"] as const;
export type AnsiColour = (typeof COLOURS)[number];

export interface AnsiStyle {
  colour: AnsiColour | null;
  ground: AnsiColour | null;
  bold: boolean;
  dim: boolean;
  italic: boolean;
  underline: boolean;
  inverse: boolean;
  strike: boolean;
}

export interface AnsiSpan {
  text: string;
  style: AnsiStyle;
}

const PLAIN: AnsiStyle = {
  colour: null,
  ground: null,
  bold: false,
  dim: false,
  italic: false,
  underline: false,
  inverse: false,
  strike: false,
};

// CSI sequences, OSC and other strings (ended by BEL or ST, or cut off by the line's end), two-character escapes.
const ESCAPE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escapes are what is looked for
  /(?:\x1b\[|\x9b)([0-?]*)([ -/]*)([@-~]|$)|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|$)|\x1b(?:[ -/]*[0-~])?/g;

export function parseAnsi(line: string): AnsiSpan[] {
  const spans: AnsiSpan[] = [];
  let style = PLAIN;
  let from = 0;
  const push = (text: string) => {
    if (text === "") return;
    const last = spans[spans.length - 1];
    if (last && last.style === style) last.text += shown(text);
    else spans.push({ text: shown(text), style });
  };
  for (const match of line.matchAll(ESCAPE)) {
    push(line.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[3] === "m" && !match[2]) style = restyle(style, match[1] ?? "");
  }
  push(line.slice(from));
  return spans;
}

/** The line as plain text, exactly the characters that `parseAnsi` shows. */
export function plainText(line: string): string {
  return parseAnsi(line)
    .map((span) => span.text)
    .join("");
}

/** Control characters become their pictures; direction overrides, which can reorder a line, are spelled out. */
function shown(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is replaced
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (character) => {
    const code = character.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    if (code === 0x7f) return "\u2421";
    return `\u27e8U+${code.toString(16).toUpperCase().padStart(4, "0")}\u27e9`;
  });
}

function restyle(before: AnsiStyle, parameters: string): AnsiStyle {
  const codes = parameters.split(/[;:]/).map((part) => (part === "" ? 0 : Number(part)));
  let style = before;
  for (let i = 0; i < codes.length; i += 1) {
    const code = codes[i] ?? 0;
    if (code === 38 || code === 48) {
      const [colour, used] = extended(codes.slice(i + 1));
      style = code === 38 ? { ...style, colour } : { ...style, ground: colour };
      i += used;
    } else {
      style = step(style, code);
    }
  }
  return same(style, PLAIN) ? PLAIN : style;
}

function same(one: AnsiStyle, other: AnsiStyle): boolean {
  return (Object.keys(one) as (keyof AnsiStyle)[]).every((key) => one[key] === other[key]);
}

const SWITCHES: Record<number, Partial<AnsiStyle>> = {
  1: { bold: true },
  2: { dim: true },
  3: { italic: true },
  4: { underline: true },
  7: { inverse: true },
  9: { strike: true },
  21: { underline: true },
  22: { bold: false, dim: false },
  23: { italic: false },
  24: { underline: false },
  27: { inverse: false },
  29: { strike: false },
  39: { colour: null },
  49: { ground: null },
};

function step(style: AnsiStyle, code: number): AnsiStyle {
  if (code === 0) return PLAIN;
  const change = SWITCHES[code];
  if (change) return { ...style, ...change };
  if (code >= 30 && code <= 37) return { ...style, colour: indexed(code - 30) };
  if (code >= 40 && code <= 47) return { ...style, ground: indexed(code - 40) };
  if (code >= 90 && code <= 97) return { ...style, colour: indexed(code - 82) };
  if (code >= 100 && code <= 107) return { ...style, ground: indexed(code - 92) };
  return style;
}

function extended(rest: readonly number[]): [AnsiColour | null, number] {
  if (rest[0] === 5) return [palette(rest[1] ?? 0), 2];
  if (rest[0] === 2) return [nearest(rest[1] ?? 0, rest[2] ?? 0, rest[3] ?? 0), 4];
  return [null, 1];
}

function indexed(index: number): AnsiColour {
  return COLOURS[index & 7] ?? "white";
}

function palette(index: number): AnsiColour | null {
  if (!Number.isInteger(index) || index < 0 || index > 255) return null;
  if (index < 16) return indexed(index);
  if (index >= 232) return nearest(...grey(8 + (index - 232) * 10));
  const level = (part: number) => (part === 0 ? 0 : 55 + part * 40);
  const cube = index - 16;
  return nearest(level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6));
}

function grey(level: number): [number, number, number] {
  return [level, level, level];
}

/** The theme colour of the same hue; greys by their lightness. */
function nearest(red: number, green: number, blue: number): AnsiColour {
  const high = Math.max(red, green, blue);
  const low = Math.min(red, green, blue);
  if (high - low < 32) return high < 128 ? "black" : "white";
  const half = (high + low) / 2;
  return indexed((red > half ? 1 : 0) | (green > half ? 2 : 0) | (blue > half ? 4 : 0));
}

/** Class names of a style, all from this file. */
export function ansiClasses(style: AnsiStyle): string {
  const words: string[] = [];
  if (style.colour) words.push(`fg-${style.colour}`);
  if (style.ground) words.push(`bg-${style.ground}`);
  for (const word of ["bold", "dim", "italic", "underline", "inverse", "strike"] as const) {
    if (style[word]) words.push(word);
  }
  return words.join(" ");
}
