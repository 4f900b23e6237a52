//! Moving runs to another path, making an empty path, deleting all runs under a path.

use std::io;
use std::sync::Arc;

use serde_json::Value;

use crate::edit::{dump_keeping_all, parse_keeping_all};
use crate::error::StoreError;
use crate::journal::{Step, exists, read_text};
use crate::layout;
use crate::recycle_bin::DeleteReason;
use crate::run::{RunPath, StatusReason};
use crate::run_dir::RootDir;
use crate::sdk_database::{RowChange, has_experiments};
use crate::store::RunStore;

/// Deepest folder that is tidied.
const MAX_DEPTH: usize = 128;

/// Why a run did not move.
#[derive(Debug, thiserror::Error)]
pub enum MoveProblem {
    /// There is no such run.
    #[error("run not found")]
    NotFound,
    /// A folder of that name is there already.
    #[error("target directory already exists")]
    TargetExists,
    /// Its program still writes into its folder and would lose it.
    #[error("run is still being written")]
    StillWritten,
    /// Anything else.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What came of deleting a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeletedPath {
    /// Runs that went to the recycle bin.
    pub deleted: u64,
    /// One sentence for each that did not.
    pub problems: Vec<String>,
}

impl RunStore {
    /// Moves a run under `runs/<target>`; answers the path it had.
    pub fn move_run(&self, id: &str, target: &RunPath) -> Result<RunPath, MoveProblem> {
        let run = match self.find(id) {
            Err(StoreError::RunNotFound { .. } | StoreError::InvalidRunId { .. }) => {
                return Err(MoveProblem::NotFound);
            }
            other => other?,
        };
        let to = layout::run_directory(target.as_str(), id);
        if to == run.directory {
            return Ok(run.path);
        }
        if matches!(
            self.row_of(&run).reason,
            StatusReason::ProcessAlive | StatusReason::Growing
        ) {
            return Err(MoveProblem::StillWritten);
        }
        let root = Arc::clone(run.root());
        if inside_a_run(&root, target) {
            return Err(StoreError::InvalidPath {
                path: target.to_string(),
                detail: "path lies inside a run".to_owned(),
            }
            .into());
        }
        let mut steps = vec![Step::Rename {
            from: run.directory.clone(),
            to: to.clone(),
        }];
        let meta = format!("{}/{}", run.directory, layout::META);
        if let Ok(Some(old)) = read_text(&root.dir, &meta)
            && let Ok(mut object) = parse_keeping_all(&old)
        {
            object.insert("path".to_owned(), Value::String(target.to_string()));
            steps.push(Step::Replace {
                path: format!("{to}/{}", layout::META),
                old: Some(old),
                new: dump_keeping_all(&object),
            });
        }
        let run_dir = root.path.join(&to).to_string_lossy().into_owned();
        steps.push(Step::Rows {
            changes: vec![RowChange::Moved {
                id: id.to_owned(),
                run_dir,
                path: target.to_string(),
            }],
        });
        match self.carry_out(&steps) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(MoveProblem::TargetExists)
            }
            Err(error) => Err(StoreError::io(&run.dir, error).into()),
            Ok(()) => {
                self.after_write(std::slice::from_ref(&run.id));
                Ok(run.path)
            }
        }
    }

    /// Makes an empty folder below `runs/`; false when something is there already.
    pub fn create_path(&self, path: &RunPath) -> Result<bool, StoreError> {
        let root = self.root_dir()?;
        let folder = layout::join(&[layout::RUNS, path.as_str()]);
        let failed = |error| StoreError::io(root.path.join(&folder), error);
        if exists(&root.dir, &folder).map_err(failed)? {
            return Ok(false);
        }
        if inside_a_run(&root, path) {
            return Err(StoreError::InvalidPath {
                path: path.to_string(),
                detail: "path lies inside a run".to_owned(),
            });
        }
        root.dir.create_dir_all(&folder).map_err(failed)?;
        self.after_write(&[]);
        Ok(true)
    }

    /// Puts every run of a path into the recycle bin: `exact` only those at the path itself, else those below it too. Folders that
    /// are empty afterwards go with it; nothing else does.
    pub fn soft_delete_path(&self, path: &str, exact: bool) -> Result<DeletedPath, StoreError> {
        let root = self.root_dir()?;
        let moves = has_experiments(self.root(), self.writes.state_dir());
        let mut outcome = DeletedPath::default();
        let list = self.newest_list();
        for row in list.rows() {
            let fits = if exact {
                row.path.as_str() == path
            } else {
                row.path.is_within(path)
            };
            if !fits || row.path.as_str().is_empty() {
                continue;
            }
            let deleted =
                crate::run_dir::RunDir::new(Arc::clone(&root), &row.directory, row.layout, false)
                    .and_then(|run| self.soft_delete_dir(&run, DeleteReason::Path, moves));
            match deleted {
                Ok(()) => outcome.deleted += 1,
                Err(error) => outcome
                    .problems
                    .push(format!("Failed to delete {}: {error}", row.id)),
            }
        }
        if let Some(folder) = folder_of(path) {
            remove_empty_folders(&root, &folder, exact);
        }
        self.after_write(&[]);
        Ok(outcome)
    }
}

/// The folder below `runs/` that a path names, if it can only be that.
fn folder_of(path: &str) -> Option<String> {
    let safe = crate::recycle_bin::safe_path(path);
    (safe.as_str() == path && !path.is_empty()).then(|| layout::join(&[layout::RUNS, path]))
}

/// True if a folder on the way to `path` is a run.
fn inside_a_run(root: &RootDir, path: &RunPath) -> bool {
    let mut folder = layout::RUNS.to_owned();
    path.segments().any(|segment| {
        folder = format!("{folder}/{segment}");
        is_run(root, &folder)
    })
}

fn is_run(root: &RootDir, folder: &str) -> bool {
    layout::RUN_MARKERS.iter().any(|marker| {
        root.dir
            .symlink_metadata(format!("{folder}/{marker}"))
            .is_ok()
    })
}

/// Removes empty folders from the leaves up, never a run and never into a link.
fn remove_empty_folders(root: &RootDir, folder: &str, only_this: bool) {
    if !only_this {
        remove_empty_below(root, folder, 0);
    }
    drop(root.dir.remove_dir(folder));
}

fn remove_empty_below(root: &RootDir, folder: &str, depth: usize) {
    if depth > MAX_DEPTH || is_run(root, folder) {
        return;
    }
    let Ok(entries) = root.dir.read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            let below = format!("{folder}/{name}");
            if !is_run(root, &below) {
                remove_empty_below(root, &below, depth + 1);
                drop(root.dir.remove_dir(&below));
            }
        }
    }
}
