//! Tells the desktop which runs are running, whenever that changes: its tray counts them. Headless nobody is told.
//!
//! One thread waits for the store's changes. Sample runs are nobody's and are not counted.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use runicorn_experiments::{RunRow, RunStatus, RunStore, StoreChange};

use crate::alerts::{confirmed, one_line};
use crate::app::{App, WeakApp};
use crate::desktop::{Desktop, RunningRun, RunningRuns};

/// How long another root, or the end of the server, may go unnoticed.
const LOOK_UP_EVERY: Duration = Duration::from_secs(1);
/// Runs that are named; the rest is a number.
const NAMED_RUNS: usize = 5;

/// Starts the thread where there is a desktop. It ends with the server.
pub(crate) fn start(app: &App) -> std::io::Result<()> {
    let Some(desktop) = app.config().desktop.clone() else {
        return Ok(());
    };
    let app = app.downgrade();
    let thread = std::thread::Builder::new().name("running".to_owned());
    thread.spawn(move || follow(&app, &*desktop)).map(drop)
}

fn follow(app: &WeakApp, desktop: &dyn Desktop) {
    let mut count = Count::default();
    while let Some(strong) = app.upgrade() {
        if strong.sockets().stopping().is_cancelled() {
            return;
        }
        let store = strong.store();
        let shows_samples = strong.shows_samples();
        drop(strong);
        let changes = store.changes();
        count.other_root();
        count.tell(&store, shows_samples, desktop);
        while is_shown(app, &store) {
            if changes.is_closed() {
                return;
            }
            let mut is_new = false;
            let mut change = changes.next(LOOK_UP_EVERY);
            while let Some(one) = change {
                is_new |= matches!(one, StoreChange::Runs { .. });
                change = changes.next(Duration::ZERO);
            }
            if is_new {
                count.tell(&store, shows_samples, desktop);
            }
        }
    }
}

/// Whether the server lives and shows this root.
fn is_shown(app: &WeakApp, store: &Arc<RunStore>) -> bool {
    app.upgrade().is_some_and(|app| {
        !app.sockets().stopping().is_cancelled() && Arc::ptr_eq(store, &app.store())
    })
}

/// What was told last, and what it takes to notice failures.
#[derive(Default)]
struct Count {
    told: Option<RunningRuns>,
    running: BTreeSet<String>,
    failed: u64,
}

impl Count {
    /// What ran in another root did not fail when this one is shown.
    fn other_root(&mut self) {
        self.running.clear();
    }

    fn tell(&mut self, store: &RunStore, shows_samples: bool, desktop: &dyn Desktop) {
        let now = if shows_samples {
            RunningRuns {
                failed: self.failed,
                ..RunningRuns::default()
            }
        } else {
            self.look(store)
        };
        if self.told.as_ref() != Some(&now) {
            desktop.runs(&now);
            self.told = Some(now);
        }
    }

    fn look(&mut self, store: &RunStore) -> RunningRuns {
        let list = store.list();
        let has_failed = |id: &&String| {
            let row = list.get(id).and_then(|row| confirmed(store, row));
            row.is_some_and(|row| row.state() == RunStatus::Failed)
        };
        self.failed += self.running.iter().filter(has_failed).count() as u64;
        let running = || {
            let rows = list.rows();
            rows.filter(|row| row.state() == RunStatus::Running)
        };
        self.running = running().map(|row| row.id.to_string()).collect();
        RunningRuns {
            count: self.running.len(),
            newest: running().take(NAMED_RUNS).map(|row| named(row)).collect(),
            failed: self.failed,
        }
    }
}

fn named(row: &RunRow) -> RunningRun {
    let alias = row
        .alias
        .as_deref()
        .filter(|alias| !alias.trim().is_empty());
    RunningRun {
        id: row.id.to_string(),
        name: one_line(alias.unwrap_or(row.id.as_str())),
    }
}
