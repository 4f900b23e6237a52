//! The recycle bin: delete softly, list, restore, empty. Deleting for ever with its assets is in `assets::purge`.
//!
//! A root with a 0.7 database moves deleted runs to `runs/.recycle/<id>`; every other root marks them in place with `.deleted`. A
//! run that is still being written is marked where it is (its program must not lose its folder) and moved when it ends.

use std::io;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use crate::edit::dump_keeping_all;
use crate::error::StoreError;
use crate::index::record::read_row;
use crate::journal::{Step, read_text};
use crate::json;
use crate::layout;
use crate::run::{Layout, RunId, RunPath, RunRow, RunStatus};
use crate::run_dir::RunDir;
use crate::sdk_database::{RowChange, has_experiments};
use crate::store::RunStore;

/// Longest `.deleted` that is read, in bytes.
const MARKER_LIMIT_BYTES: u64 = 1 << 20;
/// Member of our `.deleted` that names the folder of a run of the old layout.
const ORIGINAL_DIRECTORY: &str = "original_directory";

/// Why a run was deleted, as the marker says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeleteReason {
    /// The run itself was chosen.
    User,
    /// It lay under a path that was deleted.
    Path,
}

impl DeleteReason {
    /// The word in `.deleted`.
    pub fn word(self) -> &'static str {
        match self {
            Self::User => "user_deleted",
            Self::Path => "path_batch_delete",
        }
    }
}

/// Why a run could not be restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreProblem {
    /// There is no such run.
    #[error("run not found")]
    NotFound,
    /// The run is not in the recycle bin.
    #[error("run not deleted")]
    NotDeleted,
    /// Another run of that name lies where it came from.
    #[error("conflict")]
    Conflict,
    /// Anything else.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A run in the recycle bin.
#[derive(Clone, Debug)]
pub struct RecycledRun {
    /// What its files say.
    pub row: Arc<RunRow>,
    /// Where it came from: `original_path` of the marker, `path` of `meta.json`, else its folder.
    pub path: String,
    /// When it was deleted, Unix seconds.
    pub deleted_at: Option<f64>,
    /// Word of the marker, `unknown` without one.
    pub reason: String,
    /// Status word when it was deleted, `unknown` without a marker.
    pub original_status: String,
}

impl RunStore {
    /// Puts a run into the recycle bin.
    pub fn soft_delete(&self, id: &str, reason: DeleteReason) -> Result<(), StoreError> {
        let run = self.find(id)?;
        let moves = has_experiments(self.root(), self.writes.state_dir());
        self.soft_delete_dir(&run, reason, moves)
    }

    pub(crate) fn soft_delete_dir(
        &self,
        run: &RunDir,
        reason: DeleteReason,
        moves: bool,
    ) -> Result<(), StoreError> {
        let row = self.row_of(run);
        let live = RunStatus::from_word(&row.status) == RunStatus::Running;
        let deleted_at = now_secs();
        let marker_path = format!("{}/{}", run.directory, layout::DELETED);
        let old = read_text(&run.root().dir, &marker_path)
            .map_err(|error| StoreError::io(run.dir.join(layout::DELETED), error))?;
        let mut steps = vec![Step::Replace {
            path: marker_path,
            old,
            new: marker(run, &row, reason, deleted_at, moves),
        }];
        let mut run_dir = run.dir.clone();
        if moves && !live {
            let bin = layout::recycled_directory(run.id.as_str());
            run_dir = run.root().path.join(&bin);
            steps.push(Step::Rename {
                from: run.directory.clone(),
                to: bin,
            });
        }
        if moves {
            let row = RowChange::Deleted {
                id: run.id.to_string(),
                deleted_at,
                reason: reason.word().to_owned(),
                run_dir: run_dir.to_string_lossy().into_owned(),
            };
            steps.push(Step::Rows { changes: vec![row] });
        }
        self.carry_out(&steps)
            .map_err(|error| StoreError::io(&run.dir, error))?;
        self.after_write(std::slice::from_ref(&run.id));
        if moves && live {
            self.look_after_what_waits();
        }
        Ok(())
    }

