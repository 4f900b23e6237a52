//! Who uses which archived file: every `assets.json` of every run, recycled ones included, and every manifest.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::error::ReadProblem;
use crate::index::discover::discover;
use crate::index::record::MAX_ASSETS_BYTES;
use crate::json;
use crate::layout;
use crate::run_dir::{RootDir, RunDir, read_bounded};

/// Largest manifest that is read, in bytes.
const MAX_MANIFEST_BYTES: u64 = 256 << 20;

/// One asset as `assets.json` has it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FileAsset {
    pub(crate) role: &'static str,
    pub(crate) asset_type: &'static str,
    pub(crate) name: Option<String>,
    pub(crate) fingerprint: Option<String>,
    /// Hash of its own blob.
    pub(crate) blob: Option<String>,
    /// `archive_path` as it stands.
    pub(crate) archive_path: Option<String>,
    /// Its manifest, below the root.
    pub(crate) manifest: Option<String>,
}

/// What one run uses.
pub(crate) struct RunUsage {
    pub(crate) id: String,
    pub(crate) directory: String,
    pub(crate) assets: Vec<FileAsset>,
    /// Every hash that its `assets.json` mentions anywhere.
    pub(crate) hashes: BTreeSet<String>,
    /// Every manifest that it mentions, below the root.
    pub(crate) manifests: BTreeSet<String>,
}

/// What all runs and manifests of a root use.
pub(crate) struct Usage {
    pub(crate) runs: Vec<RunUsage>,
    /// Manifests on disk, below the root, with the hashes they list.
    pub(crate) manifests: BTreeMap<String, BTreeSet<String>>,
    /// What could not be read; while there is any, nothing shared may be removed.
    pub(crate) unreadable: Vec<String>,
}

impl Usage {
    /// Reads all of it.
    pub(crate) fn scan(root: &Arc<RootDir>) -> Self {
        let mut usage = Self {
            runs: Vec::new(),
            manifests: BTreeMap::new(),
            unreadable: Vec::new(),
        };
        for found in discover(root) {
            let Ok(run) = RunDir::new(
                Arc::clone(root),
                &found.directory,
                found.layout,
                found.layout == crate::run::Layout::Recycled,
            ) else {
                usage.unreadable.push(found.directory);
                continue;
            };
            match run.read(layout::ASSETS, MAX_ASSETS_BYTES) {
                Err(ReadProblem::Missing) => {}
                Err(_) => usage
                    .unreadable
                    .push(format!("{}/{}", found.directory, layout::ASSETS)),
                Ok(bytes) => match json::parse_object(&bytes) {
                    Ok(assets) => usage.runs.push(RunUsage::new(&run, &assets)),
                    Err(_) => {
                        usage
                            .unreadable
                            .push(format!("{}/{}", found.directory, layout::ASSETS));
                    }
                },
            }
        }
        usage.read_manifests(root);
        usage
    }

    fn read_manifests(&mut self, root: &RootDir) {
        let home = layout::join(&[layout::ARCHIVE, layout::MANIFESTS]);
        for path in super::files_below(root, &home) {
            if !is_manifest(&path) {
                continue;
            }
            let read = crate::run_dir::open_plain(&root.dir, path.as_ref())
                .map_err(ReadProblem::from)
                .and_then(|file| read_bounded(file, MAX_MANIFEST_BYTES));
            match read.ok().and_then(|bytes| json::parse(&bytes).ok()) {
                Some(manifest) => {
                    let mut hashes = BTreeSet::new();
                    collect_hashes(&manifest, &mut hashes);
                    self.manifests.insert(path, hashes);
                }
                None => self.unreadable.push(path),
            }
        }
    }

    /// Hashes that somebody uses, leaving out the runs in `without` (directories) and the manifests in `gone`.
    pub(crate) fn used_hashes(
        &self,
        without: &BTreeSet<String>,
        gone: &BTreeSet<String>,
    ) -> BTreeSet<&str> {
        let runs = self
            .runs
            .iter()
            .filter(|run| !without.contains(&run.directory))
            .flat_map(|run| &run.hashes);
        let manifests = self
            .manifests
            .iter()
            .filter(|(path, _)| !gone.contains(*path))
            .flat_map(|(_, hashes)| hashes);
        runs.chain(manifests).map(String::as_str).collect()
    }

    /// True if a run outside `without` mentions this manifest, by path or by fingerprint.
    pub(crate) fn uses_manifest(&self, manifest: &str, without: &BTreeSet<String>) -> bool {
        let stem = manifest
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .trim_end_matches(".json");
        self.runs
            .iter()
            .filter(|run| !without.contains(&run.directory))
            .any(|run| run.manifests.contains(manifest) || run.hashes.contains(stem))
    }
}

impl RunUsage {
    fn new(run: &RunDir, assets: &Map<String, Value>) -> Self {
        let (mut hashes, mut manifests) = (BTreeSet::new(), BTreeSet::new());
        for value in assets.values() {
            collect_hashes(value, &mut hashes);
        }
        let listed = list_assets(assets);
        manifests.extend(listed.iter().filter_map(|asset| asset.manifest.clone()));
        Self {
            id: run.id.to_string(),
            directory: run.directory.clone(),
            assets: listed,
            hashes,
            manifests,
        }
    }
}

/// The assets of an `assets.json`, in its order.
pub(crate) fn list_assets(assets: &Map<String, Value>) -> Vec<FileAsset> {
    items_of(assets).into_iter().map(FileAsset::of).collect()
}

