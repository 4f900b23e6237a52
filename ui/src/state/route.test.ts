import { beforeEach, describe, expect, it, vi } from "vitest";
import {
  compareHref,
  gpusHref,
  hostsHref,
  idsMember,
  idsOf,
  placeOf,
  recycleBinHref,
  runHref,
  runsHref,
} from "./places";
import { follow, route } from "./route.svelte";

describe("addresses", () => {
  it.each([
    ["/", { machine: "", page: "runs", id: null }],
    ["/index.html", { machine: "", page: "runs", id: null }],
    ["/runs", { machine: "", page: "runs", id: null }],
    ["/runs/", { machine: "", page: "runs", id: null }],
    ["/run/20260101_000000_aaaaaa", { machine: "", page: "run", id: "20260101_000000_aaaaaa" }],
    ["/run/a%20b", { machine: "", page: "run", id: "a b" }],
    ["/run/%E0%A4%A", { machine: "", page: "run", id: "%E0%A4%A" }],
    ["/run/", { machine: "", page: null, id: null }],
    ["/gpus", { machine: "", page: "gpus", id: null }],
    ["/recycle-bin/", { machine: "", page: "recycle_bin", id: null }],
    ["/at/ssh:gpu-03/gpus", { machine: "ssh:gpu-03", page: "gpus", id: null }],
    ["/compare", { machine: "", page: "compare", id: null }],
    ["/at/ssh:gpu-03/compare/", { machine: "ssh:gpu-03", page: "compare", id: null }],
    ["/hosts", { machine: "", page: "hosts", id: null }],
    ["/at/all/runs", { machine: "all", page: "runs", id: null }],
    ["/at/ssh:gpu-03", { machine: "ssh:gpu-03", page: "runs", id: null }],
    ["/at/ssh%3Agpu-03/run/a%20b", { machine: "ssh:gpu-03", page: "run", id: "a b" }],
    ["/at/ssh:gpu-03~0123abcd/hosts", { machine: "ssh:gpu-03~0123abcd", page: "hosts", id: null }],
    ["/at/ssh:gpu-03/nowhere", { machine: "ssh:gpu-03", page: null, id: null }],
    ["/settings", { machine: "", page: "settings", id: null }],
    ["/at/ssh:gpu-03/settings/", { machine: "ssh:gpu-03", page: "settings", id: null }],
  ])("%s is a place", (pathname, place) => {
    expect(placeOf(pathname)).toEqual(place);
  });

  it("lead there and back", () => {
    expect(placeOf(runHref("ä/ö #1")).id).toBe("ä/ö #1");
    const machine = "recent:me/ü@10.0.0.7:22";
    expect(runsHref("q=a", machine)).toBe("/at/recent:me%2F%C3%BC@10.0.0.7:22/runs?q=a");
    expect(placeOf(runHref("x", machine))).toEqual({ machine, page: "run", id: "x" });
    expect(compareHref(["a", "b"], "ssh:gpu-03")).toBe("/at/ssh:gpu-03/compare?runs=a,b");
    expect(compareHref()).toBe("/compare");
    expect(placeOf(hostsHref("", machine))).toMatchObject({ machine, page: "hosts" });
    expect(placeOf(gpusHref("", machine))).toMatchObject({ machine, page: "gpus" });
    expect(recycleBinHref("q=a", "all")).toBe("/recycle-bin?q=a");
  });
});

describe("several runs in an address", () => {
  const odd = ["20260101_000000_aaaaaa", "a,b", "50%2C", "ä/ö #1&x=y"];
  it("come back in their order, whatever their ids are", () => {
    const { searchParams } = new URL(compareHref(odd), "http://x");
    expect(idsOf(searchParams.get("runs") ?? "")).toEqual(odd);
    expect(idsOf(idsMember(odd) ?? "")).toEqual(odd);
  });
  it("stand there once, and none leaves no trace", () => {
    expect(idsOf("a,,b,a,")).toEqual(["a", "b"]);
    expect(idsOf("")).toEqual([]);
    expect(idsMember([])).toBeNull();
  });
});

describe("the view in the address", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    history.replaceState(null, "", "/runs");
    route.begin();
  });

  it("changes at once, while the address bar is written when typing rests", () => {
    const written = vi.spyOn(history, "replaceState");
    for (const q of ["y", "yo", "yol", "yolo"]) route.change({ q });
    expect(route.get("q")).toBe("yolo");
    expect(written).not.toHaveBeenCalled();
    vi.advanceTimersByTime(200);
    expect(written).toHaveBeenCalledTimes(1);
    expect(location.search).toBe("?q=yolo");
  });

  it("is written before a page is left, so that going back finds it", () => {
    route.change({ q: "yolo" });
    route.go("/run/a");
    history.replaceState(null, "", "/runs?q=yolo");
    dispatchEvent(new PopStateEvent("popstate"));
    expect(route.get("q")).toBe("yolo");
  });

  it("drops empty members", () => {
    route.change({ q: "a", path: "b" });
    route.change({ q: "" });
    expect(route.href).toBe("/runs?path=b");
  });
});

describe("a click on a link", () => {
  const click = (html: string, members: MouseEventInit = {}): boolean => {
    document.body.innerHTML = html;
    const event = new MouseEvent("click", { bubbles: true, cancelable: true, ...members });
    Object.defineProperty(event, "target", { value: document.body.firstElementChild });
    follow(event);
    return event.defaultPrevented;
  };

  it("of ours stays in the page", () => {
    expect(click('<a href="/run/abc">x</a>')).toBe(true);
    expect(route.place).toEqual({ machine: "", page: "run", id: "abc" });
  });

  it.each([
    ["a new tab", '<a href="/run/abc">x</a>', { ctrlKey: true }],
    ["another site", '<a href="https://example.org/run/abc">x</a>', {}],
    ["the API pages", '<a href="/docs">x</a>', {}],
    ["a target", '<a href="/run/abc" target="_blank">x</a>', {}],
    ["a place in the page", '<a href="#page">x</a>', {}],
    ["a download", '<a href="/runs" download>x</a>', {}],
    ["no link", "<b>x</b>", {}],
  ])("that means %s is the browser's", (_, html, members) => {
    expect(click(html, members)).toBe(false);
  });
});
