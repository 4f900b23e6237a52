/** Files of a code snapshot as a tree. Names come out of an archive: they are only ever shown. */

export interface CodeFile {
  path: string;
  bytes: number;
}

export interface CodeNode {
  name: string;
  path: string;
  /** null for a folder. */
  file: CodeFile | null;
  bytes: number;
  children: CodeNode[];
}

const order = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

export function codeTree(files: readonly CodeFile[]): CodeNode[] {
  const root: CodeNode = { name: "", path: "", file: null, bytes: 0, children: [] };
  const folders = new Map<string, CodeNode>([["", root]]);
  for (const file of files) {
    const parts = file.path.split("/").filter((part) => part !== "");
    const name = parts.pop();
    if (name === undefined) continue;
    let folder = root;
    folder.bytes += file.bytes;
    for (const part of parts) {
      folder = child(folders, folder, part);
      folder.bytes += file.bytes;
    }
    folder.children.push({ name, path: file.path, file, bytes: file.bytes, children: [] });
  }
  sortTree(root);
  return root.children;
}

function child(folders: Map<string, CodeNode>, parent: CodeNode, name: string): CodeNode {
  const path = `${parent.path}${name}/`;
  const known = folders.get(path);
  if (known) return known;
  const made: CodeNode = { name, path, file: null, bytes: 0, children: [] };
  folders.set(path, made);
  parent.children.push(made);
  return made;
}

function sortTree(node: CodeNode): void {
  node.children.sort((one, other) => {
    if ((one.file === null) !== (other.file === null)) return one.file === null ? -1 : 1;
    return order.compare(one.name, other.name);
  });
  for (const next of node.children) sortTree(next);
}

/** Rows to show for a tree with some folders open, outermost first. */
export function openRows(
  nodes: readonly CodeNode[],
  open: ReadonlySet<string>,
  depth = 0,
): { node: CodeNode; depth: number }[] {
  const rows: { node: CodeNode; depth: number }[] = [];
  for (const node of nodes) {
    rows.push({ node, depth });
    if (node.file === null && open.has(node.path)) rows.push(...openRows(node.children, open, depth + 1));
  }
  return rows;
}