    /// Brings a run back to where it came from.
    pub fn restore(&self, id: &str) -> Result<(), RestoreProblem> {
        let run = match self.find_deleted(id) {
            Ok(run) => run,
            Err(StoreError::RunNotFound { .. }) if self.find(id).is_ok() => {
                return Err(RestoreProblem::NotDeleted);
            }
            Err(StoreError::RunNotFound { .. } | StoreError::InvalidRunId { .. }) => {
                return Err(RestoreProblem::NotFound);
            }
            Err(error) => return Err(error.into()),
        };
        let target = if run.layout == Layout::Recycled {
            original_directory(&run)
        } else {
            run.directory.clone()
        };
        let mut steps = Vec::new();
        if target != run.directory {
            steps.push(Step::Rename {
                from: run.directory.clone(),
                to: target.clone(),
            });
        }
        steps.push(Step::Remove {
            path: format!("{target}/{}", layout::DELETED),
        });
        let run_dir = run.root().path.join(&target).to_string_lossy().into_owned();
        steps.push(Step::Rows {
            changes: vec![RowChange::Restored {
                id: run.id.to_string(),
                run_dir,
                path: None,
            }],
        });
        match self.carry_out(&steps) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(RestoreProblem::Conflict)
            }
            Err(error) => Err(StoreError::io(&run.dir, error).into()),
            Ok(()) => {
                self.after_write(&[run.id]);
                Ok(())
            }
        }
    }

    /// The recycle bin, newest deletion first.
    pub fn recycled(&self) -> Vec<RecycledRun> {
        let Ok(root) = self.root_dir() else {
            return Vec::new();
        };
        let list = self.settled_list();
        let mut runs: Vec<RecycledRun> = list
            .deleted()
            .iter()
            .map(|row| {
                let marker = RunDir::new(Arc::clone(&root), &row.directory, row.layout, true)
                    .map(|run| read_marker(&run))
                    .unwrap_or_default();
                let text = |name: &str| {
                    marker
                        .get(name)
                        .and_then(Value::as_str)
                        .unwrap_or("unknown")
                        .to_owned()
                };
                let original = marker
                    .get("original_path")
                    .and_then(Value::as_str)
                    .map(str::to_owned);
                RecycledRun {
                    path: original
                        .or_else(|| row.meta_path.clone())
                        .unwrap_or_else(|| row.path.to_string()),
                    deleted_at: marker.get("deleted_at").and_then(Value::as_f64),
                    reason: text("reason"),
                    original_status: text("original_status"),
                    row: Arc::clone(row),
                }
            })
            .collect();
        runs.sort_by(|a, b| {
            b.deleted_at
                .unwrap_or(0.0)
                .total_cmp(&a.deleted_at.unwrap_or(0.0))
        });
        runs
    }

    /// Removes every run of the recycle bin for ever (not its assets) and says how many went, and what would not.
    pub fn empty_recycle_bin(&self) -> (u64, Vec<String>) {
        let (mut removed, mut problems, mut gone) = (0, Vec::new(), Vec::new());
        for row in self.newest_list().deleted() {
            let steps = vec![
                Step::Discard {
                    path: row.directory.clone(),
                },
                Step::Rows {
                    changes: vec![RowChange::Purged {
                        id: row.id.to_string(),
                        index_too: false,
                    }],
                },
            ];
            match self.carry_out(&steps) {
                Ok(()) => {
                    removed += 1;
                    gone.push(row.id.clone());
                }
                Err(error) => problems.push(format!("{}: {error}", row.id)),
            }
        }
        self.after_write(&gone);
        (removed, problems)
    }

    /// True if a run waits in place, marked, for the day it ends.
    pub(crate) fn has_deleted_live_runs(&self) -> bool {
        let waits = self
            .list()
            .deleted()
            .iter()
            .any(|row| row.layout != Layout::Recycled);
        waits && has_experiments(self.root(), self.writes.state_dir())
    }

    /// Moves marked runs that have ended to the bin; true when none is left to wait for.
    pub(crate) fn move_ended_deleted_runs(&self) -> bool {
        if !self.has_deleted_live_runs() {
            return true;
        }
        let (mut all, mut moved) = (true, Vec::new());
        for row in self
            .list()
            .deleted()
            .iter()
            .filter(|row| row.layout != Layout::Recycled)
        {
            if row.state() == RunStatus::Running {
                all = false;
                continue;
            }
            match self.move_to_bin(row) {
                Ok(true) => moved.push(row.id.clone()),
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(%error, run = %row.id, "a deleted run stays where it is");
                }
            }
        }
        self.after_write(&moved);
        all
    }

    /// Moves a marked run to the bin; false when its marker is gone, because somebody restored it meanwhile.
    fn move_to_bin(&self, row: &RunRow) -> Result<bool, StoreError> {
        let run = RunDir::new(self.root_dir()?, &row.directory, row.layout, true)?;
        let path = format!("{}/{}", run.directory, layout::DELETED);
        let failed = |error| StoreError::io(run.dir.join(layout::DELETED), error);
        let Some(marker) = read_text(&run.root().dir, &path).map_err(failed)? else {
            return Ok(false);
        };
        let bin = layout::recycled_directory(run.id.as_str());
        let deleted_at = read_marker(&run).get("deleted_at").and_then(Value::as_f64);
        let row = RowChange::Deleted {
            id: run.id.to_string(),
            deleted_at: deleted_at.unwrap_or_else(now_secs),
            reason: DeleteReason::User.word().to_owned(),
            run_dir: self.root().join(&bin).to_string_lossy().into_owned(),
        };
        let steps = [
            Step::unless_changed(path, marker),
            Step::Rename {
                from: run.directory.clone(),
                to: bin,
            },
            Step::Rows { changes: vec![row] },
        ];
        match self.carry_out(&steps) {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(false),
            outcome => outcome
                .map(|()| true)
                .map_err(|error| StoreError::io(&run.dir, error)),
        }
    }

    pub(crate) fn carry_out(&self, steps: &[Step]) -> io::Result<()> {
        let journal = self.writes.journal().map_err(StoreError::into_io)?;
        journal.apply(steps)
    }

    /// After a change of ours: the list shows it at once, and rows that had to wait are looked after.
    pub(crate) fn after_write(&self, runs: &[RunId]) {
        self.touch(runs);
        if self
            .writes
            .journal()
            .is_ok_and(|journal| journal.rows().has_waiting())
        {
            self.look_after_what_waits();
        }
    }

    /// The row of a run, from the list or read now.
    pub(crate) fn row_of(&self, run: &RunDir) -> Arc<RunRow> {
        let list = self.list();
        let listed = list
            .rows()
            .chain(list.deleted())
            .find(|row| row.directory == run.directory);
        listed.map_or_else(|| Arc::new(read_row(run)), Arc::clone)
    }
}

