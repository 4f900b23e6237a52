//! The thread that follows a storage root for the rules: asleep while there are none, then woken by the store's changes, and by a timer
//! for runs that write nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use runicorn_experiments::{
    ChangeReceiver, RunList, RunRow, RunStatus, RunStore, StatusReason, StoreChange, layout,
};

use super::history::AlertEvent;
use super::judging::{self, Silence, Told, WatchedRun};
use super::rules::{AlertRules, Wanted};
use super::{Alerts, Order};
use crate::api::health::unix_now;
use crate::app::{App, WeakApp};

/// How long new rules, another root or the end may go unnoticed while a root is followed.
const LOOK_UP_EVERY: Duration = Duration::from_millis(250);
/// Counting NaNs takes at most this share of a processor.
const PAUSE_AFTER_COUNTING: u32 = 10;
/// A look at everything for new rules is waited for this long.
const TAKE_UP_PATIENCE: Duration = Duration::from_secs(2);
/// More running runs than any rule is for.
const MOST_WATCHED: usize = 5_000;
/// A run that began and ended between two looks is told if it ended this lately.
const JUST_NOW_SECS: f64 = 120.0;
/// What may have been written last, and is not in the row yet.
const WRITTEN: [&str; 4] = [
    layout::EVENTS,
    layout::LOGS,
    layout::SUMMARY,
    layout::STATUS,
];

/// Starts the thread. It ends with the server.
pub(crate) fn start(app: &App) -> std::io::Result<()> {
    let Some(orders) = app.alerts().inbox.lock().take() else {
        return Ok(());
    };
    let app = app.downgrade();
    let thread = std::thread::Builder::new().name("alerts".to_owned());
    thread.spawn(move || work(&app, &orders)).map(drop)
}

/// Why a root is no longer followed.
enum Ended {
    /// Another root is shown, or there are no rules.
    Here,
    /// The server stops.
    Altogether,
}

fn work(app: &WeakApp, orders: &Receiver<Order>) {
    let mut waiting = Vec::new();
    while let Some(strong) = app.upgrade() {
        let is_idle = strong.alerts().rules().are_idle();
        if is_idle || strong.shows_samples() {
            for taken_up in std::mem::take(&mut waiting) {
                answer(&taken_up);
            }
            drop(strong);
            match rest(orders, !is_idle) {
                Ok(Some(Order::Rules(taken_up))) => waiting.push(taken_up),
                Ok(Some(Order::Stop)) | Err(Gone) => return,
                Ok(None) => {}
            }
            continue;
        }
        let ended = Following::new(&strong, std::mem::take(&mut waiting)).work(orders);
        if matches!(ended, Ended::Altogether) {
            return;
        }
    }
}

/// The server is gone.
struct Gone;

/// Waits for an order; while samples are shown, looks up now and then, because leaving them is no order.
fn rest(orders: &Receiver<Order>, looks_up: bool) -> Result<Option<Order>, Gone> {
    use std::sync::mpsc::RecvTimeoutError;
    if !looks_up {
        return orders.recv().map(Some).map_err(|_gone| Gone);
    }
    match orders.recv_timeout(LOOK_UP_EVERY) {
        Ok(order) => Ok(Some(order)),
        Err(RecvTimeoutError::Timeout) => Ok(None),
        Err(RecvTimeoutError::Disconnected) => Err(Gone),
    }
}

fn answer(taken_up: &std::sync::mpsc::Sender<()>) {
    // whoever asked may not wait any more
    taken_up.send(()).unwrap_or_default();
}

/// One storage root while it is followed.
struct Following<'a> {
    app: &'a App,
    store: Arc<RunStore>,
    root: String,
    rules: AlertRules,
    watched: BTreeMap<String, WatchedRun>,
    /// Whether `watched` differs from what the history keeps.
    unsaved: bool,
    /// Runs that may have new numbers.
    grown: BTreeSet<String>,
    count_from: Instant,
    /// When the next silence becomes too long, in Unix seconds.
    silent_at: Option<f64>,
    /// The list that was looked at last.
    cursor: Option<String>,
    list_is_new: bool,
    /// When the watch began, in Unix seconds.
    began_at: f64,
    found: Vec<(Arc<RunRow>, Told)>,
    /// Who waits for the rules to be followed.
    waiting: Vec<std::sync::mpsc::Sender<()>>,
}

impl<'a> Following<'a> {
    fn new(app: &'a App, waiting: Vec<std::sync::mpsc::Sender<()>>) -> Self {
        let store = app.store();
        let root = store.root().display().to_string();
        Self {
            app,
            rules: app.alerts().rules(),
            watched: app.alerts().history.watched(&root),
            root,
            store,
            unsaved: false,
            grown: BTreeSet::new(),
            count_from: Instant::now(),
            silent_at: None,
            cursor: None,
            list_is_new: true,
            began_at: unix_now(),
            found: Vec::new(),
            waiting,
        }
    }

