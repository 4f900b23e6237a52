//! Runs as documents and archives.

use std::io::{self, Read as _, Write};
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Map, Value};
use tar::{Builder, EntryType, Header};

use crate::assets::{ZipSource, files_below};
use crate::error::StoreError;
use crate::index::record::{MAX_ASSETS_BYTES, SmallFile};
use crate::layout;
use crate::run::RunRow;
use crate::run_dir::RunDir;
use crate::store::RunStore;

/// A run as it stands in an export.
#[derive(Clone, Debug)]
pub struct ExportedRun {
    /// What the list says.
    pub row: Arc<RunRow>,
    /// Path by the folder, else by `meta.json`.
    pub path: String,
    /// `summary.json`, empty when there is none.
    pub summary: Map<String, Value>,
    /// `meta.json`, empty when there is none.
    pub meta: Map<String, Value>,
}

impl RunStore {
    /// The runs of a path (`exact`: not those below it), by folder in the order of their names; all runs for an empty path.
    pub fn exported(&self, path: &str, exact: bool) -> Result<Vec<ExportedRun>, StoreError> {
        let root = self.root_dir()?;
        let list = self.settled_list();
        let mut rows: Vec<&Arc<RunRow>> = list
            .rows()
            .filter(|row| {
                if exact {
                    row.path.as_str() == path
                } else {
                    row.path.is_within(path)
                }
            })
            .collect();
        rows.sort_by_cached_key(|row| {
            row.directory
                .to_lowercase()
                .split('/')
                .map(str::to_owned)
                .collect::<Vec<_>>()
        });
        rows.into_iter()
            .map(|row| {
                RunDir::new(Arc::clone(&root), &row.directory, row.layout, false)
                    .map(|run| exported_run(&run, Arc::clone(row)))
            })
            .collect()
    }

    /// One run as it stands in an export.
    pub fn exported_run(&self, id: &str) -> Result<ExportedRun, StoreError> {
        let run = self.find(id)?;
        Ok(exported_run(&run, self.row_of(&run)))
    }

    /// All files of these runs as entries `<id>/<file>`.
    pub fn bare_sources(&self, runs: &[ExportedRun]) -> Result<Vec<ZipSource>, StoreError> {
        let root = self.root_dir()?;
        let sources = runs
            .iter()
            .flat_map(|run| files_of(&root, &run.row.directory, run.row.id.as_str()));
        Ok(sources.collect())
    }

    /// All files of these runs as entries `runs/<path>/<id>/<file>`, as an import takes them.
    pub fn importable_sources(&self, ids: &[String]) -> Result<Vec<ZipSource>, StoreError> {
        let mut sources = Vec::new();
        for id in ids {
            let run = self.find(id)?;
            sources.extend(files_of(
                run.root(),
                &run.directory,
                &layout::run_directory(run.path.as_str(), id),
            ));
        }
        Ok(sources)
    }
}

fn exported_run(run: &RunDir, row: Arc<RunRow>) -> ExportedRun {
    let object = |name| match SmallFile::read(run, name, MAX_ASSETS_BYTES) {
        SmallFile::Object(object) => object,
        SmallFile::Missing | SmallFile::Damaged(_) => Map::new(),
    };
    let path = if row.path.as_str().is_empty() {
        row.meta_path.clone().unwrap_or_default()
    } else {
        row.path.to_string()
    };
    ExportedRun {
        summary: object(layout::SUMMARY),
        meta: object(layout::META),
        path,
        row,
    }
}

fn files_of(root: &Arc<crate::run_dir::RootDir>, directory: &str, prefix: &str) -> Vec<ZipSource> {
    let inside = format!("{directory}/");
    files_below(root, directory)
        .into_iter()
        .filter_map(|path| {
            let name = format!("{prefix}/{}", path.strip_prefix(&inside)?);
            Some(ZipSource::file(name, root, path))
        })
        .collect()
}

/// Writes `sources` as a gzipped tar, front to back.
pub fn write_tar_gz(
    out: impl Write,
    sources: impl IntoIterator<Item = ZipSource>,
) -> io::Result<()> {
    let mut tar = Builder::new(GzEncoder::new(out, Compression::default()));
    for source in sources {
        let Some((content, bytes, modified)) = source.open()? else {
            continue;
        };
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_size(bytes);
        header.set_mode(0o644);
        header.set_mtime(modified);
        // a file that shrinks meanwhile is filled up, so that the archive stays whole
        tar.append_data(
            &mut header,
            source.name(),
            content.chain(io::repeat(0)).take(bytes),
        )?;
    }
    tar.into_inner()?.finish()?.flush()
}

/// Now, as it stands in names of archives: local time, `20260131_235959`.
pub fn time_stamp() -> String {
    jiff::Zoned::now().strftime("%Y%m%d_%H%M%S").to_string()
}
