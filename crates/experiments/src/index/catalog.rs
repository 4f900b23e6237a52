//! What is known of a root between passes: its folders, its runs, their stamps.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use super::discover::{Folders, FoundRun, Walk, WalkOutcome};
use super::record::{OpenRun, Place, RunStamps, now_ns};
use crate::liveness::Look;
use crate::run::{RunRow, RunStatus, StatusReason};
use crate::run_dir::{RootDir, RunDir};

/// A list this long is read by two threads.
const WORTH_TWO_THREADS: usize = 64;
/// `last_write_at` of a growing run is published at most this often.
const GROWTH_STEP_SECS: f64 = 2.0;

/// A run that is known.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) stamps: RunStamps,
    pub(crate) row: Arc<RunRow>,
    /// Looked at in the next pass, whatever is watched; read again if `racy`.
    pub(crate) dirty: bool,
    pub(crate) racy: bool,
    pub(crate) watched: bool,
}

impl Entry {
    pub(crate) fn is_live(&self) -> bool {
        self.row.state() == RunStatus::Running
    }
}

/// Everything that is known of a root.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    pub(crate) folders: Folders,
    pub(crate) entries: HashMap<String, Entry>,
    pub(crate) order: Vec<FoundRun>,
    /// Rows that are not in the index database as they are here; `None` is a row that is gone.
    pub(crate) unsaved: HashSet<String>,
}

/// What a look at one run gave.
enum Checked {
    Same,
    Grown(Box<RunStamps>),
    Read(Box<Entry>),
    Gone,
}

/// What a pass over a block of runs changed.
#[derive(Debug, Default)]
pub(crate) struct BlockOutcome {
    pub(crate) read: u64,
    pub(crate) grown: Vec<Arc<RunRow>>,
}

impl Catalog {
    /// Walks the folders; `order` is the new list of runs, and those that are gone are forgotten.
    pub(crate) fn walk(&mut self, root: &RootDir, trust_watched: bool) -> WalkOutcome {
        let entries = &self.entries;
        let is_known_run = |directory: &str| entries.contains_key(directory);
        let walk = Walk::new(root, &mut self.folders, &is_known_run, trust_watched);
        let (order, outcome) = walk.run();
        self.order = order;
        if self.order.len() != self.entries.len()
            || self
                .order
                .iter()
                .any(|run| !self.entries.contains_key(&run.directory))
        {
            let found: HashSet<&str> = self
                .order
                .iter()
                .map(|run| run.directory.as_str())
                .collect();
            let unsaved = &mut self.unsaved;
            self.entries.retain(|directory, _| {
                let stays = found.contains(directory.as_str());
                if !stays {
                    unsaved.insert(directory.clone());
                }
                stays
            });
        }
        outcome
    }

    /// The runs that must be looked at, newest name first.
    pub(crate) fn due(&self, is_due: impl Fn(&Entry) -> bool) -> Vec<FoundRun> {
        let name = |run: &FoundRun| run.directory.rsplit('/').next().map(str::to_owned);
        let due = self
            .order
            .iter()
            .filter(|run| self.entries.get(&run.directory).is_none_or(&is_due));
        let mut due: Vec<FoundRun> = due.cloned().collect();
        due.sort_by_cached_key(|run| std::cmp::Reverse(name(run)));
        due
    }

    /// Looks at a block of runs, by two threads when it is large.
    pub(crate) fn check(&mut self, root: &Arc<RootDir>, block: &[FoundRun]) -> BlockOutcome {
        let entries = &self.entries;
        let check = |run: &FoundRun| check(root, run, entries.get(&run.directory));
        let checked: Vec<(usize, Checked)> = if block.len() < WORTH_TWO_THREADS {
            block.iter().map(check).enumerate().collect()
        } else {
            by_two_threads(block, &check)
        };
        let mut outcome = BlockOutcome::default();
        for (at, checked) in checked {
            let Some(run) = block.get(at) else { continue };
            self.take(run, checked, &mut outcome);
        }
        outcome
    }

