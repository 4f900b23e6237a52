//! The indexing thread: one pass after the other, as long as the store is open.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use parking_lot::Mutex;

use super::catalog::{Catalog, Entry};
use super::database::IndexDatabase;
use super::discover::FoundRun;
use super::signals::{Pass, Signals};
use crate::changes::{ChangeHub, StoreChange};
use crate::layout;
use crate::liveness::{Look, ProcessTable};
use crate::root_probe::{RootCondition, RootLook, RootProbe};
use crate::run_dir::RootDir;
use crate::run_list::RunList;
use crate::store::IndexProgress;
use crate::watching::{Reported, Watch, Watching};

/// Runs that are looked at between two published lists of the first look.
const BLOCK: usize = 512;
/// A growing list is published at most this often.
const PUBLISH_PAUSE: Duration = Duration::from_millis(120);
/// What changed is written to the index database at most this often.
const SAVE_PAUSE: Duration = Duration::from_secs(5);

/// What the store and its indexing thread share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) signals: Signals,
    pub(crate) list: ArcSwap<RunList>,
    pub(crate) hub: ChangeHub,
    pub(crate) probe: RootProbe,
    pub(crate) processes: Arc<dyn ProcessTable>,
    pub(crate) host_name: String,
    pub(crate) watch: Watch,
    pub(crate) said: Mutex<Said>,
    pub(crate) rows_read: AtomicU64,
    pub(crate) folders_listed: AtomicU64,
    /// Wakes the thread that looks after writes.
    pub(crate) wake_writes: mpsc::Sender<()>,
}

/// What the indexing thread says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) indexing: Option<IndexProgress>,
    /// Why the index is not kept.
    pub(crate) database: Option<String>,
    /// Links out of the root, and names that are not text.
    pub(crate) refused: u64,
}

/// The indexing thread's own.
pub(crate) struct Keeper {
    shared: Arc<Shared>,
    catalog: Catalog,
    database: IndexDatabase,
    watching: Option<Watching>,
    reported: Arc<Mutex<Reported>>,
    identity: Option<(u64, u64)>,
    condition: Option<RootCondition>,
    looked_once: bool,
    published: Instant,
    saved: Instant,
}

impl Keeper {
    pub(crate) fn new(shared: Arc<Shared>, database: IndexDatabase) -> Self {
        let now = Instant::now();
        Self {
            shared,
            catalog: Catalog::default(),
            database,
            watching: None,
            reported: Arc::default(),
            identity: None,
            condition: None,
            looked_once: false,
            published: now,
            saved: now,
        }
    }

    /// Works until the store is closed.
    pub(crate) fn work(mut self) {
        self.remember();
        let shared = Arc::clone(&self.shared);
        while let Some(pass) = shared.signals.next_pass(&|| shared.hub.is_heard()) {
            let started = Instant::now();
            let is_first = !self.looked_once;
            self.pass(&pass);
            shared.signals.finish(&pass, started.elapsed());
            self.save(is_first || self.saved.elapsed() > SAVE_PAUSE);
        }
        self.save(true);
        shared.signals.set_ended();
        shared.hub.end();
    }

    /// Shows the list of last time, while the root is looked at anew.
    fn remember(&mut self) {
        let look = self.shared.probe.look();
        self.tell_condition(&look);
        self.database.load(&mut self.catalog);
        self.say(|said, keeper| said.database = keeper.database.problem());
        if !self.catalog.entries.is_empty() && look.condition.is_readable() {
            self.judge();
            self.publish(true);
            self.shared.signals.set_complete();
        }
    }

    fn pass(&mut self, pass: &Pass) {
        let look = self.shared.probe.look();
        self.tell_condition(&look);
        let Some(root) = look.root.clone() else {
            self.unavailable(look.condition);
            return;
        };
        self.root_may_be_another(&root);
        let everything = self.take_reports() || pass.full;
        if !pass.touched.is_empty() {
            self.mark_touched(&pass.touched);
        }
        let trusts_watches = !everything && pass.touched.is_empty();
        let outcome = self.catalog.walk(&root, trusts_watches);
        self.shared
            .folders_listed
            .fetch_add(outcome.listed, Ordering::Relaxed);
        self.say(|said, _| said.refused = outcome.refused);
        let only_touched = pass.only_touched;
        let due = self.catalog.due(|entry| {
            everything || entry.dirty || (!only_touched && (entry.racy || !entry.watched))
        });
        self.check(&root, &due);
        if self.shared.signals.is_stopped() {
            return;
        }
        self.judge();
        self.looked_once = true;
        self.say(|said, _| said.indexing = None);
        self.publish(true);
        self.shared.signals.set_complete();
        self.watch(&root);
    }

