/** What a run says about its assets, read with care: every member may be missing or of another type. Pure. */
import type { Asset, AssetKind } from "../../../api/assets";

export interface AssetRow {
  name: string;
  /** Where it came from: a path, a URI, or a structure in words. */
  from: string;
  about: string;
  context: string;
  bytes: number | null;
  files: number | null;
  fingerprint: string;
  /** Seconds; when it was copied into the archive. */
  archivedAt: number | null;
  /** Absolute path of the copy, when there is one: the server decides whether it may be fetched. */
  copy: string | null;
}

export interface RunAssets {
  snapshot: { copy: string | null; fingerprint: string; workspace: string } | null;
  datasets: AssetRow[];
  pretrained: AssetRow[];
  outputs: AssetRow[];
}

type Loose = Record<string, unknown>;

function loose(value: unknown): Loose {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Loose) : {};
}

function words(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function count(...values: unknown[]): number | null {
  for (const value of values)
    if (typeof value === "number" && Number.isFinite(value) && value >= 0) return value;
  return null;
}

function path(...values: unknown[]): string | null {
  for (const value of values) if (typeof value === "string" && value !== "") return value;
  return null;
}

function rowOf(value: unknown): AssetRow {
  const item = loose(value);
  const print = item.fingerprint;
  const parts = typeof print === "string" ? looseJson(print) : loose(print);
  return {
    name: words(item.name) || words(item.key) || "–",
    from: words(item.uri ?? item.path_or_uri ?? item.path),
    about: words(item.description) || words(item.source_type),
    context: words(item.context) || words(item.kind),
    bytes: count(item.size_bytes, item.total_size_bytes, parts.size_bytes, parts.total_size_bytes),
    files: count(item.file_count, parts.file_count),
    fingerprint: typeof print === "string" && Object.keys(parts).length === 0 ? print : "",
    archivedAt: count(item.archived_at, item.created_at),
    copy: path(item.manifest_path, item.archive_path),
  };
}

/** A fingerprint of kind `stat` is a JSON text. */
function looseJson(text: string): Loose {
  try {
    return loose(JSON.parse(text));
  } catch {
    return {};
  }
}

function rows(value: unknown): AssetRow[] {
  return Array.isArray(value) ? value.map(rowOf) : [];
}

export function readAssets(value: unknown): RunAssets {
  const assets = loose(value);
  const snapshot = loose(assets.code).snapshot;
  const code = loose(snapshot);
  return {
    snapshot:
      snapshot === undefined || snapshot === null
        ? null
        : {
            copy: path(code.archive_path),
            fingerprint: words(code.fingerprint),
            workspace: words(code.workspace_root),
          },
    datasets: rows(assets.datasets),
    pretrained: rows(assets.pretrained),
    outputs: rows(assets.outputs),
  };
}

/** The asset of the whole root that a row of this run is; undefined while that list is not known. */
export function listedAs(
  row: Pick<AssetRow, "name" | "from" | "fingerprint">,
  kind: AssetKind,
  listed: readonly Asset[],
): Asset | undefined {
  const same = listed.filter((asset) => asset.kind === kind);
  return row.fingerprint === ""
    ? same.find((asset) => asset.name === row.name && asset.source === row.from)
    : same.find((asset) => asset.fingerprint === row.fingerprint);
}

/** A name for a saved copy: the last part only, without what file systems refuse. */
export function fileNameOf(name: string): string {
  const leaf = name.split(/[\\/]/).filter(Boolean).pop() ?? "";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is dropped
  return leaf.replace(/[\x00-\x1f\x7f<>:"|?*\u202a-\u202e\u2066-\u2069]/g, "").replace(/^\.+/, "") || "asset";
}
