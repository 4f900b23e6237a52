//! Who writes into a root: the journal of a store, opened when it is first needed, and what still has to follow later.
//!
//! Two things may have to wait: rows for the SDK's database while it is busy, and runs that were deleted while they were still
//! being written, which go to the recycle bin when they end. A thread looks after them as long as there are any.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use parking_lot::Mutex;

use crate::error::StoreError;
use crate::journal::Journal;
use crate::sdk_database::has_experiments;
use crate::store::RunStore;
use crate::transfer::PreviewedUploads;

/// How often what waits is tried again.
const RETRY_EVERY: Duration = Duration::from_millis(700);

/// The writing side of a [`RunStore`].
pub(crate) struct Writes {
    root: PathBuf,
    state_dir: PathBuf,
    journal: Mutex<Option<Arc<Journal>>>,
    looking_after: Mutex<bool>,
    store: OnceLock<Weak<RunStore>>,
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
    pub(crate) fn new(root: &Path, state_dir: &Path) -> Self {
        Self {
            root: root.to_owned(),
            state_dir: state_dir.to_owned(),
            journal: Mutex::new(None),
            looking_after: Mutex::new(false),
            store: OnceLock::new(),
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
    /// Finishes what a killed process left, and looks after what waits. Called once when a store opens.
    pub(crate) fn resume_writes(self: &Arc<Self>) {
        drop(self.writes.store.set(Arc::downgrade(self)));
        match self.writes.journal() {
            Ok(journal)
                if journal.rows().has_waiting()
                    || has_experiments(self.root(), &self.writes.state_dir) =>
            {
                self.look_after_what_waits();
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "changes are not possible"),
        }
    }

    /// Starts the thread that brings what waits to its end, unless it is there.
    pub(crate) fn look_after_what_waits(&self) {
        let mut looking_after = self.writes.looking_after.lock();
        let Some(store) = self.writes.store.get().cloned() else {
            return;
        };
        if *looking_after {
            return;
        }
        let started = std::thread::Builder::new()
            .name("writes".to_owned())
            .spawn(move || look_after(&store));
        match started {
            Ok(_) => *looking_after = true,
            Err(error) => tracing::warn!(%error, "what waits is looked after at the next start"),
        }
    }

    /// Tries once; true when nothing waits any more.
    fn settle(&self) -> bool {
        let told = self
            .writes
            .journal()
            .is_ok_and(|journal| journal.rows().retry());
        let moved = self.move_ended_deleted_runs();
        told && moved && self.state().indexing.is_none()
    }
}

fn look_after(store: &Weak<RunStore>) {
    loop {
        std::thread::sleep(RETRY_EVERY);
        let Some(store) = store.upgrade() else { return };
        // the flag is cleared before the last look, so that what comes during it starts a new thread
        *store.writes.looking_after.lock() = false;
        if store.settle() {
            return;
        }
        let mut looking_after = store.writes.looking_after.lock();
        if *looking_after {
            return;
        }
        *looking_after = true;
    }
}
