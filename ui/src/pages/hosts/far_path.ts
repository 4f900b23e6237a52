/** Paths of the far side, which is a POSIX system. Pure. */

export function childOf(folder: string, name: string): string {
  return folder.endsWith("/") ? folder + name : `${folder}/${name}`;
}

/** Null at the top. */
export function parentOf(path: string): string | null {
  const trimmed = path.replace(/\/+$/, "");
  if (!trimmed.startsWith("/") || trimmed === "") return null;
  const cut = trimmed.lastIndexOf("/");
  return cut === 0 ? "/" : trimmed.slice(0, cut);
}
