//! How often a target has refused a login of late: five a minute, then it is left alone, whatever a page or program asks for.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::error::{RemoteError, RemoteResult};
use crate::target::Target;

const REFUSALS: usize = 5;
const WINDOW: Duration = Duration::from_mins(1);

/// Refusals of the last minute.
#[derive(Default)]
pub(super) struct Attempts(Mutex<HashMap<Target, VecDeque<Instant>>>);

impl Attempts {
    /// # Errors
    /// [`RemoteError::TooManyAttempts`] while the target is to be left alone.
    pub(super) fn check(&self, target: &Target) -> RemoteResult<()> {
        self.check_at(target, Instant::now())
    }

    /// Counts a refusal.
    pub(super) fn count(&self, target: &Target) {
        self.count_at(target, Instant::now());
    }

    fn check_at(&self, target: &Target, now: Instant) -> RemoteResult<()> {
        let mut refusals = self.0.lock();
        forget_old(&mut refusals, now);
        match refusals.get(target) {
            Some(of_target) if of_target.len() >= REFUSALS => {
                let oldest = of_target.front().copied().unwrap_or(now);
                let left = (oldest + WINDOW).saturating_duration_since(now);
                Err(RemoteError::TooManyAttempts {
                    target: target.clone(),
                    retry_after_secs: left.as_secs() + 1,
                })
            }
            _ => Ok(()),
        }
    }

    fn count_at(&self, target: &Target, now: Instant) {
        let mut refusals = self.0.lock();
        forget_old(&mut refusals, now);
        refusals.entry(target.clone()).or_default().push_back(now);
    }
}

fn forget_old(refusals: &mut HashMap<Target, VecDeque<Instant>>, now: Instant) {
    refusals.retain(|_, of_target| {
        of_target.retain(|at| now.saturating_duration_since(*at) < WINDOW);
        !of_target.is_empty()
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_five_refusals_a_target_is_left_alone_for_the_rest_of_the_minute() {
        let attempts = Attempts::default();
        let target = Target::new("u", "h", 22).unwrap();
        let other = Target::new("v", "h", 22).unwrap();
        let start = Instant::now();
        for _ in 0..5 {
            assert!(attempts.check_at(&target, start).is_ok());
            attempts.count_at(&target, start);
        }
        let Err(RemoteError::TooManyAttempts {
            retry_after_secs, ..
        }) = attempts.check_at(&target, start + Duration::from_secs(20))
        else {
            panic!("not refused");
        };
        assert!((40..=41).contains(&retry_after_secs), "{retry_after_secs}");
        assert!(attempts.check_at(&other, start).is_ok());
        assert!(attempts.check_at(&target, start + WINDOW).is_ok());
    }
}