    fn work(mut self, orders: &Receiver<Order>) -> Ended {
        let mut switches = self.app.store_switches();
        switches.mark_unchanged();
        if !Arc::ptr_eq(&self.store, &self.app.store()) {
            return Ended::Here;
        }
        let changes = self.store.changes();
        loop {
            if let Some(ended) = self.obey(orders) {
                return ended;
            }
            if switches.has_changed().unwrap_or(true) {
                return Ended::Here;
            }
            self.look_at_list();
            self.count_numbers();
            self.look_at_silence();
            self.tell();
            if self.cursor.is_some() && self.grown.is_empty() {
                for taken_up in std::mem::take(&mut self.waiting) {
                    answer(&taken_up);
                }
            }
            self.wait(&changes);
        }
    }

    fn obey(&mut self, orders: &Receiver<Order>) -> Option<Ended> {
        if self.app.sockets().stopping().is_cancelled() || self.app.is_last_handle() {
            return Some(Ended::Altogether);
        }
        loop {
            match orders.try_recv() {
                Ok(Order::Rules(taken_up)) => {
                    self.waiting.push(taken_up);
                    self.rules = self.app.alerts().rules();
                    if self.rules.are_idle() {
                        self.watched.clear();
                        self.unsaved = true;
                        self.tell();
                        for taken_up in std::mem::take(&mut self.waiting) {
                            answer(&taken_up);
                        }
                        return Some(Ended::Here);
                    }
                    self.cursor = None;
                    self.list_is_new = true;
                }
                Ok(Order::Stop) | Err(TryRecvError::Disconnected) => {
                    return Some(Ended::Altogether);
                }
                Err(TryRecvError::Empty) => return None,
            }
        }
    }

    /// Waits for a change of the store, the next silence or the end of a pause.
    fn wait(&mut self, changes: &ChangeReceiver) {
        let mut patience = LOOK_UP_EVERY;
        if let Some(silent_at) = self.silent_at {
            let secs = (silent_at - unix_now()).clamp(0.01, 1.0);
            patience = patience.min(Duration::from_secs_f64(secs));
        }
        if !self.grown.is_empty() {
            let pause = self.count_from.saturating_duration_since(Instant::now());
            patience = patience.min(pause.max(Duration::from_millis(1)));
        }
        let mut change = changes.next(patience);
        while let Some(one) = change {
            match one {
                StoreChange::Runs { .. } => self.list_is_new = true,
                StoreChange::Run { id } if self.watched.contains_key(id.as_str()) => {
                    self.grown.insert(id.to_string());
                }
                _ => {}
            }
            change = changes.next(Duration::ZERO);
        }
    }

    /// Takes up what is new in the list: runs that are running now, and those that no longer are.
    fn look_at_list(&mut self) {
        if !std::mem::take(&mut self.list_is_new) {
            return;
        }
        if !self.waiting.is_empty() {
            // new rules begin with what is there now, not with a list of a moment ago
            self.store.refresh(TAKE_UP_PATIENCE);
        }
        let list = self.store.list();
        if !list.is_complete() {
            return;
        }
        let delta = self.cursor.as_ref().and_then(|at| list.since_cursor(at));
        self.cursor = Some(list.cursor());
        match delta {
            Some(delta) => {
                for row in &delta.rows {
                    self.look_at(row);
                }
                for gone in &delta.removed {
                    self.unsaved |= self.watched.remove(gone.as_str()).is_some();
                }
            }
            None => self.look_at_all(&list),
        }
        self.silent_at = Some(0.0);
    }

    fn look_at_all(&mut self, list: &RunList) {
        let known = self.watched.len();
        self.watched.retain(|id, _| list.get(id).is_some());
        self.unsaved |= known != self.watched.len();
        for row in list.rows() {
            if row.state() == RunStatus::Running || self.watched.contains_key(row.id.as_str()) {
                self.look_at(row);
            }
        }
    }

    fn look_at(&mut self, row: &Arc<RunRow>) {
        let id = row.id.as_str();
        let wanted = self.rules.wanted(row);
        let is_known = self.watched.contains_key(id);
        if row.state() == RunStatus::Running {
            if wanted.is_nothing() {
                self.unsaved |= self.watched.remove(id).is_some();
            } else if !is_known && self.watched.len() < MOST_WATCHED {
                self.begin(row);
            } else if is_known {
                self.grown.insert(id.to_owned());
            }
            return;
        }
        let is_new = !is_known && row.created_at >= self.began_at && ended_just_now(row);
        if !is_known && !is_new || wanted.is_nothing() {
            self.unsaved |= self.watched.remove(id).is_some();
            return;
        }
        let Some(row) = confirmed(&self.store, row) else {
            return;
        };
        if is_new {
            self.begin(&row);
        }
        self.count(&row, &wanted);
        self.found
            .extend(judging::end(&row, &wanted).map(|told| (Arc::clone(&row), told)));
        self.unsaved |= self.watched.remove(row.id.as_str()).is_some();
    }

