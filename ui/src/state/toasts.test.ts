import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Toast, Toasts } from "./toasts.svelte";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("messages", () => {
  it("go away by themselves, later when something can still be undone", () => {
    const toasts = new Toasts();
    toasts.say("saved");
    toasts.say("deleted", { action: { label: "Undo", run: () => {} } });
    vi.advanceTimersByTime(5_000);
    expect(toasts.list.map((toast) => toast.text)).toEqual(["deleted"]);
    vi.advanceTimersByTime(7_000);
    expect(toasts.list).toEqual([]);
  });

  it("stay while they are pointed at", () => {
    const toasts = new Toasts();
    toasts.say("saved");
    const toast = toasts.list[0] as Toast;
    toasts.hold(toast);
    vi.advanceTimersByTime(60_000);
    expect(toasts.list).toEqual([toast]);
    toasts.resume(toast);
    vi.advanceTimersByTime(5_000);
    expect(toasts.list).toEqual([]);
  });

  it("are four at most, the newest ones", () => {
    const toasts = new Toasts();
    for (const text of "abcdef") toasts.say(text);
    expect(toasts.list.map((toast) => toast.text).join("")).toBe("cdef");
  });
});
