//! The list of runs as an immutable snapshot, and what changed between two of them.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use crate::run::{RunId, RunRow};

/// Removals that are remembered for those who ask what changed.
const REMEMBERED_REMOVALS: usize = 20_000;

/// An immutable list of the runs of a root, one row an id.
#[derive(Debug, Default, Clone)]
pub struct RunList {
    /// Tells lists of different stores, and of different starts of the app, apart.
    epoch: u64,
    generation: u64,
    complete: bool,
    rows: Vec<Listed>,
    deleted: Vec<Arc<RunRow>>,
    by_id: Arc<HashMap<RunId, usize>>,
    folders: Arc<BTreeSet<String>>,
    removals: VecDeque<(u64, RunId)>,
    /// Changes before this generation are no longer known one by one.
    known_since: u64,
}

#[derive(Debug, Clone)]
struct Listed {
    row: Arc<RunRow>,
    changed: u64,
}

/// What changed since a generation.
#[derive(Debug, Clone, Default)]
pub struct RunDelta {
    /// Rows that are new or different, newest first.
    pub rows: Vec<Arc<RunRow>>,
    /// Runs that are gone or deleted.
    pub removed: Vec<RunId>,
}

impl RunList {
    /// The empty list a store begins with.
    pub(crate) fn begin(epoch: u64) -> Self {
        Self {
            epoch,
            ..Self::default()
        }
    }

    /// A text that stands for this list; [`RunList::since_cursor`] of a later one says what changed. Of no meaning to another store.
    pub fn cursor(&self) -> String {
        format!("{:x}.{}", self.epoch, self.generation)
    }

    /// What changed since the list of a cursor; `None` when it is unknown or too old, and the whole list must be taken.
    pub fn since_cursor(&self, cursor: &str) -> Option<RunDelta> {
        let (epoch, generation) = cursor.split_once('.')?;
        let known = u64::from_str_radix(epoch, 16).is_ok_and(|epoch| epoch == self.epoch);
        self.since(generation.parse().ok().filter(|_| known)?)
    }

    /// Folders below `runs/` that are no runs, empty ones included, as paths.
    pub fn folders(&self) -> &BTreeSet<String> {
        &self.folders
    }

    /// Grows with every change.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether the whole root was looked at; until then the list grows.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// How many runs there are that are not deleted.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Runs that are not deleted, newest first.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &Arc<RunRow>> {
        self.rows.iter().map(|listed| &listed.row)
    }

    /// Soft-deleted runs, newest first.
    pub fn deleted(&self) -> &[Arc<RunRow>] {
        &self.deleted
    }

    /// The run of that id that is not deleted; the first in scan order where two have the same name.
    pub fn get(&self, id: &str) -> Option<&Arc<RunRow>> {
        let at = *self.by_id.get(id)?;
        self.rows.get(at).map(|listed| &listed.row)
    }

    /// What changed since a generation; `None` when that is too long ago, and the whole list must be taken.
    pub fn since(&self, generation: u64) -> Option<RunDelta> {
        if generation < self.known_since || generation > self.generation {
            return None;
        }
        let rows = self
            .rows
            .iter()
            .filter(|listed| listed.changed > generation);
        let removed = self
            .removals
            .iter()
            .rev()
            .take_while(|(at, _)| *at > generation);
        let mut removed: Vec<RunId> = removed
            .map(|(_, id)| id.clone())
            .filter(|id| !self.by_id.contains_key(id))
            .collect();
        removed.sort();
        removed.dedup();
        Some(RunDelta {
            rows: rows.map(|listed| Arc::clone(&listed.row)).collect(),
            removed,
        })
    }

    /// The next list: `rows` in the order in which a lookup meets them. `None` when nothing differs from this one.
    pub(crate) fn next(
        &self,
        rows: impl Iterator<Item = Arc<RunRow>>,
        folders: &Arc<BTreeSet<String>>,
        complete: bool,
    ) -> Option<Self> {
        let generation = self.generation + 1;
        let mut next = Self {
            epoch: self.epoch,
            folders: Arc::clone(folders),
            generation,
            complete,
            removals: VecDeque::new(),
            known_since: self.known_since,
            ..Self::default()
        };
        next.fill(rows);
        let changed = next.mark_changes(self);
        let gone: Vec<RunId> = self
            .by_id
            .keys()
            .filter(|id| !next.by_id.contains_key(*id))
            .cloned()
            .collect();
        if !changed
            && gone.is_empty()
            && next.deleted == self.deleted
            && next.folders == self.folders
            && complete == self.complete
        {
            return None;
        }
        next.removals.clone_from(&self.removals);
        next.removals
            .extend(gone.into_iter().map(|id| (generation, id)));
        while next.removals.len() > REMEMBERED_REMOVALS {
            if let Some((at, _)) = next.removals.pop_front() {
                next.known_since = at;
            }
        }
        Some(next)
    }

    fn fill(&mut self, rows: impl Iterator<Item = Arc<RunRow>>) {
        let mut met = HashSet::new();
        let mut doubles = Vec::new();
        for row in rows {
            if row.deleted {
                self.deleted.push(row);
            } else if met.insert(row.id.clone()) {
                self.rows.push(Listed { row, changed: 0 });
            } else {
                doubles.push(row);
            }
        }
        self.name_doubles(&doubles);
        self.rows.sort_by(|a, b| newest_first(&a.row, &b.row));
        self.deleted.sort_by(newest_first);
        let by_id = self.rows.iter().enumerate();
        self.by_id = Arc::new(
            by_id
                .map(|(at, listed)| (listed.row.id.clone(), at))
                .collect(),
        );
    }

    /// Of two runs of one id only the first can be asked for; it says so.
    fn name_doubles(&mut self, doubles: &[Arc<RunRow>]) {
        for double in doubles {
            let first = self
                .rows
                .iter_mut()
                .find(|listed| listed.row.id == double.id);
            let Some(first) = first else { continue };
            let row = Arc::make_mut(&mut first.row);
            let note = format!("another run has the same name: {}", double.directory);
            row.problem = Some(
                row.problem
                    .take()
                    .map_or(note.clone(), |problem| format!("{problem}; {note}")),
            );
        }
    }

    /// Takes over when each row last changed; true when one is new or different.
    fn mark_changes(&mut self, last: &Self) -> bool {
        let mut any = false;
        for listed in &mut self.rows {
            let before = last
                .by_id
                .get(&listed.row.id)
                .and_then(|at| last.rows.get(*at));
            let same = before
                .filter(|before| Arc::ptr_eq(&before.row, &listed.row) || before.row == listed.row);
            listed.changed = same.map_or(self.generation, |before| before.changed);
            any |= same.is_none();
        }
        any
    }
}

