//! Telling a person what happens to the runs that they watch.
//!
//! `rules` say what to look for, `watcher` follows the store's changes on a thread of its own, `judging` decides, `history` remembers
//! what was told. Without a rule nothing is followed. Whoever shows the page hears of it over `/api/live`, the desktop shows a
//! notification of the system.

mod history;
mod judging;
mod rules;
mod watcher;

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;

pub use history::RunEvent;
pub(crate) use history::{AlertEvent, EVENTS_KEPT, Events};
pub(crate) use rules::AlertRules;
pub(crate) use watcher::{confirmed, start};

use crate::desktop::{Desktop, RunNotice};
use crate::error::{ApiError, ApiResult};
use crate::state_file;
use history::History;

const RULES_LIMIT_BYTES: u64 = 4 << 20;
/// New rules are answered when they are followed, or after this long with a root that does not answer.
const TAKEN_UP_PATIENCE: Duration = Duration::from_secs(5);
/// More notifications of the system at once help nobody; the page lists all.
const NOTICES_AT_ONCE: usize = 4;

/// What the watching thread is told.
enum Order {
    /// Other rules stand; says when they are followed.
    Rules(Sender<()>),
    Stop,
}

/// The rules, what they found, and the thread that looks.
pub(crate) struct Alerts {
    file: PathBuf,
    rules: Mutex<AlertRules>,
    history: History,
    newest: watch::Sender<u64>,
    orders: Sender<Order>,
    /// Taken by the thread when it starts.
    inbox: Mutex<Option<Receiver<Order>>>,
}

impl Alerts {
    /// Reads what stands in our state folder; a missing or damaged file means no rules.
    pub(crate) fn at(state_dir: &Path) -> Self {
        let file = state_dir.join("alert-rules.json");
        let rules: AlertRules = state_file::read(&file, RULES_LIMIT_BYTES).unwrap_or_default();
        let rules = match rules.fault() {
            Some(fault) => {
                tracing::warn!(fault, file = %file.display(), "the rules cannot be used");
                AlertRules::default()
            }
            None => rules,
        };
        let history = History::at(state_dir);
        let (orders, inbox) = mpsc::channel();
        Self {
            file,
            rules: Mutex::new(rules),
            newest: watch::Sender::new(history.newest()),
            history,
            orders,
            inbox: Mutex::new(Some(inbox)),
        }
    }

    pub(crate) fn rules(&self) -> AlertRules {
        self.rules.lock().clone()
    }

    /// Replaces all rules. They are followed when this returns, unless the root does not answer. Blocks.
    pub(crate) fn set_rules(&self, rules: AlertRules) -> ApiResult<()> {
        if let Some(fault) = rules.fault() {
            return Err(ApiError::invalid(vec![
                serde_json::json!({"type": "value_error", "loc": ["body", "rules"], "msg": fault, "input": rules.rules.len()}),
            ]));
        }
        let mut standing = self.rules.lock();
        *standing = state_file::change(&self.file, RULES_LIMIT_BYTES, &*standing, |kept| {
            *kept = rules;
        })
        .map_err(|error| ApiError::of_io(&error, &self.file))?;
        drop(standing);
        let (taken_up, is_taken_up) = mpsc::channel();
        if self.orders.send(Order::Rules(taken_up)).is_ok() {
            // a thread that is gone or busy with a dead mount makes no difference to what was saved
            is_taken_up
                .recv_timeout(TAKEN_UP_PATIENCE)
                .unwrap_or_default();
        }
        Ok(())
    }

    /// Events after one, newest first.
    pub(crate) fn events_after(&self, after: u64) -> Events {
        self.history.events_after(after)
    }

    /// A person has looked at all events up to this one. Blocks.
    pub(crate) fn see(&self, up_to: u64) -> ApiResult<()> {
        self.history
            .see(up_to)
            .map_err(|error| ApiError::of_io(&error, &self.file))?;
        // other windows count what is unread too
        self.newest.send_modify(|_| ());
        Ok(())
    }

    /// The number of the newest event.
    pub(crate) fn newest(&self) -> u64 {
        self.history.newest()
    }

    /// Ticks with the number of the newest event.
    pub(crate) fn news(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    /// Ends the thread.
    pub(crate) fn stop(&self) {
        // one that never started needs no end
        self.orders.send(Order::Stop).unwrap_or_default();
    }

    fn tell(&self, events: &[AlertEvent], desktop: Option<&dyn Desktop>) {
        if events.is_empty() {
            return;
        }
        self.newest.send_replace(self.history.newest());
        let Some(desktop) = desktop else { return };
        for event in events.iter().take(NOTICES_AT_ONCE) {
            desktop.notify(&RunNotice::of(event));
        }
    }
}

impl RunNotice {
    fn of(event: &AlertEvent) -> Self {
        Self {
            run: event.run.clone(),
            name: one_line(&event.name),
            event: event.told.event,
            status: event.told.status.as_deref().map(one_line),
            metric: event.told.metrics.first().map(|name| one_line(name)),
            silent_secs: event.told.silent_secs,
        }
    }
}

/// A name that a run gave itself, as it can be shown by anything: short and without line ends or control characters.
pub(crate) fn one_line(name: &str) -> String {
    let shown = name
        .chars()
        .take(80)
        .map(|letter| if letter.is_control() { ' ' } else { letter });
    shown.collect()
}
