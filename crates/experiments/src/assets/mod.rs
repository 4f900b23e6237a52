//! What runs saved: the assets of one run and of all, who else uses them, their files, a run's images and its code.

mod asset_list;
mod catalog;
mod code;
mod copies;
mod download;
mod media;
mod purge;
mod recorded;
mod references;
mod storage_stats;
pub(crate) mod usage;
mod zip_writer;

use serde_json::{Map, Value};

pub use asset_list::{Asset, AssetList, AssetTotals, CopyState};
pub use catalog::AssetCatalog;
pub use code::{CodeFile, CodeListing, CodeText};
pub use download::{Download, DownloadProblem};
pub use media::{MediaKind, RunImage, StampedFile};
pub use purge::PurgedRun;
pub(crate) use purge::sweep;
pub use recorded::AssetKind;
pub use references::AssetReference;
pub use storage_stats::{FolderSize, StorageStats};
pub(crate) use zip_writer::files_below;
pub use zip_writer::{ZipSource, write_zip};

use crate::error::StoreError;
use crate::index::record::{MAX_ASSETS_BYTES, SmallFile};
use crate::layout;
use crate::run_dir::RunDir;
use crate::store::RunStore;

impl RunStore {
    /// `assets.json` of a run, empty when there is none or it cannot be read.
    pub fn assets(&self, id: &str) -> Result<Map<String, Value>, StoreError> {
        Ok(assets_of(&self.find(id)?))
    }

    /// A run, in the recycle bin or not.
    pub(crate) fn find_anywhere(&self, id: &str) -> Result<RunDir, StoreError> {
        match self.find(id) {
            Err(StoreError::RunNotFound { .. }) => self.find_deleted(id),
            other => other,
        }
    }
}

pub(crate) fn assets_of(run: &RunDir) -> Map<String, Value> {
    match SmallFile::read(run, layout::ASSETS, MAX_ASSETS_BYTES) {
        SmallFile::Object(assets) => assets,
        SmallFile::Missing | SmallFile::Damaged(_) => Map::new(),
    }
}
