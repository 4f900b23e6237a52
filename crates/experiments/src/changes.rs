//! Tells those who show runs that something changed. What is waiting is merged, so a slow listener costs nothing and misses nothing.

use std::collections::BTreeSet;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::run::RunId;
use crate::store::IndexProgress;

/// A change of a store, for those who show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreChange {
    /// The list has a new generation.
    Runs {
        /// Its number.
        generation: u64,
    },
    /// The metrics or logs of a live run grew.
    Run {
        /// The run.
        id: RunId,
    },
    /// The first look at the root goes on.
    Indexing(IndexProgress),
    /// The root's state is another.
    State,
}

#[derive(Debug, Default)]
struct Waiting {
    state: bool,
    indexing: Option<IndexProgress>,
    runs: Option<u64>,
    grown: BTreeSet<RunId>,
    closed: bool,
    ended: bool,
}

#[derive(Debug, Default)]
struct Mailbox {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
}

/// A subscription to changes. Somebody counts as looking while one exists.
#[derive(Debug)]
pub struct ChangeReceiver(Arc<Mailbox>);

impl ChangeReceiver {
    /// Waits for the next change, at most `timeout`. `None` when none came, and at once when the store is closed.
    pub fn next(&self, timeout: Duration) -> Option<StoreChange> {
        let until = Instant::now() + timeout;
        let mut waiting = self.0.waiting.lock();
        loop {
            if let Some(change) = waiting.take() {
                return Some(change);
            }
            if waiting.closed || self.0.arrived.wait_until(&mut waiting, until).timed_out() {
                return waiting.take();
            }
        }
    }

    /// Whether the indexing thread has written what it knew and is gone.
    pub fn is_ended(&self) -> bool {
        self.0.waiting.lock().ended
    }

    /// Whether the store this belongs to is closed.
    pub fn is_closed(&self) -> bool {
        self.0.waiting.lock().closed
    }
}

impl Waiting {
    fn take(&mut self) -> Option<StoreChange> {
        if std::mem::take(&mut self.state) {
            return Some(StoreChange::State);
        }
        if let Some(progress) = self.indexing.take() {
            return Some(StoreChange::Indexing(progress));
        }
        if let Some(generation) = self.runs.take() {
            return Some(StoreChange::Runs { generation });
        }
        self.grown.pop_first().map(|id| StoreChange::Run { id })
    }
}

/// All who listen.
#[derive(Debug, Default)]
pub(crate) struct ChangeHub(Mutex<Vec<Weak<Mailbox>>>);

impl ChangeHub {
    pub(crate) fn subscribe(&self) -> ChangeReceiver {
        let mailbox = Arc::new(Mailbox::default());
        self.0.lock().push(Arc::downgrade(&mailbox));
        ChangeReceiver(mailbox)
    }

    /// Whether anybody listens.
    pub(crate) fn is_heard(&self) -> bool {
        self.0
            .lock()
            .iter()
            .any(|mailbox| mailbox.strong_count() > 0)
    }

    pub(crate) fn tell(&self, change: &StoreChange) {
        self.each(|waiting| match change {
            StoreChange::State => waiting.state = true,
            StoreChange::Indexing(progress) => waiting.indexing = Some(*progress),
            StoreChange::Runs { generation } => waiting.runs = Some(*generation),
            StoreChange::Run { id } => {
                waiting.grown.insert(id.clone());
            }
        });
    }

    pub(crate) fn end(&self) {
        self.each(|waiting| waiting.ended = true);
    }

    pub(crate) fn close(&self) {
        self.each(|waiting| waiting.closed = true);
    }

    fn each(&self, change: impl Fn(&mut Waiting)) {
        self.0.lock().retain(|mailbox| {
            let Some(mailbox) = mailbox.upgrade() else {
                return false;
            };
            change(&mut mailbox.waiting.lock());
            mailbox.arrived.notify_all();
            true
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(1);

    #[test]
    fn waiting_changes_are_merged_and_none_is_lost() {
        let hub = ChangeHub::default();
        let receiver = hub.subscribe();
        let run = |id: &str| StoreChange::Run {
            id: RunId::new(id).unwrap(),
        };
        for generation in 1..100 {
            hub.tell(&StoreChange::Runs { generation });
            hub.tell(&run("a"));
        }
        hub.tell(&run("b"));
        hub.tell(&StoreChange::State);
        let got: Vec<_> = std::iter::from_fn(|| receiver.next(SOON)).collect();
        let expected = [
            StoreChange::State,
            StoreChange::Runs { generation: 99 },
            run("a"),
            run("b"),
        ];
        assert_eq!(got, expected);
    }

    #[test]
    fn nobody_is_heard_after_the_last_receiver_left() {
        let hub = ChangeHub::default();
        assert!(!hub.is_heard());
        let receiver = hub.subscribe();
        assert!(hub.is_heard());
        drop(receiver);
        assert!(!hub.is_heard());
    }

    #[test]
    fn a_closed_store_wakes_its_listeners() {
        let hub = ChangeHub::default();
        let receiver = hub.subscribe();
        hub.close();
        assert_eq!(receiver.next(Duration::from_mins(1)), None);
        assert!(receiver.is_closed());
    }
}