fn newest_first(a: &Arc<RunRow>, b: &Arc<RunRow>) -> std::cmp::Ordering {
    b.created_at
        .total_cmp(&a.created_at)
        .then_with(|| b.id.cmp(&a.id))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::run::{Layout, RunPath};

    fn row(id: u8, alias: u8, deleted: bool) -> Arc<RunRow> {
        let id = RunId::new(format!("run{id}")).unwrap();
        let directory = format!("runs/{id}");
        let mut row = RunRow::empty(id, RunPath::default(), &directory, Layout::Current);
        row.alias = Some(alias.to_string());
        row.deleted = deleted;
        Arc::new(row)
    }

    fn next(list: &RunList, rows: &[Arc<RunRow>]) -> RunList {
        list.next(rows.iter().cloned(), &Arc::default(), true)
            .unwrap_or_else(|| list.clone())
    }

    #[test]
    fn the_same_rows_make_no_new_generation() {
        let list = next(&RunList::default(), &[row(1, 1, false)]);
        assert!(
            list.next([row(1, 1, false)].into_iter(), &Arc::default(), true)
                .is_none()
        );
        assert!(
            list.next([row(1, 2, false)].into_iter(), &Arc::default(), true)
                .is_some()
        );
    }

    #[test]
    fn of_two_runs_of_one_id_the_first_is_listed() {
        let list = next(&RunList::default(), &[row(1, 1, false), row(1, 2, false)]);
        assert_eq!(list.len(), 1);
        assert_eq!(list.get("run1").unwrap().alias.as_deref(), Some("1"));
    }

    #[test]
    fn an_unknown_or_forgotten_cursor_asks_for_the_whole_list() {
        let list = next(&RunList::default(), &[row(1, 1, false)]);
        assert!(list.since(list.generation() + 1).is_none());
        let many: Vec<_> = (0..=255).map(|id| row(id, 0, false)).collect();
        let mut list = next(&list, &many);
        for _ in 0..80 {
            list = next(&list, &[]);
            list = next(&list, &many);
        }
        assert!(list.since(1).is_none());
        assert!(list.since(list.generation()).is_some());
    }

    #[test]
    fn a_cursor_of_another_store_means_nothing_here() {
        let (one, two) = (RunList::begin(1), RunList::begin(2));
        assert!(one.since_cursor(&one.cursor()).is_some());
        for cursor in [two.cursor().as_str(), "", ".", "1", "1.x", "x.0", "1.99"] {
            assert!(one.since_cursor(cursor).is_none(), "{cursor}");
        }
    }

    proptest! {
        #[test]
        fn applying_the_changes_gives_the_full_list(
            steps in proptest::collection::vec(proptest::collection::btree_map(0..12u8, (0..3u8, any::<bool>()), 0..12), 1..12),
            lag in 1..5usize,
        ) {
            let mut list = RunList::default();
            let mut copies: Vec<(u64, BTreeMap<RunId, Arc<RunRow>>)> = vec![(0, BTreeMap::new())];
            for (at, step) in steps.iter().enumerate() {
                let rows: Vec<_> = step.iter().map(|(id, (alias, deleted))| row(*id, *alias, *deleted)).collect();
                list = next(&list, &rows);
                let (since, mut copy) = copies[at.saturating_sub(lag).min(copies.len() - 1)].clone();
                let delta = list.since(since).unwrap();
                for id in &delta.removed {
                    copy.remove(id);
                }
                for row in delta.rows {
                    copy.insert(row.id.clone(), row);
                }
                let full: BTreeMap<_, _> = list.rows().map(|row| (row.id.clone(), Arc::clone(row))).collect();
                prop_assert_eq!(&copy, &full);
                copies.push((list.generation(), copy));
            }
        }
    }
}
