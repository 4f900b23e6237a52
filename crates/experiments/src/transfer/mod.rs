//! Runs leave as archives and documents, and come back from archives.

mod archive;
mod export;
mod import;
mod names;
mod report;
mod tar_reader;

pub(crate) use archive::announced_entries;
pub use archive::{ArchiveLimits, Upload};
pub use export::{ExportedRun, time_stamp, write_tar_gz};
pub(crate) use import::PreviewedUploads;
pub use import::{ImportMode, ImportPreview, ImportProblem, Imported, PreviewedRun};
pub use report::{html_report, markdown_report};
