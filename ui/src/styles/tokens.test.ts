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

/** Each row: what an eye makes red, green and blue of, in linear light (Machado, Oliveira and Fernandes, 2009). */
const eyes: [string, number[][]][] = [
  [
    "every cone",
    [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ],
  ],
  [
    "no red cones",
    [
      [0.152286, 1.052583, -0.204868],
      [0.114503, 0.786281, 0.099216],
      [-0.003882, -0.048116, 1.051998],
    ],
  ],
  [
    "no green cones",
    [
      [0.367322, 0.860646, -0.227968],
      [0.280085, 0.672501, 0.047413],
      [-0.01182, 0.04294, 0.968881],
    ],
  ],
  [
    "no blue cones",
    [
      [1.255528, -0.076749, -0.178779],
      [-0.078411, 0.930809, 0.147602],
      [0.004733, 0.691367, 0.3039],
    ],
  ],
];

const times = (matrix: number[][], [a = 0, b = 0, c = 0]: number[]): number[] =>
  matrix.map(([x = 0, y = 0, z = 0]) => x * a + y * b + z * c);

/** A colour in CIE Lab, where distances are about as large as they look. */
function seenAs(hex: string, eye: number[][]): number[] {
  const linear = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  const seen = times(eye, linear).map((part) => Math.min(1, Math.max(0, part)));
  const xyz = times(
    [
      [0.4339, 0.3763, 0.1899],
      [0.2126, 0.7152, 0.0722],
      [0.0177, 0.1095, 0.8727],
    ],
    seen,
  );
  const [x = 0, y = 0, z = 0] = xyz.map((part) =>
    part > 0.008856 ? Math.cbrt(part) : 7.787 * part + 16 / 116,
  );
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

const themes = ['[data-theme="light"]', '[data-theme="dark"]'];
const contrasting = themes.map((theme) => `${theme}[data-palette="contrast"]`);

describe.each([...themes, ...contrasting])("lines in %s", (selector) => {
  const theme = tokens(selector);
  it.each(eyes)("can be told apart by eyes with %s", (_, eye) => {
    const lines = series.slice(0, 8).map((name) => seenAs(theme.get(name) ?? "", eye));
    const gaps = lines.flatMap((one, at) =>
      lines.slice(at + 1).map((other) => Math.hypot(...one.map((part, i) => part - (other[i] ?? 0)))),
    );
    expect(Math.min(...gaps)).toBeGreaterThan(15);
  });
});

it.each(themes)("the contrasting lines of %s stand further from the ground", (selector) => {
  const ground = tokens(selector).get("panel") ?? "";
  const least = (of: string) =>
    Math.min(
      ...[...tokens(of)].filter(([name]) => /^s\d$/.test(name)).map(([, hex]) => contrast(hex, ground)),
    );
  expect(least(`${selector}[data-palette="contrast"]`)).toBeGreaterThanOrEqual(4.5);
  expect(least(`${selector}[data-palette="contrast"]`)).toBeGreaterThan(least(selector));
});

it("gives both themes the same names", () => {
  const [light, dark] = ['[data-theme="light"]', '[data-theme="dark"]'].map((theme) => [
    ...tokens(theme).keys(),
  ]);
  expect(dark).toEqual(light);
});
