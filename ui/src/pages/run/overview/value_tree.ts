/** Any JSON value as rows of a foldable tree, with search. Pure; depth and length are bounded. */

export type ValueKind = "object" | "array" | "string" | "number" | "boolean" | "null";

export interface ValueRow {
  /** Where it stands, as it would be written in code: `optimizer.lr`, `layers[0]`. */
  path: string;
  name: string;
  depth: number;
  kind: ValueKind;
  /** The value in words; for a folder how many things it holds. */
  text: string;
  children: number;
  open: boolean;
}

const MAX_DEPTH = 64;
const MAX_ROWS = 20_000;

export function kindOf(value: unknown): ValueKind {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return "array";
  const kind = typeof value;
  if (kind === "object") return "object";
  return kind === "number" || kind === "bigint" ? "number" : kind === "boolean" ? "boolean" : "string";
}

export function valueText(value: unknown): string {
  const kind = kindOf(value);
  if (kind === "null") return "null";
  return kind === "object" || kind === "array" ? JSON.stringify(value) : String(value);
}

function members(value: unknown): [string, unknown][] {
  if (Array.isArray(value)) return value.map((item, index) => [String(index), item]);
  if (value !== null && typeof value === "object") return Object.entries(value);
  return [];
}

function pathOf(parent: string, name: string, inArray: boolean): string {
  if (inArray) return `${parent}[${name}]`;
  if (!/^[\p{L}_$][\p{L}\p{N}_$-]*$/u.test(name)) return `${parent}[${JSON.stringify(name)}]`;
  return parent === "" ? name : `${parent}.${name}`;
}

export interface TreeView {
  /** Folders that are closed; everything else is open. */
  closed: ReadonlySet<string>;
  search: string;
}

/** The rows to show. With a search: rows whose path or value holds it, and the folders that lead there. */
export function valueRows(value: unknown, view: TreeView): { rows: ValueRow[]; cut: boolean } {
  const rows: ValueRow[] = [];
  const wanted = view.search.trim().toLowerCase();
  let cut = false;
  const visit = (item: unknown, name: string, path: string, depth: number): boolean => {
    if (rows.length >= MAX_ROWS || depth > MAX_DEPTH) {
      cut = true;
      return false;
    }
    const inner = members(item);
    const at = rows.length;
    const open = inner.length > 0 && (wanted !== "" || !view.closed.has(path));
    const kind = kindOf(item);
    const text = inner.length > 0 || kind === "object" || kind === "array" ? "" : valueText(item);
    rows.push({ path, name, depth, kind, text, children: inner.length, open });
    const own = wanted === "" || path.toLowerCase().includes(wanted) || text.toLowerCase().includes(wanted);
    let below = false;
    if (open)
      for (const [key, next] of inner)
        below = visit(next, key, pathOf(path, key, Array.isArray(item)), depth + 1) || below;
    if (own || below) return true;
    rows.length = at;
    return false;
  };
  for (const [key, next] of members(value)) visit(next, key, pathOf("", key, Array.isArray(value)), 0);
  return { rows, cut };
}

/** The value of a row, found by walking the same paths. */
export function valueAt(value: unknown, path: string): unknown {
  let found: unknown;
  const visit = (item: unknown, here: string, depth: number): boolean => {
    if (here === path) {
      found = item;
      return true;
    }
    if (depth > MAX_DEPTH || !path.startsWith(here)) return false;
    return members(item).some(([key, next]) =>
      visit(next, pathOf(here, key, Array.isArray(item)), depth + 1),
    );
  };
  members(value).some(([key, next]) => visit(next, pathOf("", key, Array.isArray(value)), 0));
  return found;
}
