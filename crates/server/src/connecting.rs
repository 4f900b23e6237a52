//! How far each attempt to reach a machine is, and why the last one failed: what the page shows while it waits.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use runicorn_remote::{Phase, Remote, RemoteError, RemoteEvent, RemoteResult, Target};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;

/// More machines than anybody tries at once.
const KEPT: usize = 200;

/// The attempts by machine.
pub(crate) struct Connecting {
    attempts: Mutex<BTreeMap<Target, Attempt>>,
    changes: watch::Sender<u64>,
}

/// The latest attempt.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) phase: Phase,
    /// Why it failed, when it did.
    pub(crate) failure: Option<Failure>,
}

/// Why an attempt failed.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) code: &'static str,
    pub(crate) detail: String,
    pub(crate) phase: Option<Phase>,
}

impl Default for Connecting {
    fn default() -> Self {
        Self {
            attempts: Mutex::default(),
            changes: watch::Sender::new(0),
        }
    }
}

impl Connecting {
    /// The latest attempt to reach a machine, unless it succeeded.
    pub(crate) fn attempt(&self, target: &Target) -> Option<Attempt> {
        self.attempts.lock().get(target).cloned()
    }

    /// The machines that are being reached just now.
    pub(crate) fn under_way(&self) -> Vec<Target> {
        let attempts = self.attempts.lock();
        let under_way = attempts
            .iter()
            .filter(|(_, attempt)| attempt.failure.is_none());
        under_way.map(|(target, _)| target.clone()).collect()
    }

    /// Ticks when any attempt moves.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Forgets the attempt that stood at a question: its answer led in.
    pub(crate) fn reached(&self, target: &Target) {
        self.note(target, None);
    }

    /// Runs an attempt and notes its stages until it is over, or dropped.
    pub(crate) async fn follow<T>(
        &self,
        remote: &Remote,
        target: &Target,
        work: impl Future<Output = RemoteResult<T>>,
    ) -> RemoteResult<T> {
        let mut events = remote.events();
        let abandoned = Abandoned(self, target);
        self.note(target, Some(Attempt::at(Phase::Resolving)));
        let mut work = std::pin::pin!(work);
        let outcome = loop {
            tokio::select! {
                biased;
                event = events.recv() => match event {
                    Ok(RemoteEvent::Connection { target: moved, phase }) if moved == *target => {
                        self.note(target, Some(Attempt::at(phase)));
                    }
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => break work.await,
                },
                outcome = &mut work => break outcome,
            }
        };
        drop(abandoned);
        self.note(target, outcome.as_ref().err().map(Attempt::failed));
        outcome
    }

    fn note(&self, target: &Target, attempt: Option<Attempt>) {
        let mut attempts = self.attempts.lock();
        match attempt {
            Some(attempt) => {
                attempts.insert(target.clone(), attempt);
                while attempts.len() > KEPT {
                    attempts.pop_first();
                }
            }
            None => drop(attempts.remove(target)),
        }
        drop(attempts);
        self.changes.send_modify(|changes| *changes += 1);
    }
}

impl Attempt {
    fn at(phase: Phase) -> Self {
        Self {
            phase,
            failure: None,
        }
    }

    fn failed(error: &RemoteError) -> Self {
        Self {
            phase: Phase::Failed,
            failure: Some(Failure {
                code: error.code(),
                detail: error.to_string(),
                phase: error.phase(),
            }),
        }
    }
}

/// Takes an attempt back whose caller has gone.
struct Abandoned<'a>(&'a Connecting, &'a Target);

impl Drop for Abandoned<'_> {
    fn drop(&mut self) {
        self.0.note(self.1, None);
    }
}
