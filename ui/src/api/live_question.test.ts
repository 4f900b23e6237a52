import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Live, LiveFrame } from "./live.svelte";
import { LiveQuestion } from "./live_question.svelte";

class FakeLive {
  listeners = new Set<(frame: LiveFrame) => void>();
  listen(listener: (frame: LiveFrame) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
  tell(type: string): void {
    for (const listener of this.listeners) listener({ type });
  }
}

/** Asks for a word; each answer is given by hand. */
class Word extends LiveQuestion {
  word = "";
  rest: number | null = null;
  readonly open: { signal: AbortSignal; say: (word: string) => void; fail: (error: Error) => void }[] = [];

  protected async ask(signal: AbortSignal): Promise<void> {
    const word = await new Promise<string>((say, fail) => this.open.push({ signal, say, fail }));
    if (!signal.aborted) this.word = word;
  }
  protected hear(frame: LiveFrame): void {
    if (frame.type === "now") void this.refresh();
    else this.askWithin(100);
  }
  protected override restMillis(): number | null {
    return this.rest;
  }
}

describe("a question that the live link asks again", () => {
  let live: FakeLive;
  let question: Word;
  let stop: () => void;

  beforeEach(() => {
    vi.useFakeTimers();
    live = new FakeLive();
    question = new Word(live as unknown as Live);
    stop = question.start();
  });
  afterEach(() => {
    stop();
    vi.useRealTimers();
  });

  it("waits until its first answer, and keeps it when a later question fails", async () => {
    expect(question.waiting).toBe(true);
    question.open[0]?.say("first");
    await vi.advanceTimersByTimeAsync(0);
    expect([question.waiting, question.word]).toEqual([false, "first"]);
    const again = question.refresh();
    question.open[1]?.fail(new Error("gone"));
    await again;
    expect([question.word, question.error]).toMatchObject(["first", { message: "gone" }]);
  });

  it("is asked once more for all that come during a question, and answers them when that one is answered", async () => {
    const heard: string[] = [];
    void question.refresh().then(() => heard.push("a"));
    void question.refresh().then(() => heard.push("b"));
    question.open[0]?.say("old");
    await vi.advanceTimersByTimeAsync(0);
    expect([heard, question.open.length]).toEqual([[], 2]);
    // Told without end: those who wait are answered nevertheless.
    live.tell("now");
    question.open[1]?.say("new");
    await vi.advanceTimersByTimeAsync(0);
    expect([heard, question.word, question.open.length]).toEqual([["a", "b"], "new", 3]);
  });

  it("gathers what is told within a time into one question", async () => {
    question.open[0]?.say("first");
    await vi.advanceTimersByTimeAsync(0);
    live.tell("soon");
    await vi.advanceTimersByTimeAsync(60);
    live.tell("soon");
    expect(question.open.length).toBe(1);
    await vi.advanceTimersByTimeAsync(40);
    expect(question.open.length).toBe(2);
  });

  it("is asked by itself after its rest, but not once it is stopped", async () => {
    question.rest = 500;
    question.open[0]?.say("first");
    await vi.advanceTimersByTimeAsync(500);
    expect(question.open.length).toBe(2);
    stop();
    expect(question.open[1]?.signal.aborted).toBe(true);
    question.open[1]?.say("too late");
    live.tell("now");
    await vi.advanceTimersByTimeAsync(5_000);
    expect([question.word, question.open.length]).toEqual(["first", 2]);
  });

  it("lets nobody wait for a question that was forgotten", async () => {
    const answered = question.refresh();
    stop();
    await expect(answered).resolves.toBeUndefined();
  });
});
