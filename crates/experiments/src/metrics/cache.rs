//! Columns of runs that were read lately, kept under a byte limit, and on disk, so that a restart reads nothing again.
//!
//! One thread loads a run; others that want it wait for that load. Whoever asks gets the rows of now: the file is asked on every call,
//! and only what was appended is read. What is least recently used goes first when there is too much; the run used last always stays,
//! however large.
//!
//! Lock order: the table of entries, then never another lock while it is held; an entry's own lock is taken alone.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::columns::Columns;
use super::saver::Saver;
use super::stored;
use super::tail::{MetricTail, Unread};
use crate::error::StoreError;
use crate::growing::Change;
use crate::layout;
use crate::run_dir::RunDir;

/// Memory that columns may take when nothing else is said.
pub const DEFAULT_LIMIT_BYTES: u64 = 96 << 20;

/// A file below this is read again faster than its columns are fetched.
const WORTH_STORING_BYTES: u64 = 256 << 10;

/// Metrics of runs, ready to be asked.
#[derive(Debug)]
pub struct MetricCache {
    folder: PathBuf,
    limit_bytes: u64,
    entries: Mutex<HashMap<PathBuf, Arc<Entry>>>,
    clock: AtomicU64,
    counters: Counters,
    saver: Saver,
}

#[derive(Debug, Default)]
struct Entry {
    tail: Mutex<Option<MetricTail>>,
    used: AtomicU64,
    bytes: AtomicU64,
    /// Size of the file when its columns were last stored.
    stored_bytes: AtomicU64,
}

#[derive(Debug, Default)]
struct Counters {
    hits: AtomicU64,
    misses: AtomicU64,
    incremental_updates: AtomicU64,
}

/// The metrics of one run at one moment.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// The rows.
    pub columns: Arc<Columns>,
    /// What could not be read.
    pub unread: Unread,
    /// Size of the file.
    pub bytes: u64,
}

/// What the cache has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheStats {
    /// Runs held in memory.
    pub size: u64,
    /// Memory they take, about.
    pub bytes: u64,
    /// Memory they may take.
    pub limit_bytes: u64,
    /// Answers for which nothing was read.
    pub hits: u64,
    /// Files that were read from the start, or fetched from the folder.
    pub misses: u64,
    /// Files of which only the new end was read.
    pub incremental_updates: u64,
}

impl MetricCache {
    /// A cache whose columns are kept in `folder`, which may be deleted at any time.
    pub fn new(folder: PathBuf, limit_bytes: u64) -> Self {
        Self {
            saver: Saver::default(),
            folder,
            limit_bytes,
            entries: Mutex::default(),
            clock: AtomicU64::new(0),
            counters: Counters::default(),
        }
    }

    /// The metrics in `file`, which lies at `path`.
    pub fn read(&self, path: &Path, file: &File) -> io::Result<Reading> {
        let entry = Arc::clone(self.entries.lock().entry(path.to_owned()).or_default());
        entry.used.store(
            self.clock.fetch_add(1, Ordering::Relaxed) + 1,
            Ordering::Relaxed,
        );
        let mut tail = entry.tail.lock();
        let reading = self.refresh(path, file, &entry, &mut tail);
        drop(tail);
        if reading.is_err() {
            self.entries.lock().remove(path);
        }
        self.evict(path);
        reading
    }

    /// The metrics of a run; none when it has recorded none yet.
    pub fn of_run(&self, run: &RunDir) -> Result<Reading, StoreError> {
        with_events(run, |path, file| self.read(path, file))
    }

    /// The same for one of very many runs: a short file is read without being kept.
    pub(crate) fn of_run_in_passing(&self, run: &RunDir) -> Result<Reading, StoreError> {
        with_events(run, |path, file| {
            let is_short = file.metadata()?.len() < WORTH_STORING_BYTES;
            if !is_short || self.entries.lock().contains_key(path) {
                return self.read(path, file);
            }
            let mut tail = MetricTail::default();
            tail.refresh(file)?;
            Ok(Reading {
                bytes: tail.file_bytes(),
                unread: tail.unread,
                columns: tail.columns,
            })
        })
    }

