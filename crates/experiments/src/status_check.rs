//! The documented status check: the one place where a verdict about a dead run is written into its `status.json`.
//!
//! The SDK's own lock is held while the file is read again and replaced, so a run that ends at the same moment keeps its own word.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use cap_std::fs::OpenOptions;
use serde_json::{Number, Value};

use crate::edit::{dump_keeping_all, parse_keeping_all};
use crate::error::StoreError;
use crate::journal::{Step, read_text};
use crate::layout;
use crate::liveness::{Look, ProcessState, now};
use crate::run::{RunId, RunStatus};
use crate::run_dir::RunDir;
use crate::sdk_database::RowChange;
use crate::store::RunStore;

/// A program that holds the lock longer than this is writing for itself.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);

/// What a status check saw and did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StatusCheck {
    /// Runs that were recorded as running.
    pub checked: u64,
    /// Runs whose file says from now on that they failed.
    pub updated: u64,
}

impl RunStore {
    /// Looks at every run that is recorded as running, and writes into those whose process is gone that they failed.
    pub fn check_statuses(&self) -> Result<StatusCheck, StoreError> {
        let root = self.root_dir()?;
        let list = self.newest_list();
        let mut look = Look::new(self.host_name(), self.root(), self.processes());
        let mut check = StatusCheck::default();
        let mut written = Vec::new();
        for row in list.rows() {
            if RunStatus::from_word(&row.recorded_status) != RunStatus::Running {
                continue;
            }
            check.checked += 1;
            if look.process_of(row) != ProcessState::Gone {
                continue;
            }
            let run = RunDir::new(root.clone(), &row.directory, row.layout, false)?;
            match self.write_failed(&run) {
                Ok(true) => {
                    check.updated += 1;
                    written.push(run.id);
                }
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, run = %row.id, "its status cannot be written"),
            }
        }
        if !written.is_empty() {
            self.after_write(&written);
        }
        Ok(check)
    }

    /// Writes that a run failed, unless its file says something else by now.
    fn write_failed(&self, run: &RunDir) -> Result<bool, StoreError> {
        let file = run.dir.join(layout::STATUS);
        let _lock = lock(run)?;
        let path = format!("{}/{}", run.directory, layout::STATUS);
        let old =
            read_text(&run.root().dir, &path).map_err(|error| StoreError::io(&file, error))?;
        let Some(Ok(mut status)) = old.as_deref().map(parse_keeping_all) else {
            return Ok(false);
        };
        if status.get("status").and_then(Value::as_str) != Some("running") {
            return Ok(false);
        }
        let ended_at = now();
        let time = Number::from_f64(ended_at).map_or(Value::Null, Value::Number);
        status.insert("status".to_owned(), "failed".into());
        status.insert("ended_at".to_owned(), time);
        status.insert("exit_reason".to_owned(), "process_not_found".into());
        let replace = Step::Replace {
            path,
            old,
            new: dump_keeping_all(&status),
        };
        let rows = Step::Rows {
            changes: vec![ended(&run.id, ended_at)],
        };
        self.carry_out(&[replace, rows])
            .map_err(|error| StoreError::io(&file, error))?;
        Ok(true)
    }
}

fn ended(id: &RunId, ended_at: f64) -> RowChange {
    RowChange::Failed {
        id: id.to_string(),
        ended_at,
        exit_reason: "process_not_found".to_owned(),
    }
}

/// Takes the lock that the SDK takes for `status.json`.
fn lock(run: &RunDir) -> Result<File, StoreError> {
    let name = layout::lock_name(layout::STATUS);
    let path = run.dir.join(&name);
    let mut options = OpenOptions::new();
    options.write(true).create(true);
    let opened = run
        .root()
        .dir
        .open_with(Path::new(&run.directory).join(&name), &options);
    let file = opened
        .map_err(|error| StoreError::io(&path, error))?
        .into_std();
    let until = Instant::now() + LOCK_PATIENCE;
    while file.try_lock().is_err() {
        if Instant::now() > until {
            return Err(StoreError::Busy { what: name });
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(file)
}
