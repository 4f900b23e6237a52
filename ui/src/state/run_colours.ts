/**
 * One colour for each run, out of its id: adding runs changes none, and a run looks the same in every chart and list.
 * The first eight runs get eight colours; where colours repeat, dashes tell lines apart.
 */

/** The series colours of the theme, and the dashes in which each of them can be drawn. */
export const COLOURS = 8;
export const DASHES = 4;

/** Where a run would stand if it were alone: FNV-1a, so that ids that differ in one letter stand apart. */
export function slotOf(id: string): number {
  let hash = 0x811c9dc5;
  for (const letter of id) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return ((hash ^ (hash >>> 15)) >>> 0) % COLOURS;
}

/**
 * The place of each run's look: colour is `look % 8`, dash is `look / 8`. Each run takes the colour of its id, or the next
 * free one; runs that were seen before keep what they have.
 */
export function chooseLooks(
  ids: readonly string[],
  kept: ReadonlyMap<string, number> = new Map(),
): Map<string, number> {
  const looks = new Map<string, number>();
  const used = new Set<number>();
  for (const id of ids) {
    const look = kept.get(id);
    if (look === undefined || used.has(look)) continue;
    looks.set(id, look);
    used.add(look);
  }
  for (const id of ids) {
    if (looks.has(id)) continue;
    const look = freeLook(slotOf(id), used);
    looks.set(id, look);
    used.add(look);
  }
  return looks;
}

/** A colour that nobody has comes before a dash. When all are taken, the run's own: then only pointing tells them apart. */
function freeLook(slot: number, used: ReadonlySet<number>): number {
  for (let dash = 0; dash < DASHES; dash += 1) {
    for (let step = 0; step < COLOURS; step += 1) {
      const look = dash * COLOURS + ((slot + step) % COLOURS);
      if (!used.has(look)) return look;
    }
  }
  return slot;
}
