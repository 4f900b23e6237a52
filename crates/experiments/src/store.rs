//! A storage root that is open: its list of runs, one run by id, what has changed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::time::Duration;

use crate::changes::ChangeReceiver;
use crate::error::{StoreError, is_unreachable};
use crate::index::database::IndexDatabase;
use crate::index::discover::discover;
use crate::index::keeper::{Keeper, Shared};
use crate::liveness::{ProcessTable, SystemProcesses};
use crate::root_probe::{RootCondition, RootLook, RootProbe, TakeLook};
use crate::run::{Layout, RunId, RunRow};
use crate::run_dir::{RootDir, RunDir};
use crate::run_list::RunList;
use crate::watching::Watch;
use crate::writes::{Writes, look_after_writes};

/// A list that may be out of date is waited for this long.
const FRESH_PATIENCE: Duration = Duration::from_millis(200);
/// Our own writes are waited for this long until they show.
const TOUCH_PATIENCE: Duration = Duration::from_secs(3);

/// The whole of a very large root is waited for this long.
const SETTLE_PATIENCE: Duration = Duration::from_mins(2);

/// Where a store reads, and where it keeps what is its own.
#[derive(Debug, Clone, Default)]
pub struct StoreConfig {
    /// The storage root; need not exist.
    pub root: PathBuf,
    /// Folder of caches, which may be deleted at any time.
    pub cache_dir: PathBuf,
    /// Folder of what must be kept.
    pub state_dir: PathBuf,
    /// Name of this machine as the SDK would record it; the machine's own when absent.
    pub host_name: Option<String>,
    /// The processes of this machine; the system's own when absent.
    pub processes: Option<Arc<dyn ProcessTable>>,
    /// Whether folders are watched.
    pub watch: Watch,
}

/// How far the first look at a root is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexProgress {
    /// Runs read.
    pub done: u64,
    /// Runs found so far.
    pub total: u64,
}

/// Where the answers come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The files of the runs, which are the truth.
    Files,
    /// The SDK's database.
    Database,
}

impl Source {
    /// The stable word of the source.
    pub fn word(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Database => "database",
        }
    }
}

/// State of the storage root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageState {
    /// How the root is.
    pub condition: RootCondition,
    /// A sentence about what is wrong.
    pub detail: Option<String>,
    /// Where the answers come from.
    pub source: Source,
    /// How far the first look is; absent when it is done.
    pub indexing: Option<IndexProgress>,
}

/// How much a store has read since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreCounters {
    /// Runs whose small files were read.
    pub rows_read: u64,
    /// Folders that were listed.
    pub folders_listed: u64,
}

/// A storage root that is open. Its indexing thread ends when the last handle is dropped.
#[derive(Debug)]
pub struct RunStore {
    root: PathBuf,
    config: StoreConfig,
    shared: Arc<Shared>,
    pub(crate) writes: Writes,
}

impl RunStore {
    /// Opens a root. That it is missing or unreadable is a state of the store, not an error. The root itself is touched by threads of
    /// the store only, so that one which does not answer holds up nobody.
    pub fn open(config: StoreConfig) -> Result<Arc<Self>, StoreError> {
        Self::open_with(config, Arc::new(RootLook::take))
    }

