/** Which assets are shown and in what order, and what else is known of one. Pure. */
import { ASSET_KINDS, type Asset, type AssetKind } from "../../api/assets";
import type { Column, SortOrder } from "../../components/table/columns";
import type { AssetsText } from "../../text/assets";

export type ColumnKey = keyof AssetsText["column"];

const shapes: readonly (Omit<Column, "label" | "key"> & { key: ColumnKey; from_px?: number })[] = [
  { key: "kind", width: 112 },
  { key: "name", width: 150, grows: 2 },
  { key: "runs", width: 96, align: "end" },
  { key: "size", width: 92, align: "end" },
  { key: "source", width: 120, grows: 3, from_px: 800 },
  { key: "last", width: 104, align: "end", from_px: 560 },
];

/** The columns that a window of this width has room for. */
export const columnsOf = (words: AssetsText, width_px: number): Column[] =>
  shapes
    .filter(({ from_px = 0 }) => width_px >= from_px)
    .map(({ from_px: _, ...shape }) => ({ ...shape, label: words.column[shape.key] }));

export const readKind = (text: string): AssetKind | "" => ASSET_KINDS.find((kind) => kind === text) ?? "";

/** Nothing in the address: what was used last comes first. */
export function sortOf(text: string): SortOrder {
  if (text === "") return { key: "last", descending: true };
  return text.startsWith("-") ? { key: text.slice(1), descending: true } : { key: text, descending: false };
}

export function sortText({ key, descending }: SortOrder): string {
  const text = (descending ? "-" : "") + key;
  return text === "-last" ? "" : text;
}

/** Numbers fall at the first click on their head, words rise. */
export function sortedBy(sort: SortOrder, key: string): SortOrder {
  const falls = ["runs", "size", "last"].includes(key);
  return { key, descending: sort.key === key ? !sort.descending : falls };
}

/** How many different runs name it, in whatever way. */
export const runsOf = (asset: Asset): number => new Set([...asset.madeBy, ...asset.usedBy]).size;

function cellOf(asset: Asset, key: string): string | number | null {
  switch (key) {
    case "kind":
      return ASSET_KINDS.indexOf(asset.kind);
    case "name":
      return asset.name.toLowerCase();
    case "runs":
      return runsOf(asset);
    case "size":
      return asset.bytes;
    case "source":
      return asset.source.toLowerCase() || null;
    default:
      return asset.lastAt;
  }
}

/** What has no value stands last either way; equal ones by name and id, so that the order never depends on the way here. */
export function sorted(assets: readonly Asset[], { key, descending }: SortOrder): Asset[] {
  const sign = descending ? -1 : 1;
  const keyed = assets.map((asset) => ({ asset, cell: cellOf(asset, key) }));
  keyed.sort((a, b) => {
    if (a.cell === null || b.cell === null) {
      if (a.cell !== b.cell) return a.cell === null ? 1 : -1;
    } else if (a.cell !== b.cell) return sign * (a.cell < b.cell ? -1 : 1);
    const [one, other] = [`${a.asset.name}\0${a.asset.id}`, `${b.asset.name}\0${b.asset.id}`];
    return one < other ? -1 : one > other ? 1 : 0;
  });
  return keyed.map(({ asset }) => asset);
}

/** What is searched in, made once for each asset: a keystroke looks at thousands. */
const searched = new WeakMap<Asset, string>();

function searchText(asset: Asset): string {
  const known = searched.get(asset);
  if (known !== undefined) return known;
  const text = `${asset.name}\n${asset.source}\n${asset.fingerprint}\n${asset.about}`.toLowerCase();
  searched.set(asset, text);
  return text;
}

/** Assets of a kind in which every word stands somewhere: name, source, fingerprint, description. */
export function found(assets: readonly Asset[], kind: AssetKind | "", query: string): readonly Asset[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (kind === "" && words.length === 0) return assets;
  return assets.filter((asset) => {
    if (kind !== "" && asset.kind !== kind) return false;
    const text = searchText(asset);
    return words.every((word) => text.includes(word));
  });
}

/** Assets of the same kind and name with other content, this one among them, newest first. */
export function versionsOf(asset: Asset, all: readonly Asset[]): Asset[] {
  const same = all.filter((other) => other.kind === asset.kind && other.name === asset.name);
  // Workspaces of one folder name in two places are two projects.
  const versions = asset.kind === "code" ? same.filter((other) => other.source === asset.source) : same;
  return versions.sort((a, b) => (b.firstAt ?? 0) - (a.firstAt ?? 0) || (a.id < b.id ? -1 : 1));
}

/** Other kinds of asset with the very same content: what one run made and another began with. */
export const sameContent = (asset: Asset, all: readonly Asset[]): Asset[] =>
  /^[0-9a-f]{64}$/.test(asset.fingerprint)
    ? all.filter((other) => other.fingerprint === asset.fingerprint && other.id !== asset.id)
    : [];

/** A run to hold one version against another by: the latest that names it as its own. */
export const runOf = (asset: Asset): string | undefined =>
  (asset.kind === "output" || asset.kind === "code" ? asset.madeBy : asset.usedBy)[0];
