//! What a run's `assets.json` says of the assets that are listed for a whole root, cut to what a list can show.

use serde_json::{Map, Value};
use xxhash_rust::xxh3::xxh3_128;

use super::usage::{FileAsset, is_hash, items_of};

/// Most assets of one run; the others are only counted.
const MOST_OF_A_RUN: usize = 5000;
/// A longer text is cut: it is for a cell of a table.
const LONGEST_TEXT_CHARS: usize = 500;

/// What an asset is to the runs that name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AssetKind {
    /// Data that runs read.
    Dataset,
    /// A model that runs began with.
    Pretrained,
    /// A file or folder that a run made.
    Output,
    /// The workspace as it was when a run began.
    Code,
}

impl AssetKind {
    /// The stable word of the kind.
    pub fn word(self) -> &'static str {
        match self {
            Self::Dataset => "dataset",
            Self::Pretrained => "pretrained",
            Self::Output => "output",
            Self::Code => "code",
        }
    }

    /// Whether the runs that name it made it; else they used it.
    pub(super) fn is_made(self) -> bool {
        matches!(self, Self::Output | Self::Code)
    }

    /// Configurations are values, not assets of a list.
    fn of(role: &str) -> Option<Self> {
        [Self::Dataset, Self::Pretrained, Self::Output, Self::Code]
            .into_iter()
            .find(|kind| kind.word() == role)
    }
}

/// One asset as one run names it.
#[derive(Debug)]
pub(super) struct RecordedAsset {
    /// Equal for what is the same asset, in all runs.
    pub(super) key: u128,
    pub(super) kind: AssetKind,
    pub(super) name: String,
    /// Where it came from: a path, an address, or a structure as JSON.
    pub(super) source: String,
    pub(super) about: String,
    pub(super) fingerprint: Option<String>,
    /// Equal for what has the same content, whatever its kind; absent when the fingerprint says nothing of the content.
    pub(super) content: Option<u128>,
    /// As recorded.
    pub(super) bytes: Option<u64>,
    pub(super) files: Option<u64>,
    pub(super) place: Option<RecordedCopy>,
}

/// Where a copy should lie.
#[derive(Debug)]
pub(super) struct RecordedCopy {
    /// As recorded, for fetching it.
    pub(super) path: String,
    /// Its manifest below the root, when it is one.
    pub(super) manifest: Option<String>,
}

/// The assets of one run.
#[derive(Debug, Default)]
pub(super) struct RecordedAssets {
    pub(super) assets: Vec<RecordedAsset>,
    /// Those beyond the most of a run.
    pub(super) left_out: u64,
}

impl RecordedAssets {
    pub(super) fn of(assets: &Map<String, Value>) -> Self {
        let mut recorded = Self::default();
        for item in items_of(assets) {
            let object = item.object;
            let file = FileAsset::of(item);
            let Some(kind) = AssetKind::of(file.role) else {
                continue;
            };
            if recorded.assets.len() < MOST_OF_A_RUN {
                recorded.assets.push(RecordedAsset::of(kind, file, object));
            } else {
                recorded.left_out += 1;
            }
        }
        recorded
    }
}

impl RecordedAsset {
    fn of(kind: AssetKind, file: FileAsset, object: &Map<String, Value>) -> Self {
        let words = |names: &[&str]| names.iter().find_map(|name| words(object.get(*name)?));
        let parts = stat_parts(object.get("fingerprint"));
        let count = |names: &[&str]| {
            let own = names.iter().find_map(|name| object.get(*name)?.as_u64());
            own.or_else(|| names.iter().find_map(|name| parts.get(*name)?.as_u64()))
        };
        let source = match kind {
            AssetKind::Code => words(&["workspace_root"]),
            _ => words(&["uri", "path_or_uri", "path"]),
        }
        .unwrap_or_default();
        let name = match kind {
            AssetKind::Code => folder_name(&source).map(str::to_owned),
            _ => None,
        }
        .or(file.name)
        .unwrap_or_default();
        let hash = file.fingerprint.as_deref().filter(|text| is_hash(text));
        Self {
            key: xxh3_128(identity(kind, file.fingerprint.as_deref(), &name, &source).as_bytes()),
            content: hash.map(|hash| xxh3_128(hash.as_bytes())),
            kind,
            about: cut(&words(&["description", "source_type", "kind"]).unwrap_or_default()),
            bytes: count(&["size_bytes", "total_size_bytes"]),
            files: count(&["file_count"]),
            place: file.archive_path.map(|path| RecordedCopy {
                path,
                manifest: file.manifest,
            }),
            fingerprint: file.fingerprint.as_deref().map(cut),
            name: cut(&name),
            source: cut(&source),
        }
    }
}

