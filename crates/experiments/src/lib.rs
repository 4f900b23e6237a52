//! Runs on disk: what the Runicorn SDK recorded, found, read, measured and moved.
//!
//! A **run** is a directory below a **storage root**. The SDK writes it while a program trains: `meta.json` (who and where),
//! `status.json`, `summary.json`, `events.jsonl` (metrics and images), `logs.txt`, `assets.json`, `media/`. The files are the truth; every
//! database, the SDK's and ours, may be missing, stale or wrong.
//!
//! What we promise when reading:
//!
//! - Nothing in a root is changed by reading it.
//! - One bad run never breaks the list: what can be shown is shown, and [`RunRow::problem`] says what is wrong.
//! - Files are opened relative to the root's handle; no name and no link reaches anything outside it.
//! - A list is an immutable snapshot; a change makes a new one with a higher generation.
//!
//! Everything here blocks; the server calls it off its async threads.

mod artifacts;
mod assets;
mod changes;
mod edit;
pub mod error;
mod growing;
mod index;
mod journal;
pub mod json;
pub mod layout;
mod liveness;
pub mod logs;
pub mod metrics;
mod path_tree;
mod recycle_bin;
mod relocate;
mod rename;
mod root_probe;
mod run;
mod run_detail;
mod run_dir;
mod run_list;
mod run_values;
mod sample_runs;
mod sdk_database;
mod status_check;
mod store;
#[cfg(feature = "thumbnails")]
mod thumbnails;
mod transfer;
mod watching;
mod writes;

pub use artifacts::{Artifact, ArtifactProblem, ArtifactVersion, Lineage, LineageNode};
pub use assets::{
    Asset, AssetCatalog, AssetKind, AssetList, AssetReference, AssetTotals, CodeFile, CodeListing,
    CodeText, CopyState, Download, DownloadProblem, FolderSize, MediaKind, PurgedRun, RunImage,
    StampedFile, StorageStats, ZipSource, write_zip,
};
pub use changes::{ChangeReceiver, StoreChange};
pub use edit::{EditedRun, RunEdit};
pub use error::{ReadProblem, StoreError};
pub use index::record::assets_count;
pub use liveness::{Look, ProcessState, ProcessTable, STALLED_AFTER_SECS, SystemProcesses};
pub use path_tree::{PathCounts, PathNode, PathTree};
pub use recycle_bin::{DeleteReason, RecycledRun, RestoreProblem};
pub use relocate::{DeletedPath, MoveProblem};
pub use root_probe::RootCondition;
pub use run::{Layout, RunId, RunPath, RunRow, RunStatus, StatusReason};
pub use run_detail::{FileProblem, RunDetail};
pub use run_dir::{RootDir, RunDir, RunFile};
pub use run_list::{RunDelta, RunList};
pub use run_values::{RunValues, ValueCache, ValueField, ValueNames};
pub use sample_runs::{make_sample_runs, sample_root};
pub use status_check::StatusCheck;
pub use store::{IndexProgress, RunStore, Source, StorageState, StoreConfig, StoreCounters};
#[cfg(feature = "thumbnails")]
pub use thumbnails::{Thumbnail, ThumbnailCache};
pub use transfer::{
    ArchiveLimits, ExportedRun, ImportMode, ImportPreview, ImportProblem, Imported, PreviewedRun,
    Upload, html_report, markdown_report, time_stamp, write_tar_gz,
};
pub use watching::Watch;
