//! How large the copies of assets in the archive are, and of which files they are made, so that each file is counted once.
//!
//! A list of files (a manifest) is named by its content and does not change: what was read of it is kept, within a limit.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use xxhash_rust::xxh3::xxh3_128;

use super::files_below;
use super::recorded::RecordedCopy;
use super::usage::{below_archive, is_hash};
use crate::growing::FileStamp;
use crate::run_dir::{RootDir, open_plain};

/// Largest manifest that is read, in bytes.
const MAX_MANIFEST_BYTES: u64 = 256 << 20;
/// Files of manifests that are remembered, in all. Of a manifest that goes beyond only the sum is.
const MOST_PARTS: usize = 1_000_000;

/// A file in the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Which file it is.
    pub(super) file: u128,
    pub(super) bytes: u64,
}

/// A copy that is there.
#[derive(Debug, Default)]
pub(super) struct ArchivedCopy {
    pub(super) bytes: u64,
    pub(super) files: u64,
    pub(super) parts: Vec<Part>,
}

impl ArchivedCopy {
    fn of(parts: Vec<Part>) -> Self {
        Self {
            bytes: sum(&parts),
            files: parts.len() as u64,
            parts,
        }
    }
}

/// Manifests that were read, by their place.
#[derive(Debug, Default)]
pub(super) struct Manifests {
    read: Mutex<HashMap<String, ReadManifest>>,
}

/// A manifest as it was read; nothing of one that is not as the SDK writes it.
type ReadManifest = (FileStamp, Option<Arc<ArchivedCopy>>);

/// Looks for the copy that a run names; `None` when it is not there.
pub(super) fn find(
    root: &RootDir,
    recorded: &RecordedCopy,
    manifests: &Manifests,
) -> Option<Arc<ArchivedCopy>> {
    if let Some(manifest) = &recorded.manifest {
        return manifests.copy(root, manifest);
    }
    let place = below_archive(&recorded.path)?;
    let metadata = root.dir.symlink_metadata(&place).ok()?;
    if metadata.is_dir() {
        return Some(Arc::new(folder(root, &place)));
    }
    let part = Part {
        file: file_of(&place),
        bytes: metadata.len(),
    };
    metadata
        .is_file()
        .then(|| Arc::new(ArchivedCopy::of(vec![part])))
}

fn folder(root: &RootDir, place: &str) -> ArchivedCopy {
    let files = files_below(root, place);
    let part = |path: &String| {
        let bytes = root.dir.symlink_metadata(path).map_or(0, |it| it.len());
        Part {
            file: file_of(path),
            bytes,
        }
    };
    ArchivedCopy::of(files.iter().map(part).collect())
}

/// A blob is known by its hash, any other file by its place.
fn file_of(place: &str) -> u128 {
    let name = place.rsplit('/').next().unwrap_or_default();
    let known_by = if is_hash(name) { name } else { place };
    xxh3_128(known_by.as_bytes())
}

fn sum(parts: &[Part]) -> u64 {
    let bytes = parts.iter().map(|part| part.bytes);
    bytes.fold(0, u64::saturating_add)
}

impl Manifests {
    fn copy(&self, root: &RootDir, place: &str) -> Option<Arc<ArchivedCopy>> {
        let file = open_plain(&root.dir, Path::new(place)).ok()?;
        let stamp = FileStamp::of(&file).ok()?;
        let mut read = self.read.lock();
        if let Some((known, copy)) = read.get(place)
            && *known == stamp
        {
            return copy.clone();
        }
        let held = read.values().filter_map(|(_, copy)| copy.as_ref());
        let held: usize = held.map(|copy| copy.parts.len()).sum();
        let copy = read_manifest(file, stamp.bytes).map(|parts| {
            if held + parts.len() <= MOST_PARTS {
                return Arc::new(ArchivedCopy::of(parts));
            }
            let bytes = sum(&parts);
            Arc::new(ArchivedCopy {
                bytes,
                files: parts.len() as u64,
                parts: vec![Part {
                    file: file_of(place),
                    bytes,
                }],
            })
        });
        read.insert(place.to_owned(), (stamp, copy.clone()));
        copy
    }

    /// Forgets the manifests that no copy in use is made of.
    pub(super) fn keep_used(&self) {
        let unused = |copy: &Arc<ArchivedCopy>| Arc::strong_count(copy) == 1;
        self.read
            .lock()
            .retain(|_, (_, copy)| !copy.as_ref().is_some_and(unused));
    }
}

/// The files of a manifest, with the sizes that it says; nothing of one that is not as the SDK writes it.
fn read_manifest(file: File, bytes: u64) -> Option<Vec<Part>> {
    if bytes > MAX_MANIFEST_BYTES {
        return None;
    }
    let reader = BufReader::with_capacity(1 << 16, file).take(MAX_MANIFEST_BYTES);
    let manifest: Manifest = serde_json::from_reader(reader).ok()?;
    Some(manifest.files.0)
}

#[derive(Deserialize)]
struct Manifest {
    files: Files,
}

#[derive(Deserialize)]
struct ListedFile {
    sha256: String,
    #[serde(default)]
    size_bytes: u64,
}

/// The files of a manifest without their names, read one by one.
struct Files(Vec<Part>);

impl<'de> Deserialize<'de> for Files {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EachFile;
        impl<'de> Visitor<'de> for EachFile {
            type Value = Files;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("files by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Files, A::Error> {
                let mut parts = Vec::new();
                while let Some((IgnoredAny, file)) = map.next_entry::<IgnoredAny, ListedFile>()? {
                    parts.push(Part {
                        file: file_of(&file.sha256),
                        bytes: file.size_bytes,
                    });
                }
                Ok(Files(parts))
            }
        }
        deserializer.deserialize_map(EachFile)
    }
}
