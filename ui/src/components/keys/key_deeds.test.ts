import { expect, test, vi } from "vitest";
import { doByKey, keyDeeds } from "./key_deeds";

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

test("a key does what it means and is taken; one that means nothing now is left to the browser", () => {
  const edit = vi.fn();
  const event = new KeyboardEvent("keydown", { cancelable: true });
  doByKey<"edit" | "remove">(event, "remove", { edit, remove: null });
  doByKey<"edit">(event, null, { edit });
  expect(event.defaultPrevented).toBe(false);
  doByKey(event, "edit", { edit });
  expect(edit).toHaveBeenCalledOnce();
  expect(event.defaultPrevented).toBe(true);
});
