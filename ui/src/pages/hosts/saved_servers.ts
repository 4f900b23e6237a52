/** The saved servers: read, changed and written as a whole, entries of other programs untouched. Secrets only go in. */
import { here } from "../../api/client";
import type { SavedServer } from "../../api/hosts";

const path = "/api/remote/connections/saved";
type Entry = Record<string, unknown>;

async function read(): Promise<Entry[]> {
  return (await here.get<{ connections: Entry[] }>(path)).connections;
}

/** Adds a server or takes the place of the one with its id; members that are not given stay. */
export async function saveServer(server: Partial<SavedServer> & { id: string }): Promise<void> {
  const entries = await read();
  const at = entries.findIndex((entry) => entry.id === server.id);
  const merged = { ...(entries[at] ?? { kind: "server", createdAt: Date.now() }), ...server };
  await here.post(path, at < 0 ? [...entries, merged] : entries.with(at, merged));
}

/** Removes a server and what was remembered of its sessions. */
export async function removeServer(id: string): Promise<void> {
  const entries = await read();
  await here.post(
    path,
    entries.filter((entry) => entry.id !== id && entry.serverId !== id),
  );
}

export async function findServer(id: string): Promise<SavedServer | null> {
  return ((await read()).find((entry) => entry.id === id) as SavedServer | undefined) ?? null;
}

export const newServerId = (): string => crypto.randomUUID();
