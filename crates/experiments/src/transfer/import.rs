//! Runs from an archive: looked at first if wanted, unpacked beside the runs, put in place by renames, never over anything.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde_json::Value;

use super::archive::{ArchiveLimits, OpenArchive, Upload};
use super::names::{ArchivedRun, folder_of, runs_among, target_directory};
use crate::edit::{dump_keeping_all, parse_keeping_all};
use crate::error::StoreError;
use crate::index::record::read_row;
use crate::journal::{Journal, Step, exists, read_text};
use crate::layout;
use crate::run::{Layout, RunId};
use crate::run_dir::{RootDir, RunDir};
use crate::sdk_database::{ImportedRow, RowChange};
use crate::store::RunStore;

/// How long a previewed archive is kept.
const PREVIEW_KEPT: Duration = Duration::from_mins(30);
/// Most previewed archives kept at once.
const MAX_PREVIEWS: usize = 8;

/// Where imported runs go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImportMode {
    /// To their own paths.
    #[default]
    Merge,
    /// Under `runs/imports/<time>/`.
    Isolate,
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportProblem {
    /// Not an archive that we take.
    #[error("Unsupported or corrupted archive: {0}")]
    Archive(String),
    /// Anything else.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A run of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviewedRun {
    /// Its id.
    pub id: String,
    /// Where it would go.
    pub path: String,
    /// Its files.
    pub files: u64,
    /// A run of that id is here already (perhaps in the recycle bin), so it would be skipped.
    pub conflict: bool,
}

/// What an archive holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportPreview {
    /// Hand it in to import the same archive without sending it again.
    pub token: String,
    /// The runs.
    pub runs: Vec<PreviewedRun>,
    /// All files of the archive.
    pub total_files: u64,
}

/// What was imported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Files put in place.
    pub files: u64,
    /// Folders of the new runs, below the root, in order of their names.
    pub directories: Vec<String>,
    /// New runs, sorted.
    pub ids: Vec<String>,
    /// Runs that are here already, sorted.
    pub skipped: Vec<String>,
    /// Path of the folder made for them, when isolated.
    pub isolate_base: Option<String>,
}

/// Archives that were previewed and may be imported.
#[derive(Default)]
pub(crate) struct PreviewedUploads {
    kept: Mutex<HashMap<String, (Instant, Upload)>>,
}

impl PreviewedUploads {
    fn keep(&self, upload: Upload) -> String {
        let mut kept = self.kept.lock();
        kept.retain(|_, (since, _)| since.elapsed() < PREVIEW_KEPT);
        if kept.len() >= MAX_PREVIEWS
            && let Some(oldest) = kept
                .iter()
                .min_by_key(|(_, (since, _))| *since)
                .map(|(token, _)| token.clone())
        {
            kept.remove(&oldest);
        }
        let token = random_token();
        kept.insert(token.clone(), (Instant::now(), upload));
        token
    }

    fn take(&self, token: &str) -> Option<Upload> {
        self.kept
            .lock()
            .remove(token)
            .filter(|(since, _)| since.elapsed() < PREVIEW_KEPT)
            .map(|(_, upload)| upload)
    }
}

impl RunStore {
    /// An empty file for an upload, without a name, on the disk of our state folder.
    pub fn upload_file(&self) -> Result<std::fs::File, StoreError> {
        let folder = self.writes.state_dir().join("uploads");
        std::fs::create_dir_all(&folder)
            .and_then(|()| tempfile::tempfile_in(&folder))
            .map_err(|error| StoreError::io(&folder, error))
    }

    /// Looks into an archive and keeps it for half an hour.
    pub fn preview_import(&self, upload: Upload) -> Result<ImportPreview, ImportProblem> {
        let (_, runs, total_files) = look_into(&upload, ArchiveLimits::default())?;
        let here = self.ids_here()?;
        let runs = runs.into_values().map(|run| PreviewedRun {
            conflict: here.contains(&run.id),
            path: run.path.unwrap_or_default(),
            id: run.id,
            files: run.files,
        });
        Ok(ImportPreview {
            runs: runs.collect(),
            total_files,
            token: self.writes.previews.keep(upload),
        })
    }

    /// The archive of a preview, once.
    pub fn take_previewed(&self, token: &str) -> Option<Upload> {
        self.writes.previews.take(token)
    }

