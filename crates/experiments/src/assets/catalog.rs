//! What all runs of a root name as their assets, read once and kept: asking again looks only at the runs that changed since.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use super::asset_list::{AssetList, NamedAsset, NamedAssets};
use super::copies::{self, Manifests};
use super::recorded::RecordedAssets;
use crate::error::StoreError;
use crate::growing::FileStamp;
use crate::index::record::{MAX_ASSETS_BYTES, SmallFile};
use crate::layout;
use crate::run::{RunId, RunRow};
use crate::run_dir::{RootDir, RunDir};
use crate::run_list::RunList;
use crate::store::RunStore;

/// So many runs are read by two threads.
const WORTH_TWO_THREADS: usize = 64;
/// So many runs are read before what was read is taken over.
const BLOCK: usize = 512;
/// Most assets that are held, of all runs together; those of further runs are only counted.
const MOST_HELD: usize = 300_000;

/// The assets of the root that is shown.
#[derive(Debug, Default)]
pub struct AssetCatalog(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    root: PathBuf,
    /// Of the list of runs that was looked at last.
    cursor: String,
    runs: HashMap<RunId, HeldRun>,
    /// Assets of all these runs together.
    count: usize,
    manifests: Manifests,
    list: Arc<AssetList>,
}

#[derive(Debug)]
struct HeldRun {
    directory: String,
    stamp: FileStamp,
    /// Whether the file was so old that a later change must have another stamp.
    settled: bool,
    named: NamedAssets,
}

impl AssetCatalog {
    /// The assets of a root as they are now. Blocks, and one caller waits for the other.
    pub fn list(&self, store: &RunStore) -> Result<Arc<AssetList>, StoreError> {
        let root = store.root_dir()?;
        let runs = store.list();
        let mut held = self.0.lock();
        if held.root != store.root() {
            *held = Held {
                root: store.root().to_path_buf(),
                list: Arc::new(AssetList {
                    version: held.list.version + 1,
                    ..AssetList::default()
                }),
                ..Held::default()
            };
        }
        let changed = held.follow(&root, &runs);
        if changed || held.list.complete != runs.is_complete() {
            held.put_together(&runs);
        }
        Ok(Arc::clone(&held.list))
    }
}

impl Held {
    /// Looks at the runs that changed since the last time; true when an asset did.
    fn follow(&mut self, root: &Arc<RootDir>, runs: &RunList) -> bool {
        let before = self.runs.len();
        let mut due: Vec<Arc<RunRow>> = if let Some(delta) = runs.since_cursor(&self.cursor) {
            for id in &delta.removed {
                self.forget(id);
            }
            delta.rows
        } else {
            let gone = self
                .runs
                .keys()
                .filter(|id| runs.get(id.as_str()).is_none());
            for id in gone.cloned().collect::<Vec<_>>() {
                self.forget(&id);
            }
            runs.rows().cloned().collect()
        };
        let mut changed = self.runs.len() != before;
        let unsettled = self.runs.iter().filter(|(_, run)| !run.settled);
        due.extend(unsettled.filter_map(|(id, _)| runs.get(id.as_str()).cloned()));
        for block in due.chunks(BLOCK) {
            for (row, look) in self.look_at_each(root, block) {
                changed |= self.take(&row, look);
            }
        }
        self.cursor = runs.cursor();
        changed
    }

    fn look_at_each(&self, root: &Arc<RootDir>, due: &[Arc<RunRow>]) -> Vec<(Arc<RunRow>, Look)> {
        let next = AtomicUsize::new(0);
        let found = Mutex::new(Vec::with_capacity(due.len()));
        let work = || {
            while let Some(row) = due.get(next.fetch_add(1, Ordering::Relaxed)) {
                let look = Look::at(root, row, self.runs.get(&row.id), &self.manifests);
                found.lock().push((Arc::clone(row), look));
            }
        };
        if due.len() < WORTH_TWO_THREADS {
            work();
        } else {
            std::thread::scope(|scope| {
                scope.spawn(work);
                work();
            });
        }
        found.into_inner()
    }

    fn take(&mut self, row: &RunRow, look: Look) -> bool {
        match look {
            Look::Nothing => self.forget(&row.id),
            Look::Same => {
                let Some(run) = self.runs.get_mut(&row.id) else {
                    return false;
                };
                run.settled = true;
                let moved = run.named.created_at.to_bits() != row.created_at.to_bits();
                run.named.created_at = row.created_at;
                moved
            }
            Look::Read(mut run) => {
                self.forget(&row.id);
                let count = run.count();
                if self.count + count > MOST_HELD {
                    run.named.assets = Some(Arc::default());
                    run.named.left_out += count as u64;
                }
                self.count += run.count();
                self.runs.insert(row.id.clone(), *run);
                true
            }
        }
    }

    fn forget(&mut self, id: &RunId) -> bool {
        let gone = self.runs.remove(id);
        self.count -= gone.as_ref().map_or(0, HeldRun::count);
        gone.is_some()
    }

    fn put_together(&mut self, runs: &RunList) {
        let newest_first = runs.rows().filter_map(|row| self.runs.get(&row.id));
        let mut list = AssetList::of(newest_first.map(|run| &run.named));
        list.version = self.list.version + 1;
        list.complete = runs.is_complete();
        self.list = Arc::new(list);
        self.manifests.keep_used();
    }
}

impl HeldRun {
    fn count(&self) -> usize {
        self.named.assets.as_ref().map_or(0, |assets| assets.len())
    }
}

/// What a look at a run's list of assets gave.
enum Look {
    /// It names none.
    Nothing,
    Same,
    Read(Box<HeldRun>),
}

impl Look {
    fn at(
        root: &Arc<RootDir>,
        row: &RunRow,
        last: Option<&HeldRun>,
        manifests: &Manifests,
    ) -> Self {
        if row.assets_count == 0 && row.problem.is_none() {
            return Self::Nothing;
        }
        let Ok(run) = RunDir::new(Arc::clone(root), &row.directory, row.layout, false) else {
            return Self::Nothing;
        };
        let stamp = run
            .open(layout::ASSETS)
            .and_then(|file| FileStamp::of(&file))
            .unwrap_or_default();
        if last.is_some_and(|last| {
            last.settled && last.stamp == stamp && last.directory == row.directory
        }) {
            return Self::Same;
        }
        let named = match SmallFile::read(&run, layout::ASSETS, MAX_ASSETS_BYTES) {
            SmallFile::Missing => return Self::Nothing,
            SmallFile::Damaged(_) => NamedAssets {
                id: row.id.clone(),
                created_at: row.created_at,
                assets: None,
                left_out: 0,
            },
            SmallFile::Object(assets) => {
                let recorded = RecordedAssets::of(&assets);
                let named = recorded.assets.into_iter().map(|recorded| {
                    let place = recorded.place.as_ref();
                    NamedAsset {
                        copy: place.and_then(|place| copies::find(root, place, manifests)),
                        recorded,
                    }
                });
                NamedAssets {
                    id: row.id.clone(),
                    created_at: row.created_at,
                    assets: Some(named.collect()),
                    left_out: recorded.left_out,
                }
            }
        };
        Self::Read(Box::new(HeldRun {
            directory: row.directory.clone(),
            settled: stamp.is_settled(),
            stamp,
            named,
        }))
    }
}
