/** Every asset of a machine's storage root, with the runs that made and used it. */
import type { Api } from "./client";

export const ASSET_KINDS = ["dataset", "pretrained", "output", "code"] as const;
export type AssetKind = (typeof ASSET_KINDS)[number];

export interface Asset {
  id: string;
  kind: AssetKind;
  name: string;
  /** Empty when there is none. */
  fingerprint: string;
  source: string;
  about: string;
  bytes: number | null;
  files: number | null;
  copy: "kept" | "missing" | "none";
  /** Where the copy lies, as recorded, and the run that may fetch it. */
  copyOf: { run: string; path: string } | null;
  /** Ids of runs, newest first. */
  madeBy: readonly string[];
  usedBy: readonly string[];
  firstAt: number | null;
  lastAt: number | null;
}

export interface AssetTotals {
  references: number;
  kept: number;
  logicalBytes: number;
  storedBytes: number;
}

export interface AssetList {
  /** False: the root is still looked at for the first time. */
  complete: boolean;
  assets: readonly Asset[];
  totals: AssetTotals;
  /** Runs whose list of assets cannot be read. */
  unreadable: readonly string[];
  /** Assets that the server did not read, because there are too many. */
  leftOut: number;
}

type Loose = Record<string, unknown>;

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
const numberOf = (value: unknown): number | null =>
  typeof value === "number" && Number.isFinite(value) ? value : null;
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const looseOf = (value: unknown): Loose =>
  value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Loose) : {};

function readAsset(row: Map<unknown, unknown>, runs: readonly string[]): Asset | null {
  const kind = ASSET_KINDS.find((known) => known === row.get("kind"));
  const id = textOf(row.get("id"));
  if (kind === undefined || id === "") return null;
  const ids = (value: unknown) => listOf(value).flatMap((place) => runs[numberOf(place) ?? -1] ?? []);
  const copyRun = runs[numberOf(row.get("copy_run")) ?? -1];
  const path = textOf(row.get("copy_path"));
  return {
    id,
    kind,
    name: textOf(row.get("name")),
    fingerprint: textOf(row.get("fingerprint")),
    source: textOf(row.get("source")),
    about: textOf(row.get("about")),
    bytes: numberOf(row.get("bytes")),
    files: numberOf(row.get("files")),
    copy: (["kept", "missing"] as const).find((state) => state === row.get("copy")) ?? "none",
    copyOf: copyRun === undefined || path === "" ? null : { run: copyRun, path },
    madeBy: ids(row.get("made_by")),
    usedBy: ids(row.get("used_by")),
    firstAt: numberOf(row.get("first_at")),
    lastAt: numberOf(row.get("last_at")),
  };
}

/** Another machine may send anything: what is of no known kind is no asset. */
export function readAssetList(answer: unknown): AssetList {
  const { complete, runs, fields, rows, totals, unreadable, left_out } = looseOf(answer);
  const ids = listOf(runs).map(textOf);
  const names = listOf(fields);
  const sums = looseOf(totals);
  return {
    complete: complete !== false,
    assets: listOf(rows).flatMap((cells) => {
      const row = new Map(names.map((name, at) => [name, listOf(cells)[at]]));
      return readAsset(row, ids) ?? [];
    }),
    totals: {
      references: numberOf(sums.references) ?? 0,
      kept: numberOf(sums.kept) ?? 0,
      logicalBytes: numberOf(sums.logical_bytes) ?? 0,
      storedBytes: numberOf(sums.stored_bytes) ?? 0,
    },
    unreadable: listOf(unreadable).map(textOf),
    leftOut: numberOf(left_out) ?? 0,
  };
}

/** All assets, or those that one run names. */
export async function listAssets(api: Api, signal?: AbortSignal, run?: string): Promise<AssetList> {
  return readAssetList(await api.get<unknown>("/api/asset-list", { run: run ?? null }, signal));
}
