import { describe, expect, it } from "vitest";
import { ansiClasses, parseAnsi, plainText } from "./ansi";

const shown = (line: string) => parseAnsi(line).map((span) => [span.text, ansiClasses(span.style)]);

describe("terminal escapes in a log line", () => {
  const cases: [string, string, [string, string][]][] = [
    ["plain text is one span", "loss 0.1", [["loss 0.1", ""]]],
    [
      "a colour lasts to its reset",
      "\x1b[31mbad\x1b[0m ok",
      [
        ["bad", "fg-red"],
        [" ok", ""],
      ],
    ],
    [
      "an empty parameter is a reset",
      "\x1b[1mb\x1b[mn",
      [
        ["b", "bold"],
        ["n", ""],
      ],
    ],
    ["several parameters in one", "\x1b[1;4;32mx", [["x", "fg-green bold underline"]]],
    ["bright colours are the same hue", "\x1b[94mx", [["x", "fg-blue"]]],
    ["grounds", "\x1b[41;37mx", [["x", "fg-white bg-red"]]],
    ["one of 256 becomes the nearest of the theme", "\x1b[38;5;196mx", [["x", "fg-red"]]],
    ["true colour becomes the nearest of the theme", "\x1b[38;2;20;220;60mx", [["x", "fg-green"]]],
    ["colon form of true colour does not swallow the text", "\x1b[38:5:21mx", [["x", "fg-blue"]]],
    [
      "bold and dim end together",
      "\x1b[1;2mx\x1b[22my",
      [
        ["x", "bold dim"],
        ["y", ""],
      ],
    ],
    [
      "39 and 49 end colours only",
      "\x1b[1;31;42mx\x1b[39;49my",
      [
        ["x", "fg-red bg-green bold"],
        ["y", "bold"],
      ],
    ],
    ["unknown codes change nothing", "\x1b[777;31mx", [["x", "fg-red"]]],
    ["cursor moves and erasing are dropped", "a\x1b[2K\x1b[1Gb\x1b[?25lc", [["abc", ""]]],
    [
      "titles and hyperlinks are dropped",
      "\x1b]0;title\x07a\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\",
      [["alink", ""]],
    ],
    ["an unfinished title does not reach beyond its line", "a\x1b]0;evil", [["a", ""]]],
    ["an unfinished sequence at the end is dropped", "a\x1b[31", [["a", ""]]],
    ["a lone escape is dropped", "a\x1b", [["a", ""]]],
    ["no text, no span", "\x1b[31m\x1b[0m", []],
    ["the eight-bit introducer counts", "\x9b31mx", [["x", "fg-red"]]],
  ];
  it.each(cases)("%s", (_, line, expected) => {
    expect(shown(line)).toEqual(expected);
  });

  it("shows control characters as pictures and spells out direction overrides", () => {
    expect(plainText("a\x00b\x08c\x7f")).toBe("a␀b␈c␡");
    expect(plainText("\u202egnp.exe")).toBe("⟨U+202E⟩gnp.exe");
    expect(plainText("tab\there")).toBe("tab\there");
  });

  it("leaves markup as the characters that it is", () => {
    expect(shown("<img src=x onerror=alert(1)>")).toEqual([["<img src=x onerror=alert(1)>", ""]]);
  });

  it("makes class names from its own list only", () => {
    const words = parseAnsi('\x1b[38;5;"onload=x"mx\x1b[38;5;999my').flatMap((span) =>
      ansiClasses(span.style).split(" "),
    );
    expect(
      words.every((word) => /^$|^(fg|bg)-[a-z]+$|^(bold|dim|italic|underline|inverse|strike)$/.test(word)),
    ).toBe(true);
  });

  it("takes a line of a million escapes in its stride", () => {
    const spans = parseAnsi("\x1b[31mx\x1b[0m".repeat(100_000));
    expect(spans).toHaveLength(100_000);
  });

  it("is not slowed down by escapes that never end", () => {
    // The quickest of several: the machine may be busy.
    const times = [1, 2, 3].map(() => {
      const began = performance.now();
      parseAnsi("\x1b[".repeat(50_000));
      parseAnsi(`\x1b]${"0".repeat(200_000)}`);
      return performance.now() - began;
    });
    expect(Math.min(...times)).toBeLessThan(2_000);
  });
});
