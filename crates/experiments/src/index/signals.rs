//! How callers and the indexing thread talk: who is looking, what was asked for, what is done.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

/// Nobody counts as looking this long after the last question.
const INTEREST: Duration = Duration::from_secs(10);
/// How often everything that is not watched is looked at while somebody is looking.
const PERIOD: Duration = Duration::from_millis(1500);
/// What was asked for again within this time was fresh enough.
const FRESH: Duration = Duration::from_secs(2);
/// Even what is watched is looked at again after this long.
const TRUST: Duration = Duration::from_mins(1);
/// A pass that takes less may be made for a single question.
const QUICK: Duration = Duration::from_millis(20);
/// The first look at a root whose list of last time is known is waited for so long, by all who ask together.
const REMEMBERED: Duration = Duration::from_millis(60);
/// Reports that come this close together are taken in one pass.
const GATHER: Duration = Duration::from_millis(15);

/// What the next pass has to do.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Pass {
    pub(crate) ticket: u64,
    /// Look at everything, watched or not.
    pub(crate) full: bool,
    /// Runs that we changed ourselves.
    pub(crate) touched: HashSet<String>,
    /// Look at the folders and those runs only.
    pub(crate) only_touched: bool,
}

/// How much a pass looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Depth {
    Unwatched,
    Everything,
}

#[derive(Debug, Default)]
struct State {
    stop: bool,
    requested: u64,
    served: u64,
    wanted: Option<Depth>,
    touched: HashSet<String>,
    looked_at: Option<Instant>,
    /// When the first of the reports came that no pass took up yet.
    reported: Option<Instant>,
    last_pass: Option<Instant>,
    last_full: Option<Instant>,
    last_took: Duration,
    complete: bool,
    /// The indexing thread has kept what it knows and works no more.
    ended: bool,
    /// Until then the first look at a root that is remembered is waited for.
    first_look_until: Option<Instant>,
}

/// The letter box between callers and the indexing thread.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    state: Mutex<State>,
    wake: Condvar,
    done: Condvar,
}

impl Signals {
    /// Somebody looks at the list. When it may be out of date a pass is asked for and awaited, at most `patience`.
    pub(crate) fn look(&self, patience: Duration) {
        let now = Instant::now();
        let mut state = self.state.lock();
        state.looked_at = Some(now);
        let mut until = now + patience;
        if state.last_pass.is_none() {
            state.requested += 1;
            self.wake.notify_all();
            while !state.complete && !state.stop {
                if self.done.wait_until(&mut state, until).timed_out() {
                    return;
                }
            }
            until = *state
                .first_look_until
                .get_or_insert(Instant::now() + REMEMBERED);
        }
        let fresh = state.last_pass.is_some_and(|last| last.elapsed() < FRESH);
        if !fresh {
            state.wanted = state.wanted.max(Some(Depth::Unwatched));
            self.ask_and_wait(state, until);
        } else if state.reported.is_some() && state.last_took < QUICK {
            // what was reported just now is taken up by the pass that this asks for
            state.wanted = state.wanted.max(Some(Depth::Unwatched));
            self.ask_and_wait(state, until);
        } else {
            // nobody may have looked before, and then the thread waits for no time of its own
            self.wake.notify_all();
        }
    }

    /// Asks for a pass without waiting for it.
    pub(crate) fn ask(&self) {
        self.state.lock().requested += 1;
        self.wake.notify_all();
    }

    /// Asks for a pass over these runs and the folders, and waits for it.
    pub(crate) fn touch(&self, ids: impl Iterator<Item = String>, patience: Duration) -> bool {
        let mut state = self.state.lock();
        state.touched.extend(ids);
        self.ask_and_wait(state, Instant::now() + patience)
    }

    /// Asks for a pass over everything, and waits for it.
    pub(crate) fn refresh(&self, patience: Duration) -> bool {
        let mut state = self.state.lock();
        state.wanted = Some(Depth::Everything);
        self.ask_and_wait(state, Instant::now() + patience)
    }

    fn ask_and_wait(&self, mut state: parking_lot::MutexGuard<'_, State>, until: Instant) -> bool {
        state.requested += 1;
        let ticket = state.requested;
        self.wake.notify_all();
        while state.served < ticket && !state.stop {
            if self.done.wait_until(&mut state, until).timed_out() {
                break;
            }
        }
        state.served >= ticket
    }

    /// Waits until the whole root was looked at once, or its list of last time is there.
    pub(crate) fn wait_complete(&self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        let mut state = self.state.lock();
        state.looked_at = Some(Instant::now());
        while !state.complete && !state.stop {
            if self.done.wait_until(&mut state, until).timed_out() {
                break;
            }
        }
        state.complete
    }

    /// The list can be used: the first pass is done, or the list of last time was read.
    pub(crate) fn set_complete(&self) {
        self.state.lock().complete = true;
        self.done.notify_all();
    }

    /// Watched folders reported something.
    pub(crate) fn report(&self) {
        let mut state = self.state.lock();
        state.reported.get_or_insert_with(Instant::now);
        self.wake.notify_all();
    }

    pub(crate) fn stop(&self) {
        self.state.lock().stop = true;
        self.wake.notify_all();
        self.done.notify_all();
    }

    /// The indexing thread is done.
    pub(crate) fn set_ended(&self) {
        self.state.lock().ended = true;
        self.done.notify_all();
    }

