import { createRawSnippet, flushSync, mount, unmount } from "svelte";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Column } from "./table/columns";
import VirtualTable from "./VirtualTable.svelte";

interface Row {
  id: string;
}

const columns: Column[] = [
  { key: "name", label: "Name", width: 200, grows: 1 },
  { key: "size", label: "Size", width: 80, align: "end" },
];
const rows: Row[] = Array.from({ length: 10_000 }, (_, at) => ({ id: `run-${at}` }));
const rowPx = 30;
const viewPx = 630;

let table: Record<string, unknown>;
let host: HTMLElement;

/** The test page has no layout: heights are told as a browser would. */
class Observer {
  constructor(readonly tell: (entries: { target: Element }[]) => void) {}
  observe(target: Element): void {
    const px = target.getAttribute("role")?.endsWith("grid") ? viewPx : 30;
    Object.defineProperty(target, "clientHeight", { value: px, configurable: true });
    this.tell([{ target }]);
  }
  unobserve(): void {}
  disconnect(): void {}
}

const told = {
  onselect: vi.fn<(key: string) => void>(),
  onopen: vi.fn<(key: string) => void>(),
  ontick: vi.fn<(keys: string[], on: boolean) => void>(),
  onsort: vi.fn<(key: string, add: boolean) => void>(),
  onwidth: vi.fn<(key: string, px: number | null) => void>(),
  onfold: vi.fn<(key: string, open: boolean) => void>(),
};

/** Every tenth row heads the nine after it. */
const headOf =
  (open: boolean) =>
  ({ id }: Row) => {
    const at = Number(id.slice(4));
    const keys = Array.from({ length: 9 }, (_, n) => `run-${at + n + 1}`);
    return at % 10 === 0 ? { open, keys } : null;
  };

interface Shown {
  rows?: Row[];
  selected?: string | null;
  ticked?: string[];
  heads?: "open" | "closed";
}

function show(members: Shown = {}): void {
  table = mount(VirtualTable<Row>, {
    target: host,
    props: {
      label: "Runs",
      columns,
      rows: members.rows ?? rows,
      rowKey: (row: Row) => row.id,
      rowPx,
      cell: createRawSnippet((row: () => Row, column: () => string) => ({
        render: () => "<span></span>",
        // A row that leaves at one end is another one at the other end.
        setup: (node) => {
          $effect(() => {
            node.textContent = `${row().id} ${column()}`;
          });
        },
      })),
      selected: members.selected ?? null,
      ticked: new Set(members.ticked ?? []),
      tickLabel: (row: Row) => `Tick ${row.id}`,
      tickAllLabel: "Tick all",
      sort: { key: "size", descending: true },
      headOf: members.heads ? headOf(members.heads === "open") : null,
      head: createRawSnippet((row: () => Row) => ({ render: () => `<span>head ${row().id}</span>` })),
      empty: createRawSnippet(() => ({ render: () => "<p>nothing fits</p>" })),
      ...told,
    },
  });
  flushSync();
}

const grid = () => host.querySelector<HTMLElement>('[role$="grid"]') as HTMLElement;
const drawn = () => [...host.querySelectorAll('[role="rowgroup"] [role="row"]')];

function press(key: string, members: KeyboardEventInit = {}): void {
  grid().dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...members }));
}

beforeEach(() => {
  vi.stubGlobal("ResizeObserver", Observer);
  Element.prototype.scrollTo = vi.fn() as never;
  host = document.createElement("div");
  document.body.append(host);
  for (const spy of Object.values(told)) spy.mockReset();
});
afterEach(() => {
  void unmount(table);
  host.remove();
  vi.unstubAllGlobals();
});

