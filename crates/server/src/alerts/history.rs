//! What was told already and which runs are being watched: kept in our state folder, so that a restart neither tells twice nor misses
//! what happened meanwhile. Several processes of one user share the file; the one that writes an event first is the one that tells it.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::judging::{Told, WatchedRun};
use crate::state_file;

/// The newest events that are kept for the page.
pub(crate) const EVENTS_KEPT: usize = 200;
/// What was told is remembered for so many runs and events.
const TOLD_KEPT: usize = 20_000;
/// Storage roots whose watched runs are remembered.
const ROOTS_KEPT: usize = 10;
const SIZE_LIMIT_BYTES: u64 = 32 << 20;

/// What can happen to a run.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum RunEvent {
    /// It finished or was interrupted.
    Ended,
    /// It failed, or its process is gone.
    Failed,
    /// It wrote nothing for a while.
    Stalled,
    /// One of its metrics is NaN or infinite.
    NonFinite,
}

/// An event as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AlertEvent {
    /// Grows with every event.
    pub(crate) id: u64,
    /// Unix seconds.
    pub(crate) at: f64,
    pub(crate) root: String,
    pub(crate) run: String,
    /// The run's alias, or its id.
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) told: Told,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    newest: u64,
    /// The newest event that a person has looked at.
    seen: u64,
    /// Newest last.
    events: VecDeque<AlertEvent>,
    /// What must not be told again, oldest first.
    told: VecDeque<String>,
    /// By root, then by run.
    watched: BTreeMap<String, BTreeMap<String, WatchedRun>>,
}

/// The history and its file.
pub(crate) struct History {
    file: PathBuf,
    kept: Mutex<Kept>,
}

/// The events of the page's list.
pub(crate) struct Events {
    /// Newest first.
    pub(crate) listed: Vec<AlertEvent>,
    pub(crate) newest: u64,
    pub(crate) seen: u64,
}

impl History {
    pub(crate) fn at(state_dir: &Path) -> Self {
        let file = state_dir.join("alert-events.json");
        let mut kept: Kept = state_file::read(&file, SIZE_LIMIT_BYTES).unwrap_or_default();
        kept.keep_limits();
        Self {
            file,
            kept: Mutex::new(kept),
        }
    }

    pub(crate) fn newest(&self) -> u64 {
        self.kept.lock().newest
    }

    /// Events after one, newest first.
    pub(crate) fn events_after(&self, after: u64) -> Events {
        let kept = self.kept.lock();
        let events = kept.events.iter().rev();
        Events {
            listed: events.filter(|event| event.id > after).cloned().collect(),
            newest: kept.newest,
            seen: kept.seen,
        }
    }

    /// A person has looked at all events up to this one.
    pub(crate) fn see(&self, up_to: u64) -> std::io::Result<()> {
        let mut kept = self.kept.lock();
        *kept = state_file::change(&self.file, SIZE_LIMIT_BYTES, &*kept, |kept| {
            kept.seen = kept.seen.max(up_to.min(kept.newest));
        })?;
        Ok(())
    }

    /// Whether there is nothing in an event that was not told before.
    pub(crate) fn is_told(&self, event: &AlertEvent) -> bool {
        let kept = self.kept.lock();
        event
            .told
            .keys(&event.root, &event.run)
            .all(|key| kept.told.contains(&key))
    }

    /// The runs of a root that were watched before.
    pub(crate) fn watched(&self, root: &str) -> BTreeMap<String, WatchedRun> {
        let kept = self.kept.lock();
        kept.watched.get(root).cloned().unwrap_or_default()
    }

    /// Keeps which runs are watched, and those of `events` that nobody has told yet; gives back those. What cannot be saved is
    /// still told, and kept in memory.
    pub(crate) fn keep(
        &self,
        root: &str,
        watched: &BTreeMap<String, WatchedRun>,
        events: &[AlertEvent],
    ) -> Vec<AlertEvent> {
        let mut fresh = Vec::new();
        let change = |kept: &mut Kept| fresh = kept.take_up(root, watched, events);
        let mut kept = self.kept.lock();
        match state_file::change(&self.file, SIZE_LIMIT_BYTES, &*kept, change) {
            Ok(saved) => *kept = saved,
            Err(error) => {
                tracing::warn!(%error, file = %self.file.display(), "what was told is not saved");
                fresh = kept.take_up(root, watched, events);
            }
        }
        fresh
    }
}

