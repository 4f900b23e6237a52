import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { backOffMillis, Poll } from "./poll.svelte";

function hide(hidden: boolean): void {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  hide(false);
  vi.useRealTimers();
});

describe("a polled resource", () => {
  it("loads again after its time and stops when it is stopped", async () => {
    const load = vi.fn().mockResolvedValue(1);
    const stop = new Poll(load, { everyMillis: 1000 }).start();
    await vi.advanceTimersByTimeAsync(2500);
    expect(load).toHaveBeenCalledTimes(3);
    stop();
    await vi.advanceTimersByTimeAsync(5000);
    expect(load).toHaveBeenCalledTimes(3);
  });

  it("rests while the window is hidden and loads at once when it is seen again", async () => {
    const load = vi.fn().mockResolvedValue(1);
    const stop = new Poll(load, { everyMillis: 1000 }).start();
    await vi.advanceTimersByTimeAsync(10);
    hide(true);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(load).toHaveBeenCalledTimes(1);
    hide(false);
    expect(load).toHaveBeenCalledTimes(2);
    stop();
  });

  it("keeps the last value and the error, and backs off", async () => {
    const load = vi.fn().mockResolvedValueOnce("good").mockRejectedValue(new Error("bad"));
    const poll = new Poll<string>(load, { everyMillis: 1000 });
    const stop = poll.start();
    await vi.advanceTimersByTimeAsync(1000);
    expect([poll.value, poll.error]).toEqual(["good", new Error("bad")]);
    expect([0, 1, 2, 3, 20].map((failures) => backOffMillis(1000, failures))).toEqual([
      1000, 2000, 4000, 8000, 30_000,
    ]);
    stop();
  });

  it("never shows the answer of an older load", async () => {
    const replies: ((value: string) => void)[] = [];
    const poll = new Poll<string>(() => new Promise((done) => replies.push(done)));
    const stop = poll.start();
    void poll.refresh();
    replies[1]?.("new");
    await vi.advanceTimersByTimeAsync(0);
    replies[0]?.("old");
    await vi.advanceTimersByTimeAsync(0);
    expect(poll.value).toBe("new");
    stop();
  });
});
