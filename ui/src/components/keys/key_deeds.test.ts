import { expect, test, vi } from "vitest";
import { keyDeeds } from "./key_deeds";

test("deeds that can be done now are offered in the order of their keys, with meaning and caps", () => {
  const edit = vi.fn();
  const keys = [
    { deed: "search", press: ["/"] },
    { deed: "edit", press: ["e"] },
    { deed: "move", press: ["ArrowUp", "ArrowDown"] },
  ] as const;
  const deeds = keyDeeds(keys, { edit, move: () => {}, search: null }, { edit: "rename the run" });
  expect(deeds.map(({ key, label, hint }) => [key, label, hint])).toEqual([
    ["edit", "Rename the run", "E"],
    ["move", "Move", "↑ ↓"],
  ]);
  deeds[0]?.run();
  expect(edit).toHaveBeenCalledOnce();
});