impl Kept {
    fn take_up(
        &mut self,
        root: &str,
        watched: &BTreeMap<String, WatchedRun>,
        events: &[AlertEvent],
    ) -> Vec<AlertEvent> {
        // the file is read anew, and others may have written anything
        self.keep_limits();
        self.watch(root, watched);
        let fresh = events
            .iter()
            .filter_map(|event| self.claim(event))
            .collect();
        self.keep_limits();
        fresh
    }

    fn watch(&mut self, root: &str, watched: &BTreeMap<String, WatchedRun>) {
        if watched.is_empty() {
            self.watched.remove(root);
            return;
        }
        while self.watched.len() >= ROOTS_KEPT && !self.watched.contains_key(root) {
            self.watched.pop_first();
        }
        self.watched.insert(root.to_owned(), watched.clone());
    }

    /// The event under its number, unless all of it was told before.
    fn claim(&mut self, event: &AlertEvent) -> Option<AlertEvent> {
        let mut is_new = false;
        for key in event.told.keys(&event.root, &event.run) {
            if !self.told.contains(&key) {
                self.told.push_back(key);
                is_new = true;
            }
        }
        is_new.then(|| {
            self.newest += 1;
            let event = AlertEvent {
                id: self.newest,
                ..event.clone()
            };
            self.events.push_back(event.clone());
            event
        })
    }

    /// The file is anybody's to edit: numbers that run backwards would hide what happens next.
    fn keep_limits(&mut self) {
        let excess = self.events.len().saturating_sub(EVENTS_KEPT);
        self.events.drain(..excess);
        let excess = self.told.len().saturating_sub(TOLD_KEPT);
        self.told.drain(..excess);
        let largest = self.events.iter().map(|event| event.id).max();
        self.newest = self.newest.max(largest.unwrap_or(0)).min(u64::MAX / 2);
        self.seen = self.seen.min(self.newest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(run: &str, event: RunEvent) -> AlertEvent {
        AlertEvent {
            id: 0,
            at: 5.0,
            root: "/r".to_owned(),
            run: run.to_owned(),
            name: run.to_owned(),
            path: String::new(),
            told: Told::of(event),
        }
    }

    #[test]
    fn an_event_is_given_out_once_by_whichever_process_is_first() {
        let folder = tempfile::tempdir().unwrap();
        let [one, other] = [(); 2].map(|()| History::at(folder.path()));
        let events = [event("a", RunEvent::Failed), event("b", RunEvent::Ended)];
        let told = |history: &History, events: &[AlertEvent]| {
            let fresh = history.keep("/r", &BTreeMap::new(), events);
            fresh.into_iter().map(|event| event.id).collect::<Vec<_>>()
        };
        assert_eq!(told(&one, &events[..1]), [1]);
        assert_eq!(told(&other, &events), [2]);
        assert_eq!(told(&one, &events), [0; 0]);
        assert_eq!(told(&History::at(folder.path()), &events), [0; 0]);
        let page = History::at(folder.path()).events_after(1);
        assert_eq!((page.listed.len(), page.newest, page.seen), (1, 2, 0));
    }

    #[test]
    fn what_cannot_be_saved_is_still_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state");
        std::fs::write(&file, "a file stands where the folder should be").unwrap();
        let history = History::at(&file);
        let events = [event("a", RunEvent::Failed)];
        assert_eq!(history.keep("/r", &BTreeMap::new(), &events).len(), 1);
        assert_eq!(history.keep("/r", &BTreeMap::new(), &events).len(), 0);
    }

    #[test]
    fn lists_stay_within_their_limits_whatever_the_file_says() {
        let folder = tempfile::tempdir().unwrap();
        let history = History::at(folder.path());
        for number in 0..300 {
            history.keep(
                "/r",
                &BTreeMap::new(),
                &[event(&number.to_string(), RunEvent::Ended)],
            );
        }
        assert_eq!(history.events_after(0).listed.len(), EVENTS_KEPT);
        let file = folder.path().join("alert-events.json");
        std::fs::write(&file, r#"{"newest": 18446744073709551615, "seen": 9}"#).unwrap();
        let history = History::at(folder.path());
        assert_eq!(
            history
                .keep("/r", &BTreeMap::new(), &[event("z", RunEvent::Ended)])
                .len(),
            1
        );
        std::fs::write(&file, "{\"events\": [1,").unwrap();
        assert_eq!(History::at(folder.path()).newest(), 0);
    }
}
