//! The last run list that each machine gave, kept in our cache folder, for when the machine cannot be reached.
//!
//! What passes by is kept as it came. Nothing here is trusted: a list is bounded, read as JSON before it is kept, and handed out
//! marked with its age.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::body::Bytes;
use flate2::read::GzDecoder;
use runicorn_remote::Target;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use xxhash_rust::xxh3::xxh3_128;

use crate::sdk_config::{read_bounded, write_whole};

/// What passes by in one answer at most; larger lists are not kept.
pub(crate) const SENT_LIMIT_BYTES: usize = 16 << 20;
/// The same, unpacked.
const LIST_LIMIT_BYTES: u64 = 64 << 20;
/// How many lists are kept.
const KEPT: usize = 50;

/// The lists and their folder.
pub(crate) struct SeenLists {
    folder: PathBuf,
}

/// A list that was seen.
pub(crate) struct SeenList {
    pub(crate) age: Duration,
    pub(crate) answer: Box<RawValue>,
}

/// How a body was packed on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    Plain,
    Gzip,
}

/// The two members that tell a whole list from a change of one.
#[derive(Deserialize)]
struct Head {
    full: bool,
    #[serde(rename = "rows")]
    _rows: Vec<IgnoredAny>,
}

impl SeenLists {
    pub(crate) fn at(cache_dir: &Path) -> Self {
        Self {
            folder: cache_dir.join("hosts"),
        }
    }

    /// Keeps a list when it is a whole one. Blocks.
    pub(crate) fn note(&self, target: &Target, root: &str, packing: Packing, body: &[Bytes]) {
        let Some(list) = unpacked(packing, body).filter(|list| is_whole_list(list)) else {
            return;
        };
        let kept = write_whole(&self.file(target, root), &list);
        if let Err(error) = kept.and_then(|()| self.forget_old()) {
            tracing::debug!(%error, "the run list of a host is not kept");
        }
    }

    /// The last list of a machine and root. Blocks.
    pub(crate) fn last(&self, target: &Target, root: &str) -> Option<SeenList> {
        let file = self.file(target, root);
        let seen_at = std::fs::metadata(&file)
            .and_then(|found| found.modified())
            .ok()?;
        let text = read_bounded(&file, LIST_LIMIT_BYTES).ok()?;
        Some(SeenList {
            age: seen_at.elapsed().unwrap_or_default(),
            answer: RawValue::from_string(String::from_utf8(text).ok()?).ok()?,
        })
    }

    fn file(&self, target: &Target, root: &str) -> PathBuf {
        let name = xxh3_128(format!("{target}\n{root}").as_bytes());
        self.folder.join(format!("{name:032x}.json"))
    }

    fn forget_old(&self) -> std::io::Result<()> {
        let mut lists: Vec<_> = std::fs::read_dir(&self.folder)?
            .filter_map(Result::ok)
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        lists.sort();
        for (_, path) in lists.iter().rev().skip(KEPT) {
            std::fs::remove_file(path)?;
        }
        Ok(())
    }
}

fn unpacked(packing: Packing, body: &[Bytes]) -> Option<Vec<u8>> {
    let packed = body.concat();
    if packing == Packing::Plain {
        return Some(packed);
    }
    let mut list = Vec::new();
    let mut reader = GzDecoder::new(packed.as_slice()).take(LIST_LIMIT_BYTES + 1);
    reader.read_to_end(&mut list).ok()?;
    (list.len() as u64 <= LIST_LIMIT_BYTES).then_some(list)
}

fn is_whole_list(list: &[u8]) -> bool {
    serde_json::from_slice::<Head>(list).is_ok_and(|head| head.full)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn target() -> Target {
        Target::new("u", "h", 22).unwrap()
    }

    #[test]
    fn a_whole_list_is_kept_by_machine_and_root_and_comes_back_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let lists = SeenLists::at(folder.path());
        let text = r#"{"cursor":"1","full":true,"rows":[["a", 1.50]]}"#;
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(text.as_bytes()).unwrap();
        let packed = Bytes::from(packed.finish().unwrap());
        let pieces = [packed.slice(..10), packed.slice(10..)];
        lists.note(&target(), "/data", Packing::Gzip, &pieces);
        let seen = lists.last(&target(), "/data").unwrap();
        assert_eq!(seen.answer.get(), text);
        assert!(lists.last(&target(), "/other").is_none());
    }

    #[test]
    fn a_change_of_a_list_and_what_is_no_list_are_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let lists = SeenLists::at(folder.path());
        for text in [
            r#"{"full":false,"rows":[]}"#,
            r#"{"full":true}"#,
            "<html>",
            "",
        ] {
            lists.note(&target(), "", Packing::Plain, &[Bytes::from(text)]);
        }
        lists.note(&target(), "", Packing::Gzip, &[Bytes::from("no gzip")]);
        assert!(lists.last(&target(), "").is_none());
    }
}