    /// Imports the runs of an archive; those whose id is here already are skipped.
    pub fn import(
        &self,
        upload: &Upload,
        mode: ImportMode,
        limits: ArchiveLimits,
    ) -> Result<Imported, ImportProblem> {
        let (mut archive, mut runs, _) = look_into(upload, limits)?;
        let mut taken = self.ids_here()?;
        let mut imported = Imported {
            isolate_base: (mode == ImportMode::Isolate)
                .then(|| format!("imports/{}", super::time_stamp())),
            ..Imported::default()
        };
        let mut skipped = BTreeSet::new();
        runs.retain(|_, run| {
            let new = taken.insert(run.id.clone());
            if !new {
                skipped.insert(run.id.clone());
            }
            new
        });
        imported.skipped = skipped.into_iter().collect();
        if runs.is_empty() {
            return Ok(imported);
        }
        let journal = self.writes.journal()?;
        let stage = journal.work_path("import");
        let give_up = [Step::Discard {
            path: stage.clone(),
        }];
        let failed = |error: io::Error| StoreError::io(self.root(), error);
        let announced = journal.announce(&give_up).map_err(failed)?;
        match self.stage(&journal, &mut archive, &runs, &stage, &mut imported) {
            Ok(steps) => announced.commit(&steps).map_err(|error| {
                drop(journal.apply(&give_up));
                failed(error)
            })?,
            Err(problem) => {
                announced.abandon(&give_up).map_err(failed)?;
                return Err(problem);
            }
        }
        imported.directories.sort();
        imported.ids.sort();
        let ids: Vec<RunId> = imported
            .ids
            .iter()
            .filter_map(|id| RunId::new(id.as_str()).ok())
            .collect();
        self.after_write(&ids);
        Ok(imported)
    }

    /// Ids of all runs, recycled ones too.
    fn ids_here(&self) -> Result<BTreeSet<String>, StoreError> {
        let root = self.root_dir()?;
        Ok(crate::index::discover::discover(&root)
            .into_iter()
            .filter_map(|run| run.directory.rsplit('/').next().map(str::to_owned))
            .collect())
    }

    /// Unpacks into `stage` and says which steps put it in place.
    fn stage(
        &self,
        journal: &Journal,
        archive: &mut OpenArchive,
        runs: &BTreeMap<Vec<String>, ArchivedRun>,
        stage: &str,
        imported: &mut Imported,
    ) -> Result<Vec<Step>, ImportProblem> {
        let root = std::sync::Arc::new(RootDir {
            path: self.root().to_owned(),
            dir: journal
                .root_dir()
                .map_err(|error| StoreError::io(self.root(), error))?,
        });
        let places: BTreeMap<&Vec<String>, String> = runs
            .keys()
            .enumerate()
            .map(|(number, folder)| (folder, format!("{stage}/{number}")))
            .collect();
        let mut disk = None;
        let unpacked = archive.each(|entry| {
            let Some(name) = &entry.name else {
                return Ok(());
            };
            let folder = if runs.contains_key(name) {
                Some(name.clone())
            } else {
                folder_of(name, runs)
            };
            let Some(place) = folder.as_ref().and_then(|folder| places.get(folder)) else {
                return Ok(());
            };
            let inside = name
                .get(folder.as_ref().map_or(0, Vec::len)..)
                .unwrap_or_default()
                .join("/");
            let target = if inside.is_empty() {
                place.clone()
            } else {
                format!("{place}/{inside}")
            };
            match entry.content {
                Some(_) if inside.is_empty() => Ok(()),
                Some(content) => {
                    write_file(&root, &target, content, &mut disk)?;
                    imported.files += 1;
                    Ok(())
                }
                None => root
                    .dir
                    .create_dir_all(&target)
                    .inspect_err(|_| disk = Some(target.clone())),
            }
        });
        unpacked.map_err(|error| match disk {
            // a name that is a file and a folder at once is the archive's fault
            Some(path)
                if !matches!(
                    error.kind(),
                    io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory
                ) =>
            {
                StoreError::io(self.root().join(path), error).into()
            }
            _ => archive_problem(&error),
        })?;
        let mut steps = Vec::new();
        let mut rows = Vec::new();
        for (folder, run) in runs {
            let Some(place) = places.get(folder) else {
                continue;
            };
            let (directory, path) =
                settle_meta(&root, run, place, imported.isolate_base.as_deref())?;
            if exists(&root.dir, &directory)
                .map_err(|error| StoreError::io(self.root().join(&directory), error))?
            {
                return Err(StoreError::io(
                    self.root().join(&directory),
                    io::ErrorKind::AlreadyExists.into(),
                )
                .into());
            }
            rows.push(imported_row(&root, place, run, &directory, &path));
            steps.push(Step::Rename {
                from: place.clone(),
                to: directory.clone(),
            });
            imported.directories.push(directory);
            imported.ids.push(run.id.clone());
        }
        steps.push(Step::Discard {
            path: stage.to_owned(),
        });
        steps.push(Step::Rows { changes: rows });
        Ok(steps)
    }
}

