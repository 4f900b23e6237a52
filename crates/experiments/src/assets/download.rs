//! Which file a download may have: one inside the run's folder, or one in the archive that the run's own records name.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::usage::{below_archive, is_hash, list_assets};
use super::{ZipSource, assets_of, files_below};
use crate::error::StoreError;
use crate::json;
use crate::layout;
use crate::run_dir::{RootDir, RunDir, open_plain, read_bounded};
use crate::sdk_database::{Kind, Reading};
use crate::store::RunStore;

/// Largest manifest that is read for a download, in bytes.
const MAX_MANIFEST_BYTES: u64 = 256 << 20;

/// What a download gives.
#[derive(Debug)]
pub enum Download {
    /// One file.
    File {
        /// The open file.
        file: File,
        /// Name to offer.
        name: String,
        /// Length in bytes.
        bytes: u64,
    },
    /// Several files, as an archive.
    Zip {
        /// Name to offer; ends in `.zip`.
        name: String,
        /// The entries.
        sources: Vec<ZipSource>,
    },
}

/// Why a download gives nothing.
#[derive(Debug, thiserror::Error)]
pub enum DownloadProblem {
    /// Not absolute, or outside the storage root.
    #[error("Unsafe path")]
    Unsafe,
    /// Inside the root, but nothing that this run saved.
    #[error("Path does not belong to this run")]
    NotOfThisRun,
    /// Nothing is there.
    #[error("File not found")]
    Missing,
    /// The manifest lists nothing.
    #[error("Manifest contains no files")]
    EmptyManifest,
    /// A pipe, a device, a link to nowhere.
    #[error("Unsupported target")]
    Unsupported,
    /// Anything else.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RunStore {
    /// Resolves `path` (absolute, as recorded) for a run. `filename` overrides the offered name.
    pub fn download(
        &self,
        id: &str,
        path: &str,
        filename: Option<&str>,
    ) -> Result<Download, DownloadProblem> {
        let run = self.find(id)?;
        let root = Arc::clone(run.root());
        let place = self.place_of(&run, path)?;
        let wished = filename.and_then(offered_name);
        let metadata = root
            .dir
            .metadata(&place)
            .map_err(|_gone| DownloadProblem::Missing)?;
        let own_name = place.rsplit('/').next().unwrap_or_default().to_owned();
        if metadata.is_dir() {
            let sources = folder_sources(&root, &place);
            return Ok(Download::Zip {
                name: zip_name(wished.unwrap_or(own_name)),
                sources,
            });
        }
        let file = open_plain(&root.dir, Path::new(&place))
            .map_err(|_refused| DownloadProblem::Unsupported)?;
        if super::usage::is_manifest(&place) {
            return manifest_download(&root, file, wished);
        }
        let bytes = file
            .metadata()
            .map_err(|error| StoreError::io(root.path.join(&place), error))?
            .len();
        Ok(Download::File {
            file,
            name: wished.unwrap_or(own_name),
            bytes,
        })
    }

    /// The place below the root that `path` means, if the run may have it.
    fn place_of(&self, run: &RunDir, path: &str) -> Result<String, DownloadProblem> {
        let named = self.named_archive_places(run);
        let is_named = |place: &str| named.iter().any(|name| is_within(place, name));
        let Some(place) = place_below(run.root(), path) else {
            // the root was moved since: what follows `/archive/` is still true
            return below_archive(path)
                .filter(|place| is_named(place) && Path::new(path).is_absolute())
                .ok_or(DownloadProblem::Unsafe);
        };
        if is_within(&place, &run.directory) || (place.starts_with("archive/") && is_named(&place))
        {
            Ok(place)
        } else {
            Err(DownloadProblem::NotOfThisRun)
        }
    }

    fn named_archive_places(&self, run: &RunDir) -> BTreeSet<String> {
        let mut places = BTreeSet::new();
        for asset in list_assets(&assets_of(run)) {
            places.extend(asset.archive_path.as_deref().and_then(below_archive));
            places.extend(asset.manifest);
        }
        for kind in [Kind::Experiments, Kind::Index] {
            let rows = Reading::open(self.root(), kind, self.writes.state_dir())
                .and_then(|reading| reading.assets(run.id.as_str()));
            places.extend(
                rows.into_iter()
                    .flatten()
                    .filter_map(|row| row.archive_uri.as_deref().and_then(below_archive)),
            );
        }
        places
    }
}

