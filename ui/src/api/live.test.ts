import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Live, Socket } from "./live.svelte";

class FakeSocket {
  static OPEN = 1;
  static all: FakeSocket[] = [];
  readyState = 0;
  sent: string[] = [];
  onopen = () => {};
  onclose = () => {};
  onmessage = (_: { data: unknown }) => {};
  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }
  static get last(): FakeSocket {
    return FakeSocket.all.at(-1) as FakeSocket;
  }
  opens(): void {
    this.readyState = 1;
    this.onopen();
  }
  send(text: string): void {
    this.sent.push(text);
  }
  close(): void {
    this.onclose();
  }
}

beforeEach(() => {
  FakeSocket.all = [];
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("a socket", () => {
  it("comes back after each loss, later each time, at most every five seconds", () => {
    const socket = new Socket<unknown>(
      "/api/live",
      () => ({}),
      () => {},
    );
    socket.open();
    const waits: number[] = [];
    for (let loss = 0; loss < 8; loss += 1) {
      const before = FakeSocket.all.length;
      FakeSocket.last.onclose();
      expect(socket.state).toBe("lost");
      let waited = 0;
      while (FakeSocket.all.length === before) {
        vi.advanceTimersByTime(50);
        waited += 50;
      }
      waits.push(waited);
    }
    expect(waits).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000, 5000]);
    FakeSocket.last.opens();
    expect(socket.state).toBe("live");
    FakeSocket.last.onclose();
    vi.advanceTimersByTime(250);
    expect(FakeSocket.all.length).toBe(10);
  });

  it("stays closed once it is closed", () => {
    const socket = new Socket<unknown>(
      "/api/live",
      () => ({}),
      () => {},
    );
    const close = socket.open();
    close();
    vi.advanceTimersByTime(60_000);
    expect(FakeSocket.all.length).toBe(1);
  });

  it("goes on where its query says at each dial", () => {
    let from = 3;
    const socket = new Socket<unknown>(
      "/api/log-follow/a",
      () => ({ from }),
      () => {},
    );
    socket.open();
    from = 9;
    FakeSocket.last.onclose();
    vi.advanceTimersByTime(250);
    expect(FakeSocket.all.map(({ url }) => url.split("?")[1])).toEqual(["from=3", "from=9"]);
  });
});

describe("the live link", () => {
  it("asks for the runs of all watchers, again after a loss, and no longer after they left", () => {
    const live = new Live();
    live.open();
    const first = live.watch(["a", "b"]);
    live.watch(["b", "c"]);
    FakeSocket.last.opens();
    expect(FakeSocket.last.sent.at(-1)).toBe('{"watch":["a","b","c"]}');
    first();
    expect(FakeSocket.last.sent.at(-1)).toBe('{"watch":["b","c"]}');
    FakeSocket.last.onclose();
    vi.advanceTimersByTime(250);
    FakeSocket.last.opens();
    expect(FakeSocket.last.sent).toEqual(['{"watch":["b","c"]}']);
  });

  it("tells every listener and survives empty keep-alive frames", () => {
    const live = new Live();
    const heard: unknown[] = [];
    const deaf = live.listen((frame) => heard.push(frame.type));
    live.open();
    FakeSocket.last.onmessage({ data: "" });
    FakeSocket.last.onmessage({ data: '{"type":"runs","cursor":"2"}' });
    deaf();
    FakeSocket.last.onmessage({ data: '{"type":"runs","cursor":"3"}' });
    expect(heard).toEqual(["runs"]);
  });
});