/// The archive, its runs by their folders in it, and how many files it has.
type LookedInto = (OpenArchive, BTreeMap<Vec<String>, ArchivedRun>, u64);

fn look_into(upload: &Upload, limits: ArchiveLimits) -> Result<LookedInto, ImportProblem> {
    let mut archive = OpenArchive::open(upload, limits).map_err(|error| archive_problem(&error))?;
    let (mut files, mut total) = (Vec::new(), 0);
    archive
        .each(|entry| {
            if entry.content.is_some() {
                total += 1;
                files.extend(entry.name);
            } else if entry.name.is_none() {
                total += 1;
            }
            Ok(())
        })
        .map_err(|error| archive_problem(&error))?;
    let runs = runs_among(files.iter().map(Vec::as_slice));
    Ok((archive, runs, total))
}

fn archive_problem(error: &io::Error) -> ImportProblem {
    ImportProblem::Archive(error.to_string())
}

/// Writes one file of a run. What goes wrong on our side (`disk`) is told apart from a damaged archive.
fn write_file(
    root: &RootDir,
    target: &str,
    content: &mut dyn io::Read,
    disk: &mut Option<String>,
) -> io::Result<()> {
    let ours = |error| {
        *disk = Some(target.to_owned());
        error
    };
    let mut buffer = vec![0; 1 << 16];
    if let Some((parent, _)) = target.rsplit_once('/') {
        root.dir.create_dir_all(parent).map_err(ours)?;
    }
    let mut file = match root.dir.open_with(
        target,
        cap_std::fs::OpenOptions::new().write(true).create_new(true),
    ) {
        Ok(file) => file,
        Err(error) => {
            *disk = Some(target.to_owned());
            return Err(error);
        }
    };
    loop {
        let read = content.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        if let Err(error) = io::Write::write_all(&mut file, buffer.get(..read).unwrap_or_default())
        {
            *disk = Some(target.to_owned());
            return Err(error);
        }
    }
    file.sync_data()
        .inspect_err(|_| *disk = Some(target.to_owned()))
}

/// Makes `path` in `meta.json` what the folder says, so that every reader agrees; answers directory and path.
fn settle_meta(
    root: &RootDir,
    run: &ArchivedRun,
    place: &str,
    isolate: Option<&str>,
) -> Result<(String, String), StoreError> {
    let meta_file = format!("{place}/{}", layout::META);
    let text = read_text(&root.dir, &meta_file).ok().flatten();
    let mut meta = text
        .as_deref()
        .and_then(|text| parse_keeping_all(text).ok());
    let meta_path = meta
        .as_ref()
        .and_then(|meta| meta.get("path"))
        .and_then(Value::as_str)
        .map(str::to_owned);
    let (directory, path) = target_directory(run, meta_path.as_deref(), isolate);
    if let Some(meta) = meta.as_mut().filter(|_| !run.legacy || isolate.is_some())
        && meta_path.as_deref() != Some(path.as_str())
    {
        meta.insert("path".to_owned(), Value::String(path.clone()));
        root.dir
            .write(&meta_file, dump_keeping_all(meta))
            .map_err(|error| StoreError::io(&meta_file, error))?;
    }
    // a marker that came along would hide the run as soon as it is there
    drop(root.dir.remove_file(format!("{place}/{}", layout::DELETED)));
    Ok((directory, path))
}

fn imported_row(
    root: &std::sync::Arc<RootDir>,
    place: &str,
    run: &ArchivedRun,
    directory: &str,
    path: &str,
) -> RowChange {
    let mut row = ImportedRow {
        id: run.id.clone(),
        path: path.to_owned(),
        run_dir: root.path.join(directory).to_string_lossy().into_owned(),
        status: "finished".to_owned(),
        ..ImportedRow::default()
    };
    if let Ok(staged) = RunDir::new(std::sync::Arc::clone(root), place, Layout::Current, false) {
        let read = read_row(&staged);
        row.alias = read.alias;
        row.created_at = read.created_at;
        row.started_at = read.started_at;
        row.ended_at = read.ended_at;
        row.status = read.recorded_status;
        row.pid = read.pid;
        row.hostname = read.hostname;
        row.best_metric_name = read.best_metric_name;
        row.best_metric_value = read.best_metric_value;
        row.best_metric_step = read.best_metric_step;
        row.best_metric_mode = read.best_metric_mode;
        row.tags = read.tags;
    }
    RowChange::Imported(Box::new(row))
}

/// 128 bits that nobody can guess, from the hasher keys the system seeds.
fn random_token() -> String {
    use std::hash::{BuildHasher as _, RandomState};
    let half = || RandomState::new().hash_one(Instant::now());
    format!("{:016x}{:016x}", half(), half())
}
