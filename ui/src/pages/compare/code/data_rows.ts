/** The data and the code that runs say they used, by name and fingerprint, as rows of the table. Pure. */
import { formatBytes } from "../../../format/bytes";
import { type AssetRow, readAssets } from "../../run/assets/run_assets";
import { compareValues, fits, isEqual, type SectionRows } from "../differences";

export interface DataWords {
  dataset: string;
  pretrained: string;
  code: string;
}

/** What tells two things of one name apart: the fingerprint, or where it came from and how much it is. */
function tellingOf(row: AssetRow): string {
  const size = row.bytes === null ? "" : formatBytes(row.bytes);
  const parts =
    row.fingerprint === ""
      ? [row.from, size, row.files === null ? "" : `${row.files}`]
      : [row.fingerprint, size];
  return parts.filter(Boolean).join(" · ") || row.context || row.name;
}

/** Names with what tells them; a second thing of the same name is numbered. */
export function dataOf(assets: unknown, words: DataWords): Map<string, string> {
  const { snapshot, datasets, pretrained } = readAssets(assets);
  const found = new Map<string, string>();
  const put = (name: string, telling: string) => {
    let own = name;
    for (let again = 2; found.has(own); again += 1) own = `${name} (${again})`;
    found.set(own, telling);
  };
  for (const row of datasets) put(`${words.dataset} ${row.name}`, tellingOf(row));
  for (const row of pretrained) put(`${words.pretrained} ${row.name}`, tellingOf(row));
  if (snapshot) put(words.code, snapshot.fingerprint || snapshot.workspace || "✓");
  return found;
}

export function dataSection(
  assets: readonly unknown[],
  words: DataWords,
  search: string,
  base: number,
): SectionRows | null {
  const values = assets.map((one) => dataOf(one, words));
  const rows = compareValues(values, base).filter(({ path, cells }) =>
    fits([path, ...new Set(cells)], search),
  );
  if (rows.length === 0) return null;
  return { section: "data", differing: rows.filter((row) => !isEqual(row)), equal: rows.filter(isEqual) };
}
