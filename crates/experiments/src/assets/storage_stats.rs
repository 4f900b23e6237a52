//! How much the parts of a root hold.

use std::collections::{BTreeMap, BTreeSet};

use super::files_below;
use crate::error::StoreError;
use crate::layout;
use crate::run_dir::RootDir;
use crate::store::RunStore;

/// Size of a folder with all below it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FolderSize {
    /// Bytes of all files.
    pub bytes: u64,
    /// Number of files.
    pub files: u64,
}

/// Sizes of a root, the recycle bin left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StorageStats {
    /// `archive/blobs`.
    pub blobs: FolderSize,
    /// `archive/manifests`.
    pub manifests: FolderSize,
    /// Each folder of `archive/manifests`.
    pub manifest_categories: BTreeMap<String, FolderSize>,
    /// `archive/outputs`.
    pub outputs: FolderSize,
    /// Folders of all runs that are not deleted.
    pub runs: FolderSize,
    /// Those runs.
    pub runs_count: u64,
    /// Their different paths, the top left out.
    pub paths_count: u64,
    /// Different first segments of these.
    pub projects_count: u64,
    /// Different first two segments of these.
    pub experiments_count: u64,
    /// The SDK's databases.
    pub index: FolderSize,
}

impl RunStore {
    /// Measures the root.
    pub fn storage_stats(&self) -> Result<StorageStats, StoreError> {
        let root = self.root_dir()?;
        let archive = |folder: &str| layout::join(&[layout::ARCHIVE, folder]);
        let mut stats = StorageStats {
            blobs: size_of(&root, &archive(layout::BLOBS)),
            outputs: size_of(&root, &archive(layout::OUTPUTS)),
            index: size_of(&root, layout::INDEX),
            ..StorageStats::default()
        };
        for suffix in ["", "-wal", "-shm"] {
            if let Ok(metadata) = root
                .dir
                .symlink_metadata(format!("{}{suffix}", layout::DATABASE))
            {
                stats.index.bytes += metadata.len();
                stats.index.files += 1;
            }
        }
        let manifests = archive(layout::MANIFESTS);
        for category in folders_in(&root, &manifests) {
            let size = size_of(&root, &format!("{manifests}/{category}"));
            stats.manifest_categories.insert(category, size);
        }
        stats.manifests = size_of(&root, &manifests);
        let list = self.settled_list();
        let (mut paths, mut projects, mut experiments) =
            (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for row in list.rows() {
            let size = size_of(&root, &row.directory);
            stats.runs.bytes += size.bytes;
            stats.runs.files += size.files;
            let segments: Vec<&str> = row.path.segments().take(2).collect();
            if let Some(project) = segments.first() {
                paths.insert(row.path.as_str());
                projects.insert(*project);
                experiments.insert(segments.join("/"));
            }
        }
        stats.runs_count = list.rows().len() as u64;
        stats.paths_count = paths.len() as u64;
        stats.projects_count = projects.len() as u64;
        stats.experiments_count = experiments.len() as u64;
        Ok(stats)
    }
}

fn size_of(root: &RootDir, folder: &str) -> FolderSize {
    let files = files_below(root, folder);
    let bytes = files
        .iter()
        .filter_map(|file| root.dir.symlink_metadata(file).ok())
        .map(|metadata| metadata.len())
        .sum();
    FolderSize {
        bytes,
        files: files.len() as u64,
    }
}

fn folders_in(root: &RootDir, folder: &str) -> Vec<String> {
    let entries = root.dir.read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect()
}