    fn tell_condition(&mut self, look: &RootLook) {
        if self.condition.replace(look.condition) == Some(look.condition) {
            return;
        }
        self.shared.hub.tell(&StoreChange::State);
        // that nobody looks after writes any more means that the store is being closed
        self.shared.wake_writes.send(()).unwrap_or_default();
    }

    /// A missing root has no runs; one that only does not answer keeps those that were known.
    fn unavailable(&mut self, condition: RootCondition) {
        if matches!(
            condition,
            RootCondition::Missing | RootCondition::Unreadable
        ) {
            self.publish_rows(false);
        }
        self.watching = None;
        self.identity = None;
        self.forget_watches();
        self.say(|said, _| said.indexing = None);
        self.shared.signals.set_complete();
    }

    fn root_may_be_another(&mut self, root: &Arc<RootDir>) {
        let identity = super::stamp::of_dir(&root.dir)
            .map(|stamp| stamp.identity())
            .ok();
        if self.identity == identity && self.watching.is_some() {
            return;
        }
        self.identity = identity;
        self.forget_watches();
        let shared = Arc::downgrade(&self.shared);
        let report = move || {
            if let Some(shared) = shared.upgrade() {
                shared.signals.report();
            }
        };
        let wanted = self.shared.watch;
        self.watching = Some(Watching::new(root, wanted, &self.reported, report));
    }

    fn forget_watches(&mut self) {
        self.catalog
            .entries
            .values_mut()
            .for_each(|entry| entry.watched = false);
        self.catalog
            .folders
            .values_mut()
            .for_each(|folder| folder.watched = false);
    }

    /// Marks what was reported; true when everything must be looked at.
    fn take_reports(&mut self) -> bool {
        let reported = std::mem::take(&mut *self.reported.lock());
        for directory in reported.directories.iter().chain(&reported.named) {
            if let Some(entry) = self.catalog.entries.get_mut(directory) {
                entry.dirty = true;
            }
            if let Some(folder) = self.catalog.folders.get_mut(directory) {
                folder.dirty = true;
            }
        }
        for directory in &reported.named {
            self.unwatch(directory);
        }
        reported.everything
    }

    fn unwatch(&mut self, directory: &str) {
        if let Some(watching) = self
            .watching
            .as_mut()
            .filter(|watching| watching.watched().contains(directory))
        {
            watching.unwatch(directory);
        }
        if let Some(entry) = self.catalog.entries.get_mut(directory) {
            entry.watched = false;
        }
        if let Some(folder) = self.catalog.folders.get_mut(directory) {
            folder.watched = false;
        }
    }

    /// Our own writes: these runs, the folders they were in, and the recycle bin.
    fn mark_touched(&mut self, touched: &HashSet<String>) {
        let catalog = &mut self.catalog;
        let mut folders = vec![layout::join(&[layout::RUNS, layout::RECYCLE])];
        for (directory, entry) in &mut catalog.entries {
            if touched.contains(entry.row.id.as_str()) {
                entry.dirty = true;
                entry.racy = true;
                folders.extend(
                    directory
                        .rsplit_once('/')
                        .map(|(parent, _)| parent.to_owned()),
                );
            }
        }
        for folder in folders {
            if let Some(folder) = catalog.folders.get_mut(&folder) {
                folder.dirty = true;
            }
        }
    }

    fn check(&mut self, root: &Arc<RootDir>, due: &[FoundRun]) {
        let total = self.catalog.order.len() as u64;
        let known = total.saturating_sub(due.len() as u64);
        for (at, block) in due.chunks(BLOCK).enumerate() {
            if self.shared.signals.is_stopped() {
                return;
            }
            if !self.looked_once {
                let done = known + (at * BLOCK) as u64;
                self.progress(IndexProgress { done, total });
            }
            let outcome = self.catalog.check(root, block);
            self.shared
                .rows_read
                .fetch_add(outcome.read, Ordering::Relaxed);
            for row in outcome.grown {
                self.shared
                    .hub
                    .tell(&StoreChange::Run { id: row.id.clone() });
            }
        }
    }