    /// The same with another way to look at the root.
    pub(crate) fn open_with(
        config: StoreConfig,
        take_look: TakeLook,
    ) -> Result<Arc<Self>, StoreError> {
        let root = std::path::absolute(&config.root)
            .map_err(|error| StoreError::io(&config.root, error))?;
        let thread_error = |error| StoreError::io(&root, error);
        let probe = RootProbe::start(&root, take_look).map_err(thread_error)?;
        let host_name = config
            .host_name
            .clone()
            .or_else(|| sysinfo::System::host_name().ok());
        let processes = config.processes.clone();
        let (wake_writes, woken) = mpsc::channel();
        let shared = Arc::new(Shared {
            signals: crate::index::signals::Signals::default(),
            list: arc_swap::ArcSwap::from_pointee(RunList::begin(epoch())),
            hub: crate::changes::ChangeHub::default(),
            probe,
            processes: processes.unwrap_or_else(|| Arc::new(SystemProcesses::default())),
            host_name: host_name.unwrap_or_default(),
            watch: config.watch,
            said: parking_lot::Mutex::default(),
            rows_read: 0.into(),
            folders_listed: 0.into(),
            wake_writes: wake_writes.clone(),
        });
        let (own, cache_dir, path) = (Arc::clone(&shared), config.cache_dir.clone(), root.clone());
        std::thread::Builder::new()
            .name("run-index".to_owned())
            .spawn(move || Keeper::new(own, IndexDatabase::open(&cache_dir, &path)).work())
            .map_err(thread_error)?;
        shared.signals.ask();
        let store = Arc::new(Self {
            writes: Writes::new(&root, &config.state_dir, wake_writes),
            root,
            config,
            shared,
        });
        look_after_writes(&store, woken).map_err(|error| StoreError::io(&store.root, error))?;
        Ok(store)
    }

    /// The root, absolute.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folders this store was opened with.
    pub fn config(&self) -> &StoreConfig {
        &self.config
    }

    /// This machine's name, as runs of its own record it.
    pub fn host_name(&self) -> &str {
        &self.shared.host_name
    }

    /// The processes that runs are asked about.
    pub fn processes(&self) -> &dyn ProcessTable {
        self.shared.processes.as_ref()
    }

    /// How the root is. Never waits for a file system.
    pub fn state(&self) -> StorageState {
        let look = self.shared.probe.last();
        let said = self.shared.said.lock().clone();
        let refused = (said.refused > 0).then(|| {
            format!(
                "{} links or names lead out of the root and are not followed",
                said.refused
            )
        });
        let details: Vec<String> = [look.detail, said.database, refused]
            .into_iter()
            .flatten()
            .collect();
        StorageState {
            condition: look.condition,
            detail: (!details.is_empty()).then(|| details.join(". ")),
            source: Source::Files,
            indexing: said.indexing,
        }
    }

    /// How much was read so far.
    pub fn counters(&self) -> StoreCounters {
        StoreCounters {
            rows_read: self.shared.rows_read.load(Ordering::Relaxed),
            folders_listed: self.shared.folders_listed.load(Ordering::Relaxed),
        }
    }

    /// The root's handle, for those who read or change more than one run.
    pub fn root_dir(&self) -> Result<Arc<RootDir>, StoreError> {
        let mut look = self.shared.probe.last();
        if !look.condition.is_readable() {
            look = self.shared.probe.look();
        }
        look.root.ok_or_else(|| StoreError::RootUnavailable {
            root: self.root.clone(),
            detail: look.detail.unwrap_or_default(),
        })
    }

    /// The list of runs as it is, at most two seconds old; while the first look at a root goes on, the list of
    /// last time or the part that is known.
    pub fn list(&self) -> Arc<RunList> {
        self.shared.signals.look(FRESH_PATIENCE);
        self.shared.list.load_full()
    }

    /// Like [`RunStore::list`], but waits for the first look at the root to end, at most `patience`.
    pub fn complete_list(&self, patience: Duration) -> Arc<RunList> {
        self.shared.signals.wait_complete(patience);
        self.list()
    }

    /// The whole list, for answers that must not miss a run.
    pub(crate) fn settled_list(&self) -> Arc<RunList> {
        self.complete_list(SETTLE_PATIENCE)
    }

    /// The list after a look at everything, for changes of ours that are about to be made by it.
    pub(crate) fn newest_list(&self) -> Arc<RunList> {
        self.refresh(SETTLE_PATIENCE);
        self.shared.list.load_full()
    }

    /// A run that is not deleted.
    pub fn find(&self, id: &str) -> Result<RunDir, StoreError> {
        self.find_where(id, false)
    }

    /// A run in the recycle bin.
    pub fn find_deleted(&self, id: &str) -> Result<RunDir, StoreError> {
        self.find_where(id, true)
    }

