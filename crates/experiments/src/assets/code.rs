//! The code snapshot of a run: a zip that is listed and read within limits, never unpacked.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use zip::ZipArchive;

use super::assets_of;
use super::download::is_plain_relative;
use super::usage::list_assets;
use crate::error::StoreError;
use crate::layout;
use crate::run_dir::{RunDir, open_plain};
use crate::store::RunStore;

/// Largest snapshot that is opened, in bytes.
const MAX_ARCHIVE_BYTES: u64 = 2 << 30;
/// Most files that a snapshot may list.
const MAX_FILES: u64 = 100_000;
/// Longest text that is shown, in bytes.
const MAX_TEXT_BYTES: u64 = 2 << 20;

/// One file of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeFile {
    /// Path in the snapshot.
    pub path: String,
    /// Length in bytes, as the snapshot claims.
    pub bytes: u64,
}

/// What a snapshot holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CodeListing {
    /// Whether there is one.
    pub available: bool,
    /// Length of the zip in bytes.
    pub archive_bytes: u64,
    /// Its files, sorted by path; names that lead elsewhere are left out.
    pub files: Vec<CodeFile>,
}

/// One file of a snapshot, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeText {
    /// The text; absent when it is binary or too long to show.
    pub text: Option<String>,
    /// Length in bytes.
    pub bytes: u64,
    /// Not a text.
    pub binary: bool,
}

impl RunStore {
    /// Lists the code snapshot of a run.
    pub fn code(&self, id: &str) -> Result<CodeListing, StoreError> {
        let run = self.find(id)?;
        let Some(file) = snapshot(&run) else {
            return Ok(CodeListing::default());
        };
        let archive_bytes = file
            .metadata()
            .map_err(|error| StoreError::io(run.dir.join(layout::CODE_SNAPSHOT), error))?
            .len();
        let archive = open_archive(&run, file)?;
        let mut files: Vec<CodeFile> = (0..archive.len())
            .filter_map(|index| archive.by_index_data(index).ok())
            .filter(|entry| !entry.is_dir())
            .filter_map(|entry| {
                Some(CodeFile {
                    path: entry.name().ok()?.into_owned(),
                    bytes: entry.size(),
                })
            })
            .filter(|file| is_plain_relative(&file.path))
            .collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(CodeListing {
            available: true,
            archive_bytes,
            files,
        })
    }

    /// Reads one file of the code snapshot; `None` when there is no such file.
    pub fn code_text(&self, id: &str, path: &str) -> Result<Option<CodeText>, StoreError> {
        let run = self.find(id)?;
        let Some(file) = snapshot(&run) else {
            return Ok(None);
        };
        let mut archive = open_archive(&run, file)?;
        let Ok(mut entry) = archive.by_name(path) else {
            return Ok(None);
        };
        let bytes = entry.size();
        if bytes > MAX_TEXT_BYTES {
            return Ok(Some(CodeText {
                text: None,
                bytes,
                binary: false,
            }));
        }
        let mut content = Vec::new();
        entry
            .by_ref()
            .take(MAX_TEXT_BYTES + 1)
            .read_to_end(&mut content)
            .map_err(|error| damaged(&run, &error))?;
        let binary = content.contains(&0) || std::str::from_utf8(&content).is_err();
        let text = (!binary && content.len() as u64 <= MAX_TEXT_BYTES)
            .then(|| String::from_utf8_lossy(&content).into_owned());
        Ok(Some(CodeText {
            text,
            bytes: content.len() as u64,
            binary,
        }))
    }
}

/// The snapshot in the run's folder, else its copy in the archive.
fn snapshot(run: &RunDir) -> Option<File> {
    run.open(layout::CODE_SNAPSHOT).ok().or_else(|| {
        let assets = list_assets(&assets_of(run));
        let blob = assets
            .iter()
            .find(|asset| asset.role == "code")?
            .blob
            .clone()?;
        let path = layout::join(&[layout::ARCHIVE, layout::BLOBS, blob.get(..2)?, &blob]);
        open_plain(&run.root().dir, Path::new(&path)).ok()
    })
}

fn open_archive(run: &RunDir, mut file: File) -> Result<ZipArchive<File>, StoreError> {
    let bytes = file.metadata().map_err(|error| damaged(run, &error))?.len();
    if bytes > MAX_ARCHIVE_BYTES {
        return Err(StoreError::TooLarge {
            what: format!("{} (bytes)", layout::CODE_SNAPSHOT),
            limit: MAX_ARCHIVE_BYTES,
        });
    }
    let announced =
        crate::transfer::announced_entries(&mut file).map_err(|error| damaged(run, &error))?;
    if announced > MAX_FILES {
        return Err(StoreError::TooLarge {
            what: format!("number of files in {}", layout::CODE_SNAPSHOT),
            limit: MAX_FILES,
        });
    }
    ZipArchive::new(file).map_err(|error| damaged(run, &io::Error::other(error)))
}

fn damaged(run: &RunDir, error: &io::Error) -> StoreError {
    StoreError::Damaged {
        path: run.dir.join(layout::CODE_SNAPSHOT),
        detail: error.to_string(),
    }
}
