import { describe, expect, it } from "vitest";
import css from "./tokens.css?raw";

/** The tokens of a theme by name; only opaque colours. */
function tokens(selector: string): Map<string, string> {
  const block = css.slice(css.indexOf(selector)).split("}")[0] ?? "";
  return new Map(
    [...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6});/g)].map(([, name, hex]) => [name ?? "", hex ?? ""]),
  );
}

function luminance(hex: string): number {
  const parts = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255);
  const [r = 0, g = 0, b = 0] = parts.map((part) =>
    part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

const words = ["text", "mute", "faint", "accent", "run", "ok", "bad", "warn"];
const grounds = ["bg", "panel", "sunk", "hover"];
const series = ["s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "line-strong"];
const soft: [string, string][] = [
  ["accent", "accent-soft"],
  ["text", "accent-soft"],
  ["faint", "accent-soft"],
  ["mute", "accent-soft"],
  ["run", "accent-soft"],
  ["ok", "accent-soft"],
  ["bad", "accent-soft"],
  ["warn", "accent-soft"],
  ["bad", "bad-soft"],
  ["text", "warn-soft"],
  ["accent-text", "accent"],
  ["mark-text", "mark"],
];

describe.each(['[data-theme="light"]', '[data-theme="dark"]'])("contrast in %s", (selector) => {
  const theme = tokens(selector);
  const of = (name: string): string => theme.get(name) ?? "";

  it.each(words.flatMap((word) => grounds.map((ground) => [word, ground] as const)))(
    "%s can be read on %s",
    (word, ground) => {
      expect(contrast(of(word), of(ground))).toBeGreaterThanOrEqual(4.5);
    },
  );

  it.each(soft)("%s can be read on %s", (word, ground) => {
    expect(contrast(of(word), of(ground))).toBeGreaterThanOrEqual(4.5);
  });

  it.each(series)("%s stands out as a line", (line) => {
    expect(contrast(of(line), of("panel"))).toBeGreaterThanOrEqual(3);
  });
});

it("gives both themes the same names", () => {
  const [light, dark] = ['[data-theme="light"]', '[data-theme="dark"]'].map((theme) => [
    ...tokens(theme).keys(),
  ]);
  expect(dark).toEqual(light);
});
