import { describe, expect, it } from "vitest";
import { readAt } from "../view_state";
import { clockWords, filterKey, filterQuery, isWhole, readFilter, stretchWords, WHOLE } from "./log_filter";

const read = (text: string) => readFilter(new URLSearchParams(text));

describe("which lines are shown, in the address", () => {
  it("is read and asked for", () => {
    const filter = read("level=warning&since=2026-01-31T10:00&until=2026-01-31T10:00:05");
    expect(filterQuery(filter)).toEqual({
      level: "warning",
      since: "2026-01-31T10:00",
      until: "2026-01-31T10:00:05",
    });
    expect(isWhole(filter)).toBe(false);
    expect(filterKey(filter)).not.toBe(filterKey({ ...filter, level: "error" }));
  });

  it.each(["", "level=loud", "since=yesterday&until=1<script>", "level="])("makes nothing of %j", (text) => {
    expect(read(text)).toEqual(WHOLE);
    expect(isWhole(read(text))).toBe(true);
    expect(filterQuery(read(text))).toEqual({ level: null, since: null, until: null });
  });

  it("says a stretch of time in few words", () => {
    expect(stretchWords("2026-01-31T10:00", "2026-01-31T11:30")).toBe("2026-01-31 10:00 – 11:30");
    expect(stretchWords("2026-01-31T10:00", "2026-02-01T01:00")).toBe("2026-01-31 10:00 – 2026-02-01 01:00");
    expect(stretchWords("2026-01-31T10:00", "")).toBe("2026-01-31 10:00 –");
    expect(stretchWords("", "2026-01-31T10:00")).toBe("– 2026-01-31 10:00");
    expect(clockWords("2026-01-31T10:00:05", false)).toBe("10:00:05");
  });
});

describe("the marked moment, in the address", () => {
  it.each([
    ["at=1767240600", 1767240600],
    ["at=0.5", 0.5],
    ["at=", null],
    ["at=noon", null],
    ["", null],
  ])("%s", (text, time) => expect(readAt(new URLSearchParams(text))).toBe(time));
});
