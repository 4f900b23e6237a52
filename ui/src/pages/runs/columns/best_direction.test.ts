import { expect, test } from "vitest";
import type { RunRow } from "../../../api/wire";
import { bestDirections } from "./best_direction";

const run = (best_metric_name: string | null, best_metric_mode: string | null): RunRow =>
  ({ best_metric_name, best_metric_mode }) as RunRow;

test("a metric gets better the way that most runs say", () => {
  const rows = [run("acc", "max"), run("acc", "min"), run("acc", "max"), run("loss", "min")];
  expect([...bestDirections(rows)]).toEqual([
    ["acc", "max"],
    ["loss", "min"],
  ]);
});

test("a metric that no run takes for its best, or for which nobody says which way, has no best", () => {
  expect(bestDirections([run(null, "max"), run("loss", null), run("loss", "up")]).size).toBe(0);
});