    fn find_where(&self, id: &str, deleted: bool) -> Result<RunDir, StoreError> {
        let missing = || StoreError::RunNotFound { id: id.to_owned() };
        let id = RunId::new(id).map_err(|_invalid| missing())?;
        let root = self.root_dir()?;
        let list = self.shared.list.load_full();
        if let Some(row) = listed(&list, &id, deleted)
            && let Some(run) = still_there(&root, row, deleted)?
        {
            return Ok(run);
        }
        if !self
            .shared
            .signals
            .touch(std::iter::once(id.to_string()), TOUCH_PATIENCE)
            || !list.is_complete()
        {
            return find_by_walk(&root, &id, deleted).ok_or_else(missing);
        }
        let root = self.root_dir()?;
        let list = self.shared.list.load_full();
        let row = listed(&list, &id, deleted).ok_or_else(missing)?;
        still_there(&root, row, deleted)?.ok_or_else(missing)
    }

    /// We changed these runs ourselves, or made them: look at them again before returning.
    pub fn touch(&self, runs: &[RunId]) {
        self.shared
            .signals
            .touch(runs.iter().map(RunId::to_string), TOUCH_PATIENCE);
    }

    /// Looks at everything again, and waits for the end of it at most `patience`; false when it took longer.
    pub fn refresh(&self, patience: Duration) -> bool {
        self.shared.signals.refresh(patience)
    }

    /// Subscribes to changes.
    pub fn changes(&self) -> ChangeReceiver {
        let receiver = self.shared.hub.subscribe();
        self.shared.signals.look(Duration::ZERO);
        receiver
    }
}

impl RunStore {
    /// Ends the work on the index and keeps what it knows for the next start; waits at most `patience` for that.
    pub fn close(&self, patience: Duration) -> bool {
        self.shared.signals.stop();
        self.shared.signals.wait_ended(patience)
    }
}

impl Drop for RunStore {
    fn drop(&mut self) {
        self.shared.signals.stop();
        self.shared.hub.close();
    }
}

/// A number that no other start of a store has.
fn epoch() -> u64 {
    let now = crate::index::record::now_ns().cast_unsigned();
    now.rotate_left(16) ^ u64::from(std::process::id())
}

fn listed<'a>(list: &'a RunList, id: &RunId, deleted: bool) -> Option<&'a Arc<RunRow>> {
    if deleted {
        return list.deleted().iter().find(|row| row.id == *id);
    }
    list.get(id.as_str())
}

/// The run of a row, if its directory is there and is deleted or not, as wanted.
fn still_there(
    root: &Arc<RootDir>,
    row: &Arc<RunRow>,
    deleted: bool,
) -> Result<Option<RunDir>, StoreError> {
    let mut run = RunDir::new(Arc::clone(root), &row.directory, row.layout, deleted)?;
    run.path = row.path.clone();
    let marked = run
        .open_dir()
        .and_then(|dir| crate::journal::exists(&dir, crate::layout::DELETED));
    match marked {
        Err(error) if is_unreachable(&error) => Err(StoreError::io(&run.dir, error)),
        Err(_) => Ok(None),
        Ok(marked) => {
            let is_deleted = run.layout == Layout::Recycled || marked;
            Ok((is_deleted == deleted).then_some(run))
        }
    }
}

fn is_deleted(run: &RunDir) -> bool {
    run.layout == Layout::Recycled || run.contains(crate::layout::DELETED)
}

fn find_by_walk(root: &Arc<RootDir>, id: &RunId, deleted: bool) -> Option<RunDir> {
    let named = |directory: &str| directory.rsplit('/').next() == Some(id.as_str());
    let found = discover(root)
        .into_iter()
        .filter(|found| named(&found.directory));
    let mut runs = found.filter_map(|found| {
        RunDir::new(Arc::clone(root), &found.directory, found.layout, deleted).ok()
    });
    runs.find(|run| is_deleted(run) == deleted)
}