fn marker(
    run: &RunDir,
    row: &RunRow,
    reason: DeleteReason,
    deleted_at: f64,
    moves: bool,
) -> String {
    let mut marker = Map::new();
    marker.insert("deleted_at".to_owned(), json!(deleted_at));
    marker.insert("reason".to_owned(), json!(reason.word()));
    marker.insert("original_status".to_owned(), json!(row.status));
    if moves {
        marker.insert("original_path".to_owned(), json!(run.path.as_str()));
        if run.layout == Layout::Legacy {
            marker.insert(ORIGINAL_DIRECTORY.to_owned(), json!(run.directory));
        }
    }
    dump_keeping_all(&marker)
}

pub(crate) fn read_marker(run: &RunDir) -> Map<String, Value> {
    run.read(layout::DELETED, MARKER_LIMIT_BYTES)
        .ok()
        .and_then(|bytes| json::parse_object(&bytes).ok())
        .unwrap_or_default()
}

/// Where a recycled run belongs. The marker is hostile: what could be another place than a folder of runs falls out.
fn original_directory(run: &RunDir) -> String {
    let marker = read_marker(run);
    let id = run.id.as_str();
    if let Some(directory) = marker.get(ORIGINAL_DIRECTORY).and_then(Value::as_str) {
        let parts: Vec<&str> = directory.split('/').collect();
        if let [project, name, layout::RUNS, last] = parts.as_slice()
            && *last == id
            && [project, name].iter().all(|part| is_plain(part))
            && !layout::NOT_PROJECTS.contains(project)
        {
            return directory.to_owned();
        }
    }
    let meta = run
        .read(layout::META, MARKER_LIMIT_BYTES)
        .ok()
        .and_then(|bytes| json::parse_object(&bytes).ok())
        .unwrap_or_default();
    let path = marker
        .get("original_path")
        .and_then(Value::as_str)
        .or_else(|| meta.get("path").and_then(Value::as_str))
        .unwrap_or_default();
    layout::run_directory(safe_path(path).as_str(), id)
}

/// A path for a folder below `runs/`, without anything that is not a plain name.
pub(crate) fn safe_path(path: &str) -> RunPath {
    let cleaned = RunPath::from_directory(path);
    let plain: Vec<&str> = cleaned
        .segments()
        .filter(|segment| is_plain(segment))
        .collect();
    RunPath::from_directory(&plain.join("/"))
}

fn is_plain(segment: &str) -> bool {
    let special = matches!(segment, "" | "." | ".." | layout::RECYCLE);
    let other_place =
        segment.contains(['/', '\\', '\0']) || (cfg!(windows) && segment.contains(':'));
    !special && !other_place
}

pub(crate) fn now_secs() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |age| age.as_secs_f64())
}
