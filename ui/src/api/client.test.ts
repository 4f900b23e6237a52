import { afterEach, describe, expect, it, vi } from "vitest";
import { Api, ApiError, address, here, sentenceOf } from "./client";

afterEach(() => vi.unstubAllGlobals());

const answers = (body: string, init: ResponseInit = {}) =>
  vi.stubGlobal("fetch", vi.fn().mockResolvedValue(new Response(body, init)));

describe("addresses", () => {
  it("leave out what is not given and keep what is false or zero", () => {
    expect(address("/a", { x: null, y: undefined, z: 0, w: false, q: "a b&c" })).toBe(
      "/a?z=0&w=false&q=a+b%26c",
    );
  });
});

describe("refusals", () => {
  it("carry the server's sentence, code and status", async () => {
    answers('{"detail":"Run not found","code":"RUN_NOT_FOUND"}', { status: 404 });
    const fault = await here.get("/api/x").catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(ApiError);
    expect(fault).toMatchObject({ status: 404, code: "RUN_NOT_FOUND", detail: "Run not found" });
  });

  it("make one sentence of a list of validation faults", () => {
    const detail = [
      { loc: ["query", "count"], msg: "too large" },
      { loc: ["body"], msg: "missing" },
    ];
    expect(sentenceOf({ detail }, "")).toBe("query.count: too large; body: missing");
  });

  it("without a JSON body still say the status", async () => {
    answers("<html>", { status: 502, statusText: "Bad Gateway" });
    await expect(here.get("/api/x")).rejects.toMatchObject({ status: 502, detail: "502 Bad Gateway" });
  });

  it("tell no answer from an answer", async () => {
    vi.stubGlobal("fetch", vi.fn().mockRejectedValue(new TypeError("Failed to fetch")));
    await expect(here.get("/api/x")).rejects.toMatchObject({ status: 0, code: "NO_ANSWER" });
  });

  it("pass a wanted abort through", async () => {
    const abort = new AbortController();
    abort.abort();
    const cause = new DOMException("stopped", "AbortError");
    vi.stubGlobal("fetch", vi.fn().mockRejectedValue(cause));
    await expect(here.call("GET", "/api/x", { signal: abort.signal })).rejects.toBe(cause);
  });
});

describe("another machine", () => {
  it("is reached through this one, requests and links alike", async () => {
    answers("{}");
    const far = new Api("/api/hosts/ab12cd34/at");
    await far.get("/api/run-list", { since: "7" });
    expect(vi.mocked(fetch).mock.calls[0]?.[0]).toBe("/api/hosts/ab12cd34/at/api/run-list?since=7");
    expect(far.address("/api/run-file/x", { file: "a b" })).toBe(
      "/api/hosts/ab12cd34/at/api/run-file/x?file=a+b",
    );
  });

  it("asks questions that keep their members", async () => {
    const detail = { code: "HOST_KEY_CONFIRMATION_REQUIRED", message: "Host key verification failed" };
    answers(JSON.stringify({ detail }), { status: 409 });
    const fault = await here.post("/api/remote/connect", {}).catch((error: unknown) => error);
    expect(fault).toMatchObject({ status: 409, code: detail.code, detail: detail.message, body: { detail } });
  });
});
