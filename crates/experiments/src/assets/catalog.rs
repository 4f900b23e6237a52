//! What all runs of a root name as their assets, read once and kept: asking again looks only at the runs that changed since.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

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
/// A copy that was not there is looked for again after this long: a drive may have been away.
const MISSING_PATIENCE: Duration = Duration::from_secs(10);

/// The assets of the root that is shown.
#[derive(Debug)]
pub struct AssetCatalog {
    held: Mutex<Held>,
    missing_patience: Duration,
}

impl Default for AssetCatalog {
    fn default() -> Self {
        Self {
            held: Mutex::default(),
            missing_patience: MISSING_PATIENCE,
        }
    }
}

#[derive(Debug, Default)]
struct Held {
    root: PathBuf,
    /// Of the list of runs that was looked at last.
    cursor: String,
    runs: HashMap<RunId, HeldRun>,
    /// Assets of all these runs together.
    count: usize,
    manifests: Manifests,
    /// When copies that were not there were last looked for.
    missed_at: Option<Instant>,
    list: Arc<AssetList>,
}

#[derive(Debug)]
struct HeldRun {
    directory: String,
    stamp: FileStamp,
    /// Whether the file was so old that a later change must have another stamp.
    settled: bool,
    /// Whether a copy that it names is not there.
    misses: bool,
    named: NamedAssets,
}

impl AssetCatalog {
    /// The assets of a root as they are now. Blocks, and one caller waits for the other.
    pub fn list(&self, store: &RunStore) -> Result<Arc<AssetList>, StoreError> {
        let root = store.root_dir()?;
        let runs = store.list();
        let mut held = self.held.lock();
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
        let changed = held.follow(&root, &runs, self.missing_patience);
        if changed || held.list.complete != runs.is_complete() {
            held.put_together(&runs);
        }
        Ok(Arc::clone(&held.list))
    }
}

impl Held {
    /// Looks at the runs that changed since the last time; true when an asset did.
    fn follow(&mut self, root: &Arc<RootDir>, runs: &RunList, patience: Duration) -> bool {
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
        let again = self.missed_at.is_none_or(|at| at.elapsed() >= patience);
        if again {
            self.missed_at = Some(Instant::now());
        }
        let open = self.runs.iter();
        let open = open.filter(|(_, run)| !run.settled || (again && run.misses));
        due.extend(open.filter_map(|(id, _)| runs.get(id.as_str()).cloned()));
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
            last.settled && !last.misses && last.stamp == stamp && last.directory == row.directory
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
            misses: named.misses(),
            named,
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;
    use crate::assets::CopyState;
    use crate::store::StoreConfig;

    const HASH: &str = "9a03b975919308b591c19fb67489870211037de2a75311afde4a46ecec5e0a2c";

    fn store_on(folder: &Path) -> Arc<RunStore> {
        let run = folder.join("root/runs/r1");
        std::fs::create_dir_all(&run).unwrap();
        let place = format!("/root/archive/blobs/9a/{HASH}");
        let dataset = json!({"name": "a", "fingerprint": HASH, "archive_path": place});
        let assets = json!({"datasets": [dataset]}).to_string();
        for (name, text) in [
            ("meta.json", "{}"),
            ("status.json", "{}"),
            ("assets.json", &assets),
        ] {
            std::fs::write(run.join(name), text).unwrap();
        }
        let store = RunStore::open(StoreConfig {
            root: folder.join("root"),
            cache_dir: folder.join("cache"),
            state_dir: folder.join("state"),
            ..StoreConfig::default()
        });
        let store = store.unwrap();
        assert!(store.refresh(Duration::from_secs(10)));
        store
    }

    #[test]
    fn a_copy_that_comes_back_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = store_on(folder.path());
        let catalog = AssetCatalog {
            missing_patience: Duration::ZERO,
            ..AssetCatalog::default()
        };
        let copy = |list: &AssetList| (list.assets[0].copy, list.totals.stored_bytes);
        assert_eq!(
            copy(&catalog.list(&store).unwrap()),
            (CopyState::Missing, 0)
        );
        let blobs = folder.path().join("root/archive/blobs/9a");
        std::fs::create_dir_all(&blobs).unwrap();
        std::fs::write(blobs.join(HASH), "four").unwrap();
        // As if the run had ended long ago: it is not looked at for its own sake.
        let settle = |run: &mut HeldRun| run.settled = true;
        catalog.held.lock().runs.values_mut().for_each(settle);
        assert_eq!(copy(&catalog.list(&store).unwrap()), (CopyState::Kept, 4));
    }

    #[test]
    fn beyond_the_most_that_is_held_assets_are_only_counted() {
        let mut held = Held {
            count: MOST_HELD,
            ..Held::default()
        };
        let folder = tempfile::tempdir().unwrap();
        let store = store_on(folder.path());
        assert!(held.follow(&store.root_dir().unwrap(), &store.list(), Duration::ZERO));
        held.put_together(&store.list());
        assert_eq!((held.list.assets.len(), held.list.left_out), (0, 1));
    }
}