    /// Waits until the indexing thread is done, at most `patience`.
    pub(crate) fn wait_ended(&self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        let mut state = self.state.lock();
        while !state.ended {
            if self.done.wait_until(&mut state, until).timed_out() {
                break;
            }
        }
        state.ended
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.state.lock().stop
    }

    /// Waits for the next thing to do; `None` when the store is closed. `heard` says whether somebody listens to changes.
    pub(crate) fn next_pass(&self, heard: &dyn Fn() -> bool) -> Option<Pass> {
        let mut state = self.state.lock();
        loop {
            if state.stop {
                return None;
            }
            let now = Instant::now();
            match state.due(now, heard()) {
                Some(due) if due <= now => return Some(state.take(now)),
                Some(due) => {
                    self.wake.wait_until(&mut state, due);
                }
                None => self.wake.wait(&mut state),
            }
        }
    }

    /// The pass is over; it took this long.
    pub(crate) fn finish(&self, pass: &Pass, took: Duration) {
        let mut state = self.state.lock();
        let now = Instant::now();
        if !pass.only_touched {
            state.last_pass = Some(now);
        }
        if pass.full {
            state.last_full = Some(now);
        }
        state.last_took = took;
        state.served = state.served.max(pass.ticket);
        self.done.notify_all();
    }
}

impl State {
    /// When the next pass is due; `None` when there is nothing to wait for but a question.
    fn due(&self, now: Instant, heard: bool) -> Option<Instant> {
        if self.requested > self.served {
            return Some(now);
        }
        let interested = heard
            || self
                .looked_at
                .is_some_and(|at| now.duration_since(at) < INTEREST);
        if !interested {
            return None;
        }
        let last = self.last_pass.unwrap_or(now);
        let pause = self.last_took * 2;
        if let Some(reported) = self.reported {
            return Some((reported + GATHER).max(last + pause));
        }
        Some(last + PERIOD.max(pause))
    }

    fn take(&mut self, now: Instant) -> Pass {
        let full = self.wanted == Some(Depth::Everything)
            || self
                .last_full
                .is_none_or(|last| now.duration_since(last) > TRUST);
        let asked = self.requested > self.served;
        let only_touched = asked && !full && self.wanted.is_none() && !self.touched.is_empty();
        self.wanted = None;
        self.reported = None;
        let touched = std::mem::take(&mut self.touched);
        Pass {
            ticket: self.requested,
            full,
            touched,
            only_touched,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOT_LONG: Duration = Duration::from_millis(1);

    fn state(change: impl FnOnce(&mut State)) -> State {
        let mut state = State {
            last_pass: Some(Instant::now()),
            last_full: Some(Instant::now()),
            ..State::default()
        };
        change(&mut state);
        state
    }

    #[test]
    fn nothing_is_done_when_nobody_looks() {
        let now = Instant::now();
        assert_eq!(
            state(|state| state.reported = Some(now)).due(now, false),
            None
        );
        let later = now + INTEREST;
        assert_eq!(
            state(|state| state.looked_at = Some(now)).due(later, false),
            None
        );
    }

    #[test]
    fn what_is_not_watched_is_looked_at_within_two_seconds_while_somebody_looks() {
        let now = Instant::now();
        let due = state(|state| state.looked_at = Some(now))
            .due(now, false)
            .unwrap();
        assert!(due <= now + FRESH);
        assert!(state(|_| ()).due(now, true).unwrap() <= now + FRESH);
    }

    #[test]
    fn a_report_is_taken_up_quickly() {
        let now = Instant::now();
        let reported = state(|state| state.reported = Some(now));
        assert!(reported.due(now, true).unwrap() <= now + Duration::from_millis(50));
    }

    #[test]
    fn a_first_look_soon_after_a_pass_starts_the_looking_again() {
        let signals = std::sync::Arc::new(Signals::default());
        signals.ask();
        let first = signals.next_pass(&|| false).unwrap();
        signals.finish(&first, Duration::ZERO);
        let thread = std::thread::spawn({
            let signals = std::sync::Arc::clone(&signals);
            move || signals.next_pass(&|| false)
        });
        // It waits without an end now, because nobody looks; the look itself is fresh and asks for nothing.
        std::thread::sleep(Duration::from_millis(50));
        signals.look(Duration::ZERO);
        let end = Instant::now() + Duration::from_secs(30);
        while !thread.is_finished() {
            assert!(Instant::now() < end, "the root is never looked at again");
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(thread.join().unwrap().is_some());
    }

    #[test]
    fn slow_passes_leave_the_machine_time_for_others() {
        let now = Instant::now();
        let slow = state(|state| state.last_took = Duration::from_secs(3));
        assert!(slow.due(now, true).unwrap() >= now + Duration::from_secs(5));
    }

    #[test]
    fn a_question_is_answered_by_the_pass_after_it() {
        let signals = Signals::default();
        assert!(!signals.touch(["a".to_owned()].into_iter(), NOT_LONG));
        let first = signals.next_pass(&|| false).unwrap();
        assert!(first.full, "the first pass looks at everything");
        signals.finish(&first, Duration::ZERO);
        assert!(!signals.touch(["b".to_owned()].into_iter(), NOT_LONG));
        let second = signals.next_pass(&|| false).unwrap();
        assert!(second.only_touched);
        assert_eq!(second.touched, HashSet::from(["b".to_owned()]));
        signals.stop();
        assert_eq!(signals.next_pass(&|| false), None);
    }
}
