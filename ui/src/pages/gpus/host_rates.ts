/** Bytes in a second, from two looks at counters. Pure. */
import type { HostReading } from "../../api/gpus";

export interface Rates {
  read: number;
  write: number;
}

/** Null: nothing to compare with, or the counters began anew. */
export function ratesOf(before: HostReading | null, now: HostReading): Rates | null {
  const [old, fresh] = [before?.disk?.io, now.disk?.io];
  const secs = now.ts - (before?.ts ?? now.ts);
  if (!old || !fresh || secs <= 0) return null;
  const read = (fresh.read_bytes - old.read_bytes) / secs;
  const write = (fresh.write_bytes - old.write_bytes) / secs;
  return read < 0 || write < 0 ? null : { read, write };
}