    fn refresh(
        &self,
        path: &Path,
        file: &File,
        entry: &Entry,
        slot: &mut Option<MetricTail>,
    ) -> io::Result<Reading> {
        let known = slot.is_some();
        let tail = slot.get_or_insert_with(|| {
            let stored = stored::load(&self.stored_path(path), path);
            entry.stored_bytes.store(
                stored.as_ref().map_or(0, MetricTail::file_bytes),
                Ordering::Relaxed,
            );
            stored.unwrap_or_default()
        });
        let change = tail.refresh(file)?;
        let counter = match change {
            _ if !known => &self.counters.misses,
            Change::None => &self.counters.hits,
            Change::Grown => &self.counters.incremental_updates,
            Change::Replaced => &self.counters.misses,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        entry.bytes.store(tail.columns.bytes(), Ordering::Relaxed);
        self.store(path, entry, tail, change);
        Ok(Reading {
            columns: Arc::clone(&tail.columns),
            unread: tail.unread,
            bytes: tail.file_bytes(),
        })
    }

    /// Has the columns written to the folder, in the background, when much is new.
    fn store(&self, path: &Path, entry: &Entry, tail: &MetricTail, change: Change) {
        let (now, stored) = (
            tail.file_bytes(),
            entry.stored_bytes.load(Ordering::Relaxed),
        );
        let much_is_new = change == Change::Replaced || now > stored + stored / 4;
        if now >= WORTH_STORING_BYTES && change != Change::None && much_is_new {
            entry.stored_bytes.store(now, Ordering::Relaxed);
            if let Some(job) = stored::Job::of(self.stored_path(path), path, tail) {
                self.saver.save(job);
            }
        }
    }

    /// Where the columns of a file are kept.
    fn stored_path(&self, path: &Path) -> PathBuf {
        let name = xxhash_rust::xxh3::xxh3_128(path.as_os_str().as_encoded_bytes());
        self.folder.join(format!("{name:032x}.columns"))
    }

    fn evict(&self, keep: &Path) {
        let mut entries = self.entries.lock();
        loop {
            let total: u64 = entries
                .values()
                .map(|entry| entry.bytes.load(Ordering::Relaxed))
                .sum();
            if total <= self.limit_bytes {
                return;
            }
            let others = entries.iter().filter(|(path, entry)| {
                path.as_path() != keep && entry.bytes.load(Ordering::Relaxed) > 0
            });
            let Some(oldest) = others
                .min_by_key(|(_, entry)| entry.used.load(Ordering::Relaxed))
                .map(|(path, _)| path.clone())
            else {
                return;
            };
            entries.remove(&oldest);
        }
    }

    /// What the cache has done.
    pub fn stats(&self) -> CacheStats {
        let entries = self.entries.lock();
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        CacheStats {
            size: entries.len() as u64,
            bytes: entries.values().map(|entry| count(&entry.bytes)).sum(),
            limit_bytes: self.limit_bytes,
            hits: count(&self.counters.hits),
            misses: count(&self.counters.misses),
            incremental_updates: count(&self.counters.incremental_updates),
        }
    }

    /// Waits until everything that should be in the folder is there.
    pub fn flush(&self) {
        self.saver.flush();
    }
}

fn with_events(
    run: &RunDir,
    read: impl FnOnce(&Path, &File) -> io::Result<Reading>,
) -> Result<Reading, StoreError> {
    let path = run.dir.join(layout::EVENTS);
    let file = match run.open(layout::EVENTS) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Reading::default()),
        Err(error) => return Err(StoreError::io(path, error)),
    };
    read(&path, &file).map_err(|error| StoreError::io(path, error))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::metrics::hostile::dump;

    struct Folder {
        folder: tempfile::TempDir,
    }

    impl Folder {
        fn new() -> Self {
            Self {
                folder: tempfile::tempdir().unwrap(),
            }
        }

        fn cache(&self, limit_bytes: u64) -> MetricCache {
            MetricCache::new(self.folder.path().join("cache"), limit_bytes)
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn append(&self, name: &str, steps: std::ops::Range<u32>) {
            let mut file = File::options()
                .append(true)
                .create(true)
                .open(self.path(name))
                .unwrap();
            for step in steps {
                writeln!(file, "{{\"ts\": 1.0, \"type\": \"metrics\", \"data\": {{\"loss\": {step}.25, \"text\": \"t{step}\", \"big\": 1{step}00000000000000000000, \"global_step\": {step}, \"time\": 1.0}}}}").unwrap();
            }
        }

        fn read(&self, cache: &MetricCache, name: &str) -> Reading {
            let path = self.path(name);
            cache.read(&path, &File::open(&path).unwrap()).unwrap()
        }

        /// Makes the times of a file old, so that they can be trusted.
        fn settle(&self, name: &str) {
            let past = std::time::SystemTime::now() - std::time::Duration::from_mins(1);
            File::options()
                .append(true)
                .open(self.path(name))
                .unwrap()
                .set_modified(past)
                .unwrap();
        }

        fn stored(&self) -> Vec<PathBuf> {
            let entries = std::fs::read_dir(self.folder.path().join("cache"))
                .into_iter()
                .flatten();
            entries.map(|entry| entry.unwrap().path()).collect()
        }
    }

    /// Enough rows that storing them is worth it.
    const MANY: std::ops::Range<u32> = 0..4000;

    #[test]
    fn an_unchanged_file_is_a_hit_and_a_grown_one_is_read_from_its_old_end() {
        let folder = Folder::new();
        let cache = folder.cache(1 << 20);
        folder.append("a", 0..3);
        assert_eq!(folder.read(&cache, "a").columns.rows(), 3);
        assert_eq!(folder.read(&cache, "a").columns.rows(), 3);
        folder.append("a", 3..4);
        assert_eq!(folder.read(&cache, "a").columns.rows(), 4);
        let stats = cache.stats();
        assert_eq!(
            (
                stats.size,
                stats.misses,
                stats.hits,
                stats.incremental_updates
            ),
            (1, 1, 1, 1)
        );
    }

    #[test]
    fn a_restart_finds_the_same_rows() {
        let folder = Folder::new();
        folder.append("a", MANY);
        let cache = folder.cache(1 << 30);
        let before = dump(&folder.read(&cache, "a").columns);
        cache.flush();
        drop(cache);
        assert_eq!(folder.stored().len(), 1);
        let restarted = folder.cache(1 << 30);
        let reading = folder.read(&restarted, "a");
        assert_eq!(dump(&reading.columns), before);
        assert_eq!(
            reading.bytes,
            std::fs::metadata(folder.path("a")).unwrap().len()
        );
    }

    #[test]
    fn a_restart_reads_nothing_that_is_unchanged() {
        let folder = Folder::new();
        folder.append("a", MANY);
        let cache = folder.cache(1 << 30);
        folder.read(&cache, "a");
        cache.flush();
        let path = folder.path("a");
        let mut tail = stored::load(&folder.stored()[0], &path).unwrap();
        // The time of the last change cannot be set back, so what was stored is told that it was old.
        tail.known.as_mut().unwrap().settled = true;
        let write_only = File::options().append(true).open(&path).unwrap();
        assert_eq!(
            tail.refresh(&write_only).unwrap(),
            Change::None,
            "a handle that cannot read was enough"
        );
        assert_eq!(tail.columns.rows(), 4000);
    }

    #[test]
    fn growth_after_a_restart_is_read_and_added() {
        let folder = Folder::new();
        folder.append("a", MANY);
        let cache = folder.cache(1 << 30);
        let generation = folder.read(&cache, "a").columns.generation();
        cache.flush();
        drop(cache);
        folder.append("a", 4000..4010);
        let restarted = folder.cache(1 << 30);
        let columns = folder.read(&restarted, "a").columns;
        assert_eq!(columns.rows(), 4010);
        assert_ne!(
            columns.generation(),
            generation,
            "cursors of the old process are void"
        );
        assert!(dump(&columns)[4009].starts_with("Int(4009)"));
    }

    #[test]
    fn corrupt_stored_columns_are_read_again_from_the_source() {
        let folder = Folder::new();
        folder.append("a", MANY);
        let cache = folder.cache(1 << 30);
        let expected = dump(&folder.read(&cache, "a").columns);
        cache.flush();
        drop(cache);
        let stored = folder.stored().remove(0);
        let whole = std::fs::read(&stored).unwrap();
        for at in [0, 9, 40, 200, whole.len() / 2, whole.len() - 1] {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x55;
            std::fs::write(&stored, &damaged).unwrap();
            assert!(stored::load(&stored, &folder.path("a")).is_none(), "{at}");
            assert_eq!(
                dump(&folder.read(&folder.cache(1 << 30), "a").columns),
                expected,
                "{at}"
            );
        }
        for cut in [0, 7, 100, whole.len() - 1] {
            std::fs::write(&stored, &whole[..cut]).unwrap();
            assert!(stored::load(&stored, &folder.path("a")).is_none(), "{cut}");
        }
        std::fs::write(&stored, [whole.as_slice(), b"more"].concat()).unwrap();
        assert!(stored::load(&stored, &folder.path("a")).is_none());
    }

    #[test]
    fn stale_stored_columns_are_read_again_from_the_source() {
        let folder = Folder::new();
        folder.append("a", MANY);
        let cache = folder.cache(1 << 30);
        folder.read(&cache, "a");
        cache.flush();
        drop(cache);
        std::fs::remove_file(folder.path("a")).unwrap();
        folder.append("a", 10..20);
        assert_eq!(folder.read(&folder.cache(1 << 30), "a").columns.rows(), 10);
    }

    #[test]
    fn stored_columns_of_another_file_are_not_taken() {
        let folder = Folder::new();
        folder.append("a", MANY);
        let cache = folder.cache(1 << 30);
        folder.read(&cache, "a");
        cache.flush();
        assert!(stored::load(&folder.stored()[0], &folder.path("b")).is_none());
    }

    #[test]
    fn a_folder_that_cannot_be_written_only_costs_the_restart() {
        let folder = Folder::new();
        folder.append("a", MANY);
        std::fs::write(
            folder.path("cache"),
            "a file stands where the folder should be",
        )
        .unwrap();
        let cache = folder.cache(1 << 30);
        assert_eq!(folder.read(&cache, "a").columns.rows(), 4000);
        cache.flush();
        assert_eq!(folder.read(&cache, "a").columns.rows(), 4000);
    }

    #[test]
    fn the_least_recently_used_goes_first_and_the_last_one_stays_however_large() {
        let folder = Folder::new();
        for name in ["a", "b", "c"] {
            folder.append(name, 0..1000);
            folder.settle(name);
        }
        let one = folder.cache(u64::MAX);
        let bytes = folder.read(&one, "a").columns.bytes();
        let cache = folder.cache(bytes * 2 + bytes / 2);
        for name in ["a", "b", "a", "c"] {
            folder.read(&cache, name);
        }
        assert_eq!(cache.stats().size, 2, "b had to go");
        assert!(cache.stats().bytes <= cache.stats().limit_bytes);
        let misses = cache.stats().misses;
        folder.read(&cache, "a");
        assert_eq!(cache.stats().misses, misses, "a is still here");
        let tiny = folder.cache(1);
        folder.read(&tiny, "a");
        assert_eq!(
            (tiny.stats().size, folder.read(&tiny, "a").columns.rows()),
            (1, 1000)
        );
        assert_eq!(tiny.stats().misses, 1);
    }

    #[test]
    fn many_who_ask_at_once_share_one_load() {
        let folder = Folder::new();
        folder.append("a", MANY);
        let cache = folder.cache(1 << 30);
        let barrier = std::sync::Barrier::new(8);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    barrier.wait();
                    assert_eq!(folder.read(&cache, "a").columns.rows(), 4000);
                });
            }
        });
        assert_eq!((cache.stats().misses, cache.stats().hits), (1, 7));
    }
}