fn is_within(place: &str, folder: &str) -> bool {
    place
        .strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// An absolute path as one below the root, `..` resolved by its text; `None` when it lies elsewhere.
fn place_below(root: &RootDir, path: &str) -> Option<String> {
    let wanted = Path::new(path);
    if !wanted.is_absolute() || path.contains('\0') {
        return None;
    }
    let mut clean = PathBuf::new();
    for part in wanted.components() {
        match part {
            Component::ParentDir => drop(clean.pop()),
            Component::CurDir => {}
            other => clean.push(other),
        }
    }
    let real_root = root.path.canonicalize().ok();
    let below = clean
        .strip_prefix(&root.path)
        .ok()
        .or_else(|| clean.strip_prefix(real_root.as_ref()?).ok())?;
    let parts: Option<Vec<&str>> = below
        .components()
        .map(|part| part.as_os_str().to_str())
        .collect();
    Some(parts?.join("/"))
}

fn offered_name(filename: &str) -> Option<String> {
    let name = filename
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .replace('\\', "_");
    (!name.trim().is_empty()).then_some(name)
}

fn zip_name(name: String) -> String {
    if name.to_lowercase().ends_with(".zip") {
        name
    } else {
        format!("{name}.zip")
    }
}

pub(crate) fn folder_sources(root: &Arc<RootDir>, folder: &str) -> Vec<ZipSource> {
    let inside = format!("{folder}/");
    files_below(root, folder)
        .into_iter()
        .map(|path| {
            ZipSource::file(
                path.strip_prefix(&inside).unwrap_or(&path).to_owned(),
                root,
                path.clone(),
            )
        })
        .collect()
}

fn manifest_download(
    root: &Arc<RootDir>,
    file: File,
    wished: Option<String>,
) -> Result<Download, DownloadProblem> {
    let damaged = |detail: String| StoreError::Damaged {
        path: root.path.join("archive/manifests"),
        detail,
    };
    let bytes =
        read_bounded(file, MAX_MANIFEST_BYTES).map_err(|problem| damaged(problem.to_string()))?;
    let manifest = json::parse_object(&bytes).map_err(|problem| damaged(problem.to_string()))?;
    let files = manifest
        .get("files")
        .and_then(Value::as_object)
        .filter(|files| !files.is_empty())
        .ok_or(DownloadProblem::EmptyManifest)?;
    let sources = files
        .iter()
        .filter(|(name, _)| is_plain_relative(name))
        .filter_map(|(name, entry)| {
            let hash = entry
                .get("sha256")
                .and_then(Value::as_str)
                .filter(|hash| is_hash(hash))?;
            let blob = layout::join(&[layout::ARCHIVE, layout::BLOBS, hash.get(..2)?, hash]);
            Some(ZipSource::file(name.clone(), root, blob))
        });
    let source_name = manifest
        .get("source_path")
        .and_then(Value::as_str)
        .and_then(|path| {
            path.trim_end_matches(['/', '\\'])
                .rsplit(['/', '\\'])
                .next()
        })
        .filter(|name| !name.is_empty());
    let fingerprint = manifest
        .get("fingerprint")
        .and_then(Value::as_str)
        .and_then(|text| text.get(..16))
        .unwrap_or("archive");
    let name = wished.unwrap_or_else(|| source_name.unwrap_or(fingerprint).to_owned());
    Ok(Download::Zip {
        name: zip_name(name),
        sources: sources.collect(),
    })
}

/// True for a relative name without anything that a careless unpacker could follow elsewhere.
pub(crate) fn is_plain_relative(name: &str) -> bool {
    !name.is_empty()
        && !name.contains(['\\', '\0', ':'])
        && name.split('/').all(|part| !matches!(part, "" | "." | ".."))
}