    fn take(&mut self, run: &FoundRun, checked: Checked, outcome: &mut BlockOutcome) {
        match checked {
            Checked::Same => {
                if let Some(entry) = self.entries.get_mut(&run.directory) {
                    entry.dirty = false;
                    entry.racy = false;
                }
            }
            Checked::Grown(stamps) => {
                if let Some(entry) = self.entries.get_mut(&run.directory) {
                    entry.grow(&stamps);
                    outcome.grown.push(Arc::clone(&entry.row));
                }
            }
            Checked::Read(mut entry) => {
                outcome.read += 1;
                if let Some(old) = self.entries.get(&run.directory) {
                    entry.watched = old.watched;
                    if !old.stamps.same_growth(&entry.stamps) {
                        outcome.grown.push(Arc::clone(&entry.row));
                    }
                }
                self.unsaved.insert(run.directory.clone());
                self.entries.insert(run.directory.clone(), *entry);
            }
            Checked::Gone => {
                if self.entries.remove(&run.directory).is_some() {
                    self.unsaved.insert(run.directory.clone());
                }
            }
        }
    }

    /// Asks about the processes of the runs that are recorded as running.
    pub(crate) fn judge(&mut self, look: &mut Look<'_>) {
        for entry in self.entries.values_mut() {
            if RunStatus::from_word(&entry.row.recorded_status) != RunStatus::Running {
                continue;
            }
            let (status, reason) = look.verdict(&entry.row);
            if entry.row.status != status || entry.row.reason != reason {
                let row = Arc::make_mut(&mut entry.row);
                row.status = status;
                row.reason = reason;
            }
        }
    }

    /// The rows that are known, in the order in which a lookup by id meets them.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Arc<RunRow>> {
        let entries = self
            .order
            .iter()
            .filter_map(|run| self.entries.get(&run.directory));
        entries.map(|entry| Arc::clone(&entry.row))
    }
}

impl Entry {
    fn grow(&mut self, stamps: &RunStamps) {
        self.stamps = *stamps;
        self.dirty = false;
        let (before, now) = (
            self.row.last_write_at.unwrap_or_default(),
            stamps.last_write_at(),
        );
        if now.is_some_and(|now| (now - before).abs() >= GROWTH_STEP_SECS) {
            Arc::make_mut(&mut self.row).last_write_at = now;
        }
    }
}

fn by_two_threads(
    block: &[FoundRun],
    check: &(dyn Fn(&FoundRun) -> Checked + Sync),
) -> Vec<(usize, Checked)> {
    let next = AtomicUsize::new(0);
    let all = Mutex::new(Vec::with_capacity(block.len()));
    let work = || {
        let mut own = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(run) = block.get(at) else { break };
            own.push((at, check(run)));
        }
        all.lock().append(&mut own);
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        work();
    });
    all.into_inner()
}

fn check(root: &Arc<RootDir>, run: &FoundRun, known: Option<&Entry>) -> Checked {
    let looked_at = now_ns();
    let open = match OpenRun::open(root, &run.directory) {
        Ok(open) => open,
        Err(error) => return unreadable(root, run, &error),
    };
    let Ok(stamps) = open.stamps() else {
        return Checked::Gone;
    };
    if run.layout == crate::run::Layout::Current && !stamps.has_marker() {
        return Checked::Gone;
    }
    if let Some(known) = known.filter(|known| !known.racy && stamps.same_row(&known.stamps)) {
        return if stamps.same_growth(&known.stamps) {
            Checked::Same
        } else {
            Checked::Grown(Box::new(stamps))
        };
    }
    let Some(place) = place(root, run) else {
        return Checked::Gone;
    };
    let row = open.read_row(&place, &stamps, known.map(|known| known.row.as_ref()));
    Checked::Read(Box::new(Entry {
        stamps,
        row: Arc::new(row),
        dirty: false,
        racy: stamps.is_racy(looked_at),
        watched: false,
    }))
}

/// A directory that is there but may not be opened stays in the list and says so.
fn unreadable(root: &Arc<RootDir>, run: &FoundRun, error: &io::Error) -> Checked {
    let denied = error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_some();
    let Some(place) = place(root, run).filter(|_| denied) else {
        return Checked::Gone;
    };
    let mut row = RunRow::empty(place.id, place.path, &run.directory, run.layout);
    row.reason = StatusReason::MissingStatus;
    row.recorded_reason = row.reason;
    row.problem = Some(format!("the directory cannot be read: {error}"));
    Checked::Read(Box::new(Entry {
        stamps: RunStamps::default(),
        row: Arc::new(row),
        dirty: false,
        racy: true,
        watched: false,
    }))
}

fn place(root: &Arc<RootDir>, run: &FoundRun) -> Option<Place> {
    let dir = RunDir::new(Arc::clone(root), &run.directory, run.layout, false).ok()?;
    Some(Place {
        id: dir.id,
        path: dir.path,
        layout: run.layout,
    })
}