describe("a table of 10,000 rows", () => {
  it("draws only the rows in view, and says how many there are", () => {
    show();
    expect(drawn().length).toBe(28);
    expect(grid().getAttribute("aria-rowcount")).toBe("10001");
    expect(drawn()[0]?.getAttribute("aria-rowindex")).toBe("2");
  });

  it("draws those of the place it is scrolled to", () => {
    show();
    grid().scrollTop = 150_000;
    grid().dispatchEvent(new Event("scroll"));
    flushSync();
    expect(drawn()[0]?.textContent).toContain("run-4992");
    expect(drawn()[0]?.getAttribute("aria-rowindex")).toBe("4994");
    expect(drawn().map((row) => row.textContent)).toEqual(
      Array.from({ length: 36 }, (_, at) => expect.stringContaining(`run-${4992 + at} `)),
    );
  });

  it("moves the choice with the keys", () => {
    show({ selected: "run-5" });
    press("ArrowDown");
    press("ArrowUp");
    press("End");
    press("Home");
    press("PageDown");
    expect(told.onselect.mock.calls.flat()).toEqual(["run-6", "run-4", "run-9999", "run-0", "run-24"]);
  });

  it("opens with Enter and ticks with Space", () => {
    show({ selected: "run-5", ticked: ["run-5"] });
    press("Enter");
    press(" ");
    expect(told.onopen).toHaveBeenCalledWith("run-5");
    expect(told.ontick).toHaveBeenCalledWith(["run-5"], false);
  });

  it("ticks a range with Shift and everything with Ctrl-A", () => {
    show({ selected: "run-5" });
    press("ArrowDown", { shiftKey: true });
    expect(told.ontick).toHaveBeenLastCalledWith(["run-5", "run-6"], true);
    press("a", { ctrlKey: true });
    expect(told.ontick.mock.lastCall?.[0].length).toBe(10_000);
  });

  it("names the chosen row for those who cannot see it", () => {
    show({ selected: "run-3" });
    const active = grid().getAttribute("aria-activedescendant") ?? "";
    expect(document.getElementById(active)?.textContent).toContain("run-3");
    expect(document.getElementById(active)?.getAttribute("aria-selected")).toBe("true");
  });

  it("sorts by a column's head, says the direction, and widens with Shift and an arrow", () => {
    show();
    const [, name, size] = [...host.querySelectorAll<HTMLElement>('[role="columnheader"]')];
    expect([name?.ariaSort ?? name?.getAttribute("aria-sort"), size?.getAttribute("aria-sort")]).toEqual([
      "none",
      "descending",
    ]);
    name?.querySelector("button")?.click();
    expect(told.onsort).toHaveBeenLastCalledWith("name", false);
    name?.querySelector("button")?.dispatchEvent(new MouseEvent("click", { shiftKey: true, bubbles: true }));
    expect(told.onsort).toHaveBeenLastCalledWith("name", true);
    const key = new KeyboardEvent("keydown", { key: "ArrowRight", shiftKey: true, bubbles: true });
    size?.querySelector("button")?.dispatchEvent(key);
    expect(told.onwidth).toHaveBeenCalledWith("size", 16);
  });

  it("shows its empty face without rows", () => {
    show({ rows: [] });
    expect(host.textContent).toContain("nothing fits");
    expect(drawn()).toEqual([]);
  });
});

describe("rows that head others", () => {
  const levels = () => drawn().map((row) => row.getAttribute("aria-level"));

  it("span the table and say that they are open", () => {
    show({ heads: "open" });
    expect(grid().getAttribute("role")).toBe("treegrid");
    expect(levels().slice(0, 3)).toEqual(["1", "2", "2"]);
    expect(drawn()[0]?.textContent?.trim()).toBe("head run-0");
    expect(drawn()[0]?.getAttribute("aria-expanded")).toBe("true");
    expect(drawn()[1]?.hasAttribute("aria-expanded")).toBe(false);
  });

  it("fold with left and Enter, unfold with right; inside, left leads to the head", () => {
    show({ heads: "open", selected: "run-20" });
    press("ArrowRight");
    press("ArrowLeft");
    press("Enter");
    expect(told.onselect.mock.calls.flat()).toEqual(["run-21"]);
    expect(told.onfold.mock.calls).toEqual([
      ["run-20", false],
      ["run-20", false],
    ]);
    expect(told.onopen).not.toHaveBeenCalled();
    void unmount(table);
    show({ heads: "open", selected: "run-25" });
    press("ArrowLeft");
    expect(told.onselect).toHaveBeenLastCalledWith("run-20");
  });

  it("are ticked with all of their own", () => {
    show({ heads: "closed", selected: "run-0", ticked: ["run-1"] });
    const box = drawn()[0]?.querySelector("input");
    expect(box?.indeterminate).toBe(true);
    press(" ");
    expect(told.ontick).toHaveBeenLastCalledWith(headOf(true)({ id: "run-0" })?.keys, true);
  });
});