    fn begin(&mut self, row: &RunRow) {
        let is_new = row.created_at >= self.began_at;
        let watched = WatchedRun {
            has_written: false,
            non_finite: is_new.then(BTreeMap::new),
        };
        self.watched.insert(row.id.to_string(), watched);
        self.grown.insert(row.id.to_string());
        self.unsaved = true;
    }

    /// Counts the numbers that are not finite in runs that have grown, with pauses.
    fn count_numbers(&mut self) {
        let started = Instant::now();
        if self.grown.is_empty() || started < self.count_from {
            return;
        }
        let list = self.store.list();
        for id in std::mem::take(&mut self.grown) {
            if let Some(row) = list.get(&id) {
                let wanted = self.rules.wanted(row);
                self.count(row, &wanted);
            }
        }
        self.count_from = Instant::now() + started.elapsed() * PAUSE_AFTER_COUNTING;
    }

    fn count(&mut self, row: &Arc<RunRow>, wanted: &Wanted) {
        let Some(watched) = self.watched.get_mut(row.id.as_str()) else {
            return;
        };
        if !wanted.asks_for_metrics() {
            self.unsaved |= watched.non_finite.take().is_some();
            return;
        }
        let reading = self
            .store
            .find(row.id.as_str())
            .and_then(|run| self.app.metrics().of_run(&run));
        let counts = match reading {
            Ok(reading) => reading.columns.non_finite_counts(),
            Err(error) => {
                tracing::debug!(%error, run = %row.id, "the metrics of a watched run are not read");
                return;
            }
        };
        self.unsaved |= watched.non_finite.is_none();
        let told = judging::non_finite(watched, wanted, &counts);
        self.found.extend(told.map(|told| (Arc::clone(row), told)));
    }

    /// Looks for runs that write nothing, when the first of them may be silent for too long.
    fn look_at_silence(&mut self) {
        let now = unix_now();
        if self.silent_at.is_none_or(|at| at > now) {
            return;
        }
        self.silent_at = None;
        let list = self.store.list();
        for (id, watched) in &mut self.watched {
            let Some(row) = list.get(id) else { continue };
            let wanted = self.rules.wanted(row);
            let before = watched.has_written;
            let mut look = judging::silence(watched, &wanted, last_write_at(row), now);
            if matches!(look, Silence::TooLong(_)) {
                // the row may be a little behind the files
                let last = last_write_in_files(&self.store, row);
                watched.has_written = before;
                look = judging::silence(watched, &wanted, last, now);
            }
            self.unsaved |= watched.has_written != before;
            match look {
                Silence::OfNoInterest => {}
                Silence::Until(at) => {
                    let soonest = self.silent_at.map_or(at, |soonest| soonest.min(at));
                    self.silent_at = Some(soonest);
                }
                Silence::TooLong(told) => self.found.push((Arc::clone(row), told)),
            }
        }
    }

    fn tell(&mut self) {
        let alerts: &Alerts = self.app.alerts();
        let events: Vec<AlertEvent> = std::mem::take(&mut self.found)
            .into_iter()
            .map(|(row, told)| event_of(&self.root, &row, told))
            .filter(|event| !alerts.history.is_told(event))
            .collect();
        if events.is_empty() && !self.unsaved {
            return;
        }
        self.unsaved = false;
        let fresh = alerts.history.keep(&self.root, &self.watched, &events);
        alerts.tell(&fresh, self.app.config().desktop.as_deref());
    }
}

/// A process that ends writes its status and is gone: what was read before and seen gone after must be read again.
pub(crate) fn confirmed(store: &RunStore, row: &Arc<RunRow>) -> Option<Arc<RunRow>> {
    if row.reason != StatusReason::ProcessGone {
        return Some(Arc::clone(row));
    }
    store.touch(std::slice::from_ref(&row.id));
    let now = store.list().get(row.id.as_str()).map(Arc::clone)?;
    (now.state() != RunStatus::Running).then_some(now)
}

fn event_of(root: &str, row: &RunRow, told: Told) -> AlertEvent {
    let alias = row
        .alias
        .as_deref()
        .filter(|alias| !alias.trim().is_empty());
    let name = alias.unwrap_or(row.id.as_str());
    AlertEvent {
        id: 0,
        at: unix_now(),
        root: root.to_owned(),
        run: row.id.to_string(),
        name: name.chars().take(200).collect(),
        path: row.path.to_string(),
        told,
    }
}

fn ended_just_now(row: &RunRow) -> bool {
    let ended_at = row.ended_at.or(row.last_write_at);
    ended_at.is_some_and(|at| (unix_now() - at).abs() < JUST_NOW_SECS)
}

fn last_write_at(row: &RunRow) -> f64 {
    row.last_write_at
        .or(row.started_at)
        .unwrap_or(row.created_at)
}

fn last_write_in_files(store: &RunStore, row: &RunRow) -> f64 {
    let Ok(run) = store.find(row.id.as_str()) else {
        return last_write_at(row);
    };
    let times = WRITTEN.iter().filter_map(|name| run.stat(name).ok());
    times
        .map(|file| file.modified_ns as f64 / 1e9)
        .fold(last_write_at(row), f64::max)
}
