/** What is wrong with the storage folder, in words. */
import type { StorageInfo } from "../../api/wire";
import type { FailedFace } from "../../components/list_face";
import type { RunOrigin } from "../../state/run_list.svelte";
import { fill, type Text } from "../../text/languages";

export interface Trouble {
  title: string;
  detail: string;
}

export function troubleOf(text: Text, storage: StorageInfo | null): Trouble | null {
  if (storage === null || storage.state === "ok") return null;
  const values = { root: storage.root, detail: storage.detail ?? "" };
  const { missing, unreadable, read_only, stale, other } = text.storage;
  const known = new Map([
    ["missing", missing],
    ["unreadable", unreadable],
    ["read_only", read_only],
    ["stale", stale],
  ]);
  const words = known.get(storage.state) ?? other;
  return { title: words.title, detail: fill(words.detail, values) };
}

/** The trouble as all that a page shows: try again, or choose another folder. */
export const troubleFace = (
  text: Text,
  trouble: Trouble,
  onretry: () => void,
  onchoose: () => void,
): FailedFace => ({
  kind: "failed",
  ...trouble,
  retryLabel: text.storage.again,
  onretry,
  way: { label: text.frame.chooseRoot, onclick: onchoose },
});

/** Deleting, renaming and tagging can work: the machine answers and its folder takes writes. */
export const isWritable = (origin: Pick<RunOrigin, "storage" | "isReachable">): boolean =>
  origin.isReachable && origin.storage?.state === "ok";
