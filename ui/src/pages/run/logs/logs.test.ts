import { describe, expect, it } from "vitest";
import {
  clampTop,
  endTop,
  isExact,
  lastTop,
  MAX_SCROLL_PX,
  moveByPixels,
  scrollHeight,
  scrollToTop,
  topToScroll,
} from "../../../components/line_scroll";
import { parseAnsi } from "./ansi";
import { LinePages, PAGE_LINES } from "./line_pages";
import { markSpans, searchPattern } from "./marked";
import { foldProgress } from "./progress";

describe("carriage returns", () => {
  it.each([
    ["plain", "abc", "abc", 0],
    ["a progress bar shows its last state", "10%\r50%\r100%", "100%", 2],
    ["a cleared last state does not hide the bar", "10%\r100%\r   ", "100%", 1],
    ["a Windows line end is not progress", "done\r", "done", 0],
    ["nothing but returns", "\r\r", "", 0],
  ])("%s", (_, line, text, overwritten) => {
    const folded = foldProgress(line);
    expect([folded.text, folded.overwritten.length]).toEqual([text, overwritten]);
  });
});

describe("marks of a search", () => {
  const marked = (line: string, pattern: RegExp | null) =>
    markSpans(parseAnsi(line), pattern)
      .map((span) => (span.hit ? `[${span.text}]` : span.text))
      .join("");

  it("marks each match", () => expect(marked("ab ab", searchPattern("AB", false, false))).toBe("[ab] [ab]"));
  it("marks across a change of colour", () =>
    expect(marked("lo\x1b[31mss\x1b[0m 1", searchPattern("loss", false, false))).toBe("[lo][ss] 1"));
  it("respects case when asked", () =>
    expect(marked("ab AB", searchPattern("AB", false, true))).toBe("ab [AB]"));
  it("takes plain text literally", () =>
    expect(marked("a.b axb", searchPattern("a.b", false, false))).toBe("[a.b] axb"));
  it("takes a regex as one", () =>
    expect(marked("a1 b22", searchPattern("\\d+", true, false))).toBe("a[1] b[22]"));
  it("ignores empty matches", () => expect(marked("abc", searchPattern("x*", true, false))).toBe("abc"));
  it("leaves alone what is no regex here", () => expect(searchPattern("(?i)(", true, false)).toBeNull());
});

describe("the position in a long log", () => {
  const view = (lines: number) => ({ lines, line_px: 20, view_px: 400 });

  it("is the browser's own while a pixel is a pixel", () => {
    expect(isExact(view(1000))).toBe(true);
    expect(scrollHeight(view(1000))).toBe(20_000);
    expect(topToScroll(100, view(1000))).toBe(2000);
    expect(scrollToTop(2000, view(1000))).toBe(100);
  });

  it("reaches every line of a log that no browser could lay out", () => {
    const huge = view(10_000_000);
    expect(isExact(huge)).toBe(false);
    expect(scrollHeight(huge)).toBe(MAX_SCROLL_PX);
    expect(scrollToTop(topToScroll(lastTop(huge), huge), huge)).toBeCloseTo(lastTop(huge), 3);
    expect(scrollToTop(topToScroll(5_000_000, huge), huge)).toBeCloseTo(5_000_000, 3);
  });

  it("does not move a log that fits", () => {
    expect(lastTop(view(10))).toBe(0);
    expect(topToScroll(5, view(10))).toBe(0);
    expect(scrollToTop(100, view(10))).toBe(0);
    expect(clampTop(5, view(10))).toBe(0);
  });

  it("moves by pixels through wrapped lines", () => {
    const heights = [20, 60, 20, 20];
    const of = (line: number) => heights[line] ?? 20;
    expect(moveByPixels(0, 20, of, 4)).toBe(1);
    expect(moveByPixels(0, 50, of, 4)).toBe(1.5);
    expect(moveByPixels(1.5, -30, of, 4)).toBe(1);
    expect(moveByPixels(1, -500, of, 4)).toBe(0);
    expect(endTop({ lines: 4, line_px: 20, view_px: 70 }, of)).toBe(1.5);
    expect(endTop({ lines: 4, line_px: 20, view_px: 400 }, of)).toBe(0);
  });
});

describe("pages of a log", () => {
  const lines = (first: number, count: number) =>
    Array.from({ length: count }, (_, i) => `line ${first + i}`);

  it("asks once for neighbouring pages, and for nothing that is here", () => {
    const pages = new LinePages();
    expect(pages.missing(0, 1200, 10_000)).toEqual([{ from: 0, count: 1500 }]);
    pages.put(0, lines(0, 1500));
    expect(pages.missing(0, 1200, 10_000)).toEqual([]);
    expect(pages.missing(1200, 1700, 10_000)).toEqual([{ from: 1500, count: 500 }]);
  });

  it("does not ask beyond the end", () => {
    const pages = new LinePages();
    expect(pages.missing(0, 100, 7)).toEqual([{ from: 0, count: 7 }]);
    expect(pages.missing(10, 100, 7)).toEqual([]);
  });

  it("appends a live line to a page half full", () => {
    const pages = new LinePages();
    pages.put(0, ["a", "b"]);
    pages.put(2, ["c"]);
    expect([pages.get(0), pages.get(2), pages.get(3)]).toEqual(["a", "c", undefined]);
    expect(pages.missing(0, 3, 3)).toEqual([]);
  });

  it("forgets what was not looked at for long", () => {
    const pages = new LinePages();
    for (let page = 0; page < 200; page += 1)
      pages.put(page * PAGE_LINES, lines(page * PAGE_LINES, PAGE_LINES));
    expect(pages.get(0)).toBeUndefined();
    expect(pages.get(199 * PAGE_LINES)).toBe(`line ${199 * PAGE_LINES}`);
  });
});
