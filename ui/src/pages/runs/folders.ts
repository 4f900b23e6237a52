/** The tree of run paths with the number of runs at and below each folder. */
import type { RunRow } from "../../api/wire";

export interface Folder {
  name: string;
  path: string;
  count: number;
  running: number;
  children: Map<string, Folder>;
}

/** A line of the tree as it is drawn. */
export interface FolderLine {
  folder: Folder;
  /** 1 for the topmost folders. */
  level: number;
  open: boolean;
}

const made = (name: string, path: string): Folder => ({
  name,
  path,
  count: 0,
  running: 0,
  children: new Map(),
});

export function folderTree(rows: readonly RunRow[]): Folder {
  const top = made("", "");
  const byPath = new Map<string, Folder[]>();
  for (const row of rows) {
    const path = row.path ?? "";
    let chain = byPath.get(path);
    if (!chain) {
      chain = chainOf(top, path);
      byPath.set(path, chain);
    }
    for (const folder of chain) {
      folder.count += 1;
      if (row.status === "running") folder.running += 1;
    }
  }
  return top;
}

/** The folders from the top to `path`, made where they are not there yet. */
function chainOf(top: Folder, path: string): Folder[] {
  const chain = [top];
  let folder = top;
  for (const name of path.split("/").filter(Boolean)) {
    let child = folder.children.get(name);
    if (!child) {
      child = made(name, folder.path === "" ? name : `${folder.path}/${name}`);
      folder.children.set(name, child);
    }
    chain.push(child);
    folder = child;
  }
  return chain;
}

const byName = new Intl.Collator(["en", "zh"], { numeric: true });

/** The lines to draw: children of open folders only, by name. */
export function folderLines(top: Folder, isOpen: (path: string) => boolean): FolderLine[] {
  const lines: FolderLine[] = [];
  const walk = (folder: Folder, level: number): void => {
    const children = [...folder.children.values()].sort((a, b) => byName.compare(a.name, b.name));
    for (const child of children) {
      const open = child.children.size > 0 && isOpen(child.path);
      lines.push({ folder: child, level, open });
      if (open) walk(child, level + 1);
    }
  };
  walk(top, 1);
  return lines;
}

/** The folders above `path`, the topmost first. */
export function above(path: string): string[] {
  const names = path.split("/");
  return names.slice(0, -1).map((_, at) => names.slice(0, at + 1).join("/"));
}

/** How many folders there are below this one. */
export function folderCount(top: Folder): number {
  let count = top.children.size;
  for (const child of top.children.values()) count += folderCount(child);
  return count;
}