/// What makes two records the same asset: the kind and the hash of the content. A fingerprint of size and time alone says less, so
/// the name and the source count, too.
fn identity(kind: AssetKind, fingerprint: Option<&str>, name: &str, source: &str) -> String {
    let kind = kind.word();
    match fingerprint {
        Some(hash) if is_hash(hash) => format!("{kind}\0{hash}"),
        other => format!("{kind}\0{}\0{name}\0{source}", other.unwrap_or_default()),
    }
}

/// A fingerprint of size and time is an object, or one as text.
fn stat_parts(fingerprint: Option<&Value>) -> Map<String, Value> {
    match fingerprint {
        Some(Value::Object(parts)) => parts.clone(),
        Some(Value::String(text)) if text.starts_with('{') => {
            crate::json::parse_object(text.as_bytes()).unwrap_or_default()
        }
        _ => Map::new(),
    }
}

/// A value in words; nothing for what says nothing.
fn words(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => (!text.is_empty()).then(|| text.clone()),
        other => Some(other.to_string()),
    }
}

fn folder_name(path: &str) -> Option<&str> {
    let path = path.trim_end_matches(['/', '\\']);
    path.rsplit(['/', '\\'])
        .next()
        .filter(|name| !name.is_empty())
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TEXT_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn recorded(assets: &Value) -> Vec<RecordedAsset> {
        RecordedAssets::of(assets.as_object().unwrap()).assets
    }

    const HASH: &str = "9a03b975919308b591c19fb67489870211037de2a75311afde4a46ecec5e0a2c";

    #[test]
    fn the_same_content_is_one_asset_whatever_it_is_called_and_two_kinds_are_two() {
        let found = recorded(&json!({
            "datasets": [{"name": "a", "fingerprint": HASH}, {"name": "b", "uri": "/x", "fingerprint": HASH}],
            "pretrained": [{"name": "a", "fingerprint": HASH}],
        }));
        assert_eq!(found[0].key, found[1].key);
        assert_ne!(found[0].key, found[2].key);
        assert_eq!(found[0].content, found[2].content);
    }

    #[test]
    fn without_a_hash_name_and_source_tell_assets_apart() {
        let stat = json!({"mtime": 1.5, "size_bytes": 4});
        let found = recorded(&json!({"datasets": [
            {"name": "a", "uri": "s3:/x"}, {"name": "a", "uri": "s3:/x"}, {"name": "a", "uri": "s3:/y"},
            {"name": "a", "uri": "/x", "fingerprint": stat}, {"name": "b", "uri": "/x", "fingerprint": stat},
        ]}));
        assert_eq!(found[0].key, found[1].key);
        assert_ne!(found[0].key, found[2].key);
        assert_ne!(found[3].key, found[4].key);
        assert_eq!(found[3].bytes, Some(4));
    }

    #[test]
    fn values_of_wrong_types_hurt_nobody_and_structures_are_their_json() {
        let found = recorded(&json!({
            "code": {"snapshot": {"workspace_root": "/home/me/project/", "fingerprint": [1]}},
            "config": {"lr": 1},
            "datasets": [7, {"uri": {"hub": "coco"}, "size_bytes": -4, "file_count": "many", "archive_path": 5}],
            "outputs": "none",
        }));
        assert_eq!(found.len(), 2);
        assert_eq!(
            (found[0].kind, found[0].name.as_str()),
            (AssetKind::Code, "project")
        );
        assert_eq!(found[1].source, r#"{"hub":"coco"}"#);
        assert_eq!((found[1].bytes, found[1].files), (None, None));
        assert!(found[1].place.is_none());
    }

    #[test]
    fn long_texts_are_cut_and_of_too_many_assets_the_rest_is_counted() {
        let long = "界".repeat(10_000);
        let many = vec![json!({"name": long}); MOST_OF_A_RUN + 3];
        let found = RecordedAssets::of(json!({"outputs": many}).as_object().unwrap());
        assert_eq!((found.assets.len(), found.left_out), (MOST_OF_A_RUN, 3));
        assert_eq!(found.assets[0].name.chars().count(), LONGEST_TEXT_CHARS + 1);
    }
}