/// An asset's own object in an `assets.json`.
pub(super) struct AssetItem<'a> {
    role: &'static str,
    asset_type: &'static str,
    name: Option<String>,
    pub(super) object: &'a Map<String, Value>,
}

/// The objects of the assets of an `assets.json`, in its order.
pub(super) fn items_of(assets: &Map<String, Value>) -> Vec<AssetItem<'_>> {
    let mut items = Vec::new();
    if let Some(object) = assets
        .get("code")
        .and_then(|code| code.get("snapshot"))
        .and_then(Value::as_object)
    {
        items.push(AssetItem {
            role: "code",
            asset_type: "code_snapshot",
            name: Some(layout::CODE_SNAPSHOT.to_owned()),
            object,
        });
    }
    if let Some(object) = assets
        .get("config")
        .and_then(Value::as_object)
        .filter(|config| !config.is_empty())
    {
        items.push(AssetItem {
            role: "config",
            asset_type: "config",
            name: None,
            object,
        });
    }
    for (list, role) in [
        ("datasets", "dataset"),
        ("pretrained", "pretrained"),
        ("outputs", "output"),
    ] {
        let found = assets
            .get(list)
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        for (index, item) in found.enumerate() {
            let Some(object) = item.as_object() else {
                continue;
            };
            let name = ["name", "key"]
                .iter()
                .find_map(|key| object.get(*key).and_then(Value::as_str))
                .map_or_else(|| format!("{role}_{index}"), str::to_owned);
            items.push(AssetItem {
                role,
                asset_type: role,
                name: Some(name),
                object,
            });
        }
    }
    items
}

impl FileAsset {
    pub(super) fn of(item: AssetItem<'_>) -> Self {
        let AssetItem {
            role,
            asset_type,
            name,
            object,
        } = item;
        let text = |key: &str| object.get(key).and_then(Value::as_str).map(str::to_owned);
        let archive_path = text("archive_path");
        let fingerprint = object.get("fingerprint").and_then(fingerprint_text);
        let manifest = [text("manifest_path"), archive_path.clone()]
            .into_iter()
            .flatten()
            .filter_map(|path| below_archive(&path))
            .find(|path| is_manifest(path));
        let own = archive_path
            .as_deref()
            .and_then(below_archive)
            .and_then(|path| path.rsplit('/').next().map(str::to_owned))
            .filter(|name| is_hash(name));
        let blob = own.or_else(|| {
            fingerprint.clone().filter(|fingerprint| {
                is_hash(fingerprint)
                    && text("fingerprint_kind").as_deref() != Some("sha256_manifest")
            })
        });
        Self {
            role,
            asset_type,
            name,
            fingerprint,
            blob,
            archive_path,
            manifest,
        }
    }
}

pub(super) fn is_manifest(path: &str) -> bool {
    path.starts_with("archive/manifests/")
        && std::path::Path::new(path)
            .extension()
            .is_some_and(|ending| ending == "json")
}

/// A fingerprint as the SDK's database spells it.
pub(crate) fn fingerprint_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Object(object) => {
            let sorted: BTreeMap<&String, &Value> = object.iter().collect();
            let parts: Vec<String> = sorted
                .into_iter()
                .map(|(key, value)| format!("{}: {value}", Value::String(key.clone())))
                .collect();
            Some(format!("{{{}}}", parts.join(", ")))
        }
        _ => None,
    }
}

/// The part of a stored absolute path that stays true when the root moves: `archive/…`, by plain names only.
pub(crate) fn below_archive(stored: &str) -> Option<String> {
    let stored = stored.replace('\\', "/");
    let (_, rest) = stored.split_once("/archive/")?;
    let rest = rest.rsplit_once("/archive/").map_or(rest, |(_, last)| last);
    let plain = rest.split('/').all(|part| !matches!(part, "" | "." | ".."));
    plain.then(|| format!("{}/{rest}", layout::ARCHIVE))
}

/// True for 64 lower-case hexadecimal digits.
pub(crate) fn is_hash(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// Every hash in any string below a value, also within paths.
fn collect_hashes(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => into.extend(
            text.split(|letter: char| !letter.is_ascii_alphanumeric())
                .filter(|word| is_hash(word))
                .map(str::to_owned),
        ),
        Value::Array(items) => items.iter().for_each(|item| collect_hashes(item, into)),
        Value::Object(object) => object.values().for_each(|item| collect_hashes(item, into)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_path_is_anchored_at_its_last_archive_folder() {
        let check = |stored: &str, expected: Option<&str>| {
            assert_eq!(below_archive(stored).as_deref(), expected, "{stored}");
        };
        check(
            "/old/root/archive/blobs/aa/aabb",
            Some("archive/blobs/aa/aabb"),
        );
        check("/archive/root/archive/blobs/aa", Some("archive/blobs/aa"));
        check("C:\\data\\archive\\blobs\\x", Some("archive/blobs/x"));
        for unsafe_path in [
            "/old/archive/../secret",
            "/old/archive//x",
            "/old/archive/",
            "/etc/passwd",
            "archive/x",
        ] {
            check(unsafe_path, None);
        }
    }

    #[test]
    fn a_fingerprint_object_is_spelled_as_the_database_spells_it() {
        let value: Value = serde_json::from_str(r#"{"size_bytes": 4, "mtime": 1.5}"#).unwrap();
        assert_eq!(
            fingerprint_text(&value).unwrap(),
            r#"{"mtime": 1.5, "size_bytes": 4}"#
        );
    }
}
