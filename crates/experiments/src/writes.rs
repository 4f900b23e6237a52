//! Who writes into a root: the journal of a store, opened when it is first needed, and what still has to follow later.
//!
//! Two things may have to wait: rows for the SDK's database while it is busy, and runs that were deleted while they were still
//! being written, which go to the recycle bin when they end. A thread looks after them, and after what a killed process left
//! unfinished; it is the only one that touches the root for it, because a root may not answer for minutes.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;

use crate::error::StoreError;
use crate::journal::Journal;
use crate::store::RunStore;
use crate::transfer::PreviewedUploads;

/// How often what waits is tried again.
const RETRY_EVERY: Duration = Duration::from_millis(700);
/// A start waits this long for what a killed process left to be finished, so that nobody sees the half of it.
const START_PATIENCE: Duration = Duration::from_secs(1);

/// The writing side of a [`RunStore`].
pub(crate) struct Writes {
    root: PathBuf,
    state_dir: PathBuf,
    journal: Mutex<Option<Arc<Journal>>>,
    wake: Sender<()>,
    pub(crate) previews: PreviewedUploads,
}

impl fmt::Debug for Writes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writes")
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

impl Writes {
    /// Touches nothing yet.
    pub(crate) fn new(root: &Path, state_dir: &Path, wake: Sender<()>) -> Self {
        Self {
            root: root.to_owned(),
            state_dir: state_dir.to_owned(),
            journal: Mutex::new(None),
            wake,
            previews: PreviewedUploads::default(),
        }
    }

    /// The state folder.
    pub(crate) fn state_dir(&self) -> &Path {
        &self.state_dir
    }

    /// The journal; opening it finishes what a dead process left unfinished.
    pub(crate) fn journal(&self) -> Result<Arc<Journal>, StoreError> {
        let mut journal = self.journal.lock();
        if let Some(open) = journal.as_ref() {
            return Ok(Arc::clone(open));
        }
        let opened = Journal::open(&self.root, &self.state_dir)
            .map_err(|error| StoreError::io(self.state_dir.join("journal"), error))?;
        let opened = Arc::new(opened);
        *journal = Some(Arc::clone(&opened));
        Ok(opened)
    }
}

impl RunStore {
    /// Wakes the thread that brings what waits to its end.
    pub(crate) fn look_after_what_waits(&self) {
        // it lives as long as this store
        self.writes.wake.send(()).unwrap_or_default();
    }

    /// Finishes what killed processes left, and tries once what waits; true when nothing is left to be tried again.
    fn settle(&self) -> bool {
        if !self.state().condition.is_readable() {
            return true; // the return of the root wakes us
        }
        let journal = match self.writes.journal() {
            Ok(journal) => journal,
            Err(error) => {
                tracing::warn!(%error, "changes are not possible");
                return true;
            }
        };
        if journal.recover_the_dead() > 0 {
            self.refresh(Duration::ZERO);
        }
        let told = journal.rows().retry();
        let moved = self.move_ended_deleted_runs();
        told && moved && self.state().indexing.is_none()
    }
}

/// Starts the thread of a store that finishes what a killed process left as soon as the root can be read, and looks after what has
/// to wait. It ends with the store. When something was left, its end is awaited for a short time.
pub(crate) fn look_after_writes(store: &Arc<RunStore>, woken: Receiver<()>) -> io::Result<()> {
    let (settled, first) = mpsc::channel();
    let weak = Arc::downgrade(store);
    std::thread::Builder::new()
        .name("writes".to_owned())
        .spawn(move || look_after(&weak, &woken, &settled))?;
    if Journal::has_entries(store.root(), store.writes.state_dir()) {
        match first.recv_timeout(START_PATIENCE) {
            Ok(()) => {}
            Err(error) => tracing::info!(%error, "unfinished changes wait for the root"),
        }
    }
    Ok(())
}

fn look_after(store: &Weak<RunStore>, woken: &Receiver<()>, tell_settled: &Sender<()>) {
    let mut settled = true;
    loop {
        let next = if settled {
            woken
                .recv()
                .map_err(|_closed| RecvTimeoutError::Disconnected)
        } else {
            woken.recv_timeout(RETRY_EVERY)
        };
        if matches!(next, Err(RecvTimeoutError::Disconnected)) {
            return;
        }
        woken.try_iter().for_each(drop);
        let Some(store) = store.upgrade() else { return };
        settled = store.settle();
        // only a start listens, and not for long
        tell_settled.send(()).unwrap_or_default();
    }
}