    fn progress(&mut self, progress: IndexProgress) {
        self.say(|said, _| said.indexing = Some(progress));
        self.shared.hub.tell(&StoreChange::Indexing(progress));
        if self.published.elapsed() > PUBLISH_PAUSE && progress.done > 0 {
            self.judge();
            let complete = self.shared.list.load().is_complete();
            self.publish(complete);
        }
    }

    fn judge(&mut self) {
        let shared = &self.shared;
        let path = shared.probe.path();
        let mut look = Look::new(&shared.host_name, &path, shared.processes.as_ref());
        self.catalog.judge(&mut look);
    }

    fn publish(&mut self, complete: bool) {
        let folders = self.folders();
        let list = self.shared.list.load();
        let next = list.next(self.catalog.rows(), &folders, complete);
        drop(list);
        self.swap(next);
    }

    fn publish_rows(&mut self, with_rows: bool) {
        let rows = with_rows.then(|| self.catalog.rows()).into_iter().flatten();
        let list = self.shared.list.load();
        let next = list.next(rows, &Arc::default(), true);
        drop(list);
        self.swap(next);
    }

    /// The path folders, as the list shows them: without those in which every run is deleted.
    fn folders(&self) -> Arc<BTreeSet<String>> {
        let (mut live, mut deleted) = (HashSet::new(), HashSet::new());
        for entry in self.catalog.entries.values() {
            let folders = if entry.row.deleted {
                &mut deleted
            } else {
                &mut live
            };
            let mut above = entry.row.directory.rsplit_once('/');
            while let Some((folder, _)) = above {
                if !folders.insert(folder) {
                    break;
                }
                above = folder.rsplit_once('/');
            }
        }
        let shown =
            |folder: &&String| live.contains(folder.as_str()) || !deleted.contains(folder.as_str());
        let below = |folder: &String| folder.strip_prefix("runs/").map(str::to_owned);
        let paths = self.catalog.folders.keys().filter(shown).filter_map(below);
        Arc::new(
            paths
                .filter(|path| !path.starts_with(layout::RECYCLE))
                .collect(),
        )
    }

    fn swap(&mut self, next: Option<RunList>) {
        self.published = Instant::now();
        let Some(next) = next else { return };
        let generation = next.generation();
        self.shared.list.store(Arc::new(next));
        self.shared.hub.tell(&StoreChange::Runs { generation });
    }

    /// Watches what is worth it: folders, live runs, then the newest others.
    fn watch(&mut self, root: &Arc<RootDir>) {
        let Some(watching) = &mut self.watching else {
            return;
        };
        let catalog = &mut self.catalog;
        let gone: Vec<String> = watching
            .watched()
            .iter()
            .filter(|directory| {
                !catalog.entries.contains_key(*directory)
                    && !catalog.folders.contains_key(*directory)
            })
            .cloned()
            .collect();
        for directory in gone {
            watching.unwatch(&directory);
        }
        let mut added = false;
        for (directory, folder) in catalog
            .folders
            .iter_mut()
            .filter(|(_, folder)| !folder.watched)
        {
            folder.watched = watching.watch(directory);
            folder.dirty |= folder.watched;
            added |= folder.watched;
        }
        let live_first =
            |live: bool| move |entry: &Entry| !entry.watched && entry.is_live() == live;
        for live in [true, false] {
            if !watching.has_room() {
                break;
            }
            for run in catalog.due(live_first(live)) {
                let Some(entry) = catalog
                    .entries
                    .get_mut(&run.directory)
                    .filter(|entry| live_first(live)(entry))
                else {
                    continue;
                };
                if !watching.watch(&run.directory) {
                    break;
                }
                entry.watched = true;
                entry.dirty = true;
                added = true;
            }
        }
        if added {
            self.catch_up(root);
        }
    }

    /// What changed between the look and the watch.
    fn catch_up(&mut self, root: &Arc<RootDir>) {
        self.catalog.walk(root, true);
        let due = self.catalog.due(|entry| entry.dirty);
        self.check(root, &due);
        self.judge();
        self.publish(true);
    }

    fn save(&mut self, due: bool) {
        if !due || !self.looked_once || self.catalog.unsaved.is_empty() {
            return;
        }
        self.saved = Instant::now();
        self.database.save(&mut self.catalog);
        self.say(|said, keeper| said.database = keeper.database.problem());
    }

    fn say(&self, change: impl FnOnce(&mut Said, &Self)) {
        let mut said = self.shared.said.lock();
        let before = said.clone();
        change(&mut said, self);
        if before.database != said.database || before.refused != said.refused {
            self.shared.hub.tell(&StoreChange::State);
        }
    }
}
