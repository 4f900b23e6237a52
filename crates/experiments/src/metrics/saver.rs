//! The thread that writes columns to the cache folder, one after the other and never while an answer is waited for.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::stored::Job;

/// How long the folder waits for quiet: a first look at a run is followed by others.
const QUIET: Duration = Duration::from_secs(2);

#[derive(Debug, Default)]
pub(crate) struct Saver {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Job>,
    writing: bool,
    hurry: bool,
    stop: bool,
}

impl Saver {
    /// Takes a job; a newer one for the same file replaces an older one that still waits.
    pub(crate) fn save(&self, job: Job) {
        let mut state = self.shared.state.lock();
        state
            .waiting
            .retain(|waiting| waiting.target() != job.target());
        state.waiting.push_back(job);
        drop(state);
        self.shared.changed.notify_all();
        let mut thread = self.thread.lock();
        if thread.is_none() {
            let shared = Arc::clone(&self.shared);
            let started = std::thread::Builder::new()
                .name("metric columns".to_owned())
                .spawn(move || shared.run());
            match started {
                Ok(handle) => *thread = Some(handle),
                Err(error) => tracing::warn!(%error, "metric columns are not kept on disk"),
            }
        }
    }

    /// Waits until nothing waits.
    pub(crate) fn flush(&self) {
        let mut state = self.shared.state.lock();
        while self.thread.lock().is_some() && (state.writing || !state.waiting.is_empty()) {
            state.hurry = true;
            self.shared.changed.notify_all();
            self.shared.changed.wait(&mut state);
        }
        state.hurry = false;
    }
}

impl Drop for Saver {
    fn drop(&mut self) {
        self.shared.state.lock().stop = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.lock().take() {
            drop(thread.join());
        }
    }
}

impl Shared {
    fn run(&self) {
        while let Some(job) = self.next() {
            if let Err(error) = job.write() {
                tracing::warn!(file = %job.target().display(), %error, "metric columns could not be kept");
            }
            // The rows may be the last hold on evicted columns.
            drop(job);
            self.state.lock().writing = false;
            self.changed.notify_all();
        }
    }

    /// The next job, when there has been quiet long enough; `None` when it is time to stop.
    fn next(&self) -> Option<Job> {
        let mut state = self.state.lock();
        loop {
            if state.stop {
                return None;
            }
            if state.waiting.is_empty() {
                self.changed.wait(&mut state);
            } else if (state.hurry || self.changed.wait_for(&mut state, QUIET).timed_out())
                && let Some(job) = state.waiting.pop_front()
            {
                state.writing = true;
                return Some(job);
            }
        }
    }
}
