import { describe, expect, it } from "vitest";
import { en } from "./en";
import { fill, languageOf } from "./languages";
import { faultText, reasonWord, statusWord } from "./words";
import { zh } from "./zh";

/** Every sentence of a text with its place. */
function sentences(part: unknown, place = ""): [string, string][] {
  if (typeof part === "string") return [[place, part]];
  if (typeof part !== "object" || part === null) return [];
  return Object.entries(part).flatMap(([name, inner]) => sentences(inner, `${place}.${name}`));
}

const holes = (sentence: string): string[] => (sentence.match(/\{\w+\}/g) ?? []).sort();

describe("languages", () => {
  const chinese = new Map(sentences(zh));

  it("say the same things, with the same values to put in", () => {
    for (const [place, sentence] of sentences(en)) {
      expect(chinese.has(place), place).toBe(true);
      // A form for one and a form for many: each has all of them.
      for (const form of sentence.split("|")) {
        expect(holes(chinese.get(place) ?? ""), place).toEqual(holes(form));
      }
    }
  });

  it("leave nothing untranslated but names", () => {
    const same = sentences(en).filter(
      ([place, sentence]) => chinese.get(place) === sentence && /[a-z]{3}/.test(sentence),
    );
    const names = same.filter(([place]) => !/^\.(app|frame\.version|preview\.chart\.keys)/.test(place));
    expect(names).toEqual([]);
  });

  it.each([
    [["zh-TW", "en"], "zh"],
    [["fr-FR", "en-GB"], "en"],
    [["fr"], "en"],
    [[], "en"],
  ])("%s are read as %s", (wanted, language) => {
    expect(languageOf(wanted)).toBe(language);
  });
});

describe("words", () => {
  it("fill what is known and leave the rest", () => {
    expect(fill("{n} of {all}", { n: 0 })).toBe("0 of {all}");
  });

  it("show an unknown status as it is and never a member of objects", () => {
    expect(statusWord(en, "running")).toBe("Running");
    expect(statusWord(en, "paused")).toBe("paused");
    expect(statusWord(en, "constructor")).toBe("constructor");
    expect(statusWord(en, "")).toBe("Unknown");
    expect(reasonWord(en, "toString")).toBe("toString");
  });

  it("say what the server said, or that it did not answer", () => {
    expect(faultText(en, { status: 404, detail: "Run not found" })).toBe("Run not found");
    expect(faultText(en, { status: 0, detail: "Failed to fetch" })).toBe(en.failed.noAnswer);
    expect(faultText(en, new Error("odd"))).toBe("odd");
  });
});
