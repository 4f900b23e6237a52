import { describe, expect, it } from "vitest";
import { alertsTexts } from "../text/alerts";
import { texts } from "../text/languages";
import {
  type AlertEvent,
  type AlertRule,
  choosing,
  eventSentence,
  isChosen,
  namesIn,
  newRule,
  ruleFault,
} from "./alert_facts";

const words = alertsTexts.en;
const rule = (members: Partial<AlertRule> = {}): AlertRule => ({ ...newRule([]), ...members });

describe("a rule", () => {
  it("begins with all runs and an id that no other has", () => {
    const one = newRule([]);
    expect(one.runs).toEqual({ kind: "all" });
    const ids = [one, newRule([one])].map(({ id }) => id);
    expect(new Set(ids).size).toBe(2);
    expect(ruleFault(one, words)).toBeNull();
  });

  it.each([
    [{ runs: { kind: "folder", path: " " } }, words.editor.folderMissing],
    [{ runs: { kind: "tag", tag: "" } }, words.editor.tagMissing],
    [{ stalled_after_secs: Number.NaN }, words.editor.minutesWrong],
    [{ stalled_after_secs: 0 }, words.editor.minutesWrong],
    [{ stalled_after_secs: 32 * 86_400 }, words.editor.minutesWrong],
    [{ ended: false, failed: false, stalled_after_secs: null, non_finite: false }, words.editor.eventMissing],
  ] as [Partial<AlertRule>, string][])("says what is missing: %j", (members, sentence) => {
    expect(ruleFault(rule(members), words)).toBe(sentence);
  });

  it("reads names between commas of either language", () => {
    expect(namesIn(" train/loss, acc，acc ,")).toEqual(["train/loss", "acc"]);
  });
});

describe("watching one run", () => {
  it("adds it to one rule of chosen runs and takes it out again with what is left empty", () => {
    const all = rule();
    const watched = choosing(choosing([all], "a", true), "b", true);
    expect(watched).toHaveLength(2);
    expect(isChosen(watched, "a") && isChosen(watched, "b")).toBe(true);
    const one = choosing(watched, "a", false);
    expect(isChosen(one, "a")).toBe(false);
    expect(choosing(one, "b", false)).toEqual([all]);
  });

  it("turns a rule of chosen runs on again, and one that is off watches nothing", () => {
    const off = choosing([], "a", true).map((own) => ({ ...own, enabled: false }));
    expect(isChosen(off, "a")).toBe(false);
    expect(choosing(off, "a", true)).toHaveLength(1);
    expect(isChosen(choosing(off, "a", true), "a")).toBe(true);
  });
});

describe("an event", () => {
  const event = (members: Partial<AlertEvent>): AlertEvent => ({
    id: 1,
    at: 1,
    event: "ended",
    run: "20260101_000000_aaaaaa",
    name: "net",
    path: "",
    here: true,
    status: null,
    silent_secs: null,
    metrics: [],
    ...members,
  });
  const say = (members: Partial<AlertEvent>, language: "en" | "zh" = "en"): string =>
    eventSentence(event(members), alertsTexts[language], texts[language], language);

  it("says the run and what happened, in both languages", () => {
    expect(say({ status: "interrupted" })).toBe("net: Interrupted");
    expect(say({ event: "failed" })).toBe("net failed");
    expect(say({ event: "stalled", silent_secs: 900 })).toBe("net has written nothing for 15 min");
    expect(say({ event: "non_finite", metrics: ["loss"] })).toBe("net: loss is NaN or infinite");
    expect(say({ event: "non_finite", metrics: ["a", "b", "c"] })).toBe(
      "net: a and 2 more metrics are NaN or infinite",
    );
    expect(say({ event: "failed" }, "zh")).toBe("net 失败");
  });

  it("goes by the id when there is no name", () => {
    expect(say({ event: "failed", name: "" })).toBe("20260101_000000_aaaaaa failed");
  });
});

describe("the words", () => {
  const leaves = (part: unknown, place = ""): [string, string][] =>
    typeof part === "string"
      ? [[place, part]]
      : Object.entries(part as object).flatMap(([name, inner]) => leaves(inner, `${place}.${name}`));
  const holes = (sentence: string): string[] => (sentence.match(/\{\w+\}/g) ?? []).sort();

  it("have the same places and holes in both languages", () => {
    const chinese = new Map(leaves(alertsTexts.zh));
    for (const [place, sentence] of leaves(alertsTexts.en)) {
      expect(chinese.get(place), place).not.toBe(sentence);
      expect([...new Set(holes(chinese.get(place) ?? ""))], place).toEqual([...new Set(holes(sentence))]);
    }
  });
});
