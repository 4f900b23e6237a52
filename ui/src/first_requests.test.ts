import { expect, test } from "vitest";
import { firstRequests } from "./first_requests";

const list = { method: "GET", path: "/api/run-list" };
const first = (address: string) => {
  const url = new URL(address, "http://here");
  return firstRequests(url.pathname, url.searchParams);
};

test("a run asks for what it is and what it measured", () => {
  expect(first("/run/2026%2F01").map(({ path }) => path)).toEqual([
    "/api/run-detail/2026%2F01",
    "/api/run-metrics/2026%2F01",
    "/api/run-list",
  ]);
});

test("a comparison asks for the metrics of its runs, each once", () => {
  expect(first("/compare?runs=a,b,a")).toEqual([
    { method: "POST", path: "/api/run-metrics", body: { runs: ["a", "b"] } },
    list,
  ]);
  expect(first("/compare")).toEqual([list]);
});

test("other pages and other machines ask for nothing but the list ahead", () => {
  expect(first("/runs?selected=a")).toEqual([list]);
  expect(first("/at/ssh:gpu-03/run/a")).toEqual([list]);
});
