//! How long things may take; tests shorten them.

use std::time::Duration;

/// The times of sessions.
#[derive(Clone, Debug)]
pub struct Times {
    /// Between two signs of life.
    pub beat: Duration,
    /// Silence after which a session is degraded.
    pub degraded: Duration,
    /// Silence after which the link is cut and made again.
    pub cut: Duration,
    /// How long the far side keeps a viewer without a sign of life. Whole seconds; three at least.
    pub lease: Duration,
    /// How long a process of the far side may take to end before it is killed. Whole seconds.
    pub grace: Duration,
    /// Before the first, second, … further attempt to connect again; the last one goes on without an end.
    pub back_off: Vec<Duration>,
    /// How long a new stream waits while the link is made again.
    pub stream: Duration,
    /// How long a viewer may take to start.
    pub start: Duration,
    /// In which time a viewer may die [`Self::restarts`] times and is still started again.
    pub restarts_within: Duration,
    /// How often a viewer is started again in that time.
    pub restarts: usize,
}

impl Default for Times {
    fn default() -> Self {
        let back_off = [0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0];
        Self {
            beat: Duration::from_secs(2),
            degraded: Duration::from_secs(5),
            cut: Duration::from_secs(15),
            lease: Duration::from_secs(45),
            grace: Duration::from_secs(5),
            back_off: back_off.map(Duration::from_secs_f64).to_vec(),
            stream: Duration::from_secs(10),
            start: Duration::from_secs(90),
            restarts_within: Duration::from_mins(10),
            restarts: 3,
        }
    }
}

impl Times {
    /// How long to wait after `failures` failed attempts.
    pub(crate) fn wait_after(&self, failures: usize) -> Duration {
        let at = failures.saturating_sub(1);
        let last = self.back_off.last();
        self.back_off
            .get(at)
            .or(last)
            .copied()
            .unwrap_or(Duration::from_secs(15))
    }

    /// Seconds of a tick of the far side's guard, and how many quiet ones are the lease.
    pub(crate) fn ticks(&self) -> (u64, u64) {
        let lease = self.lease.as_secs().max(3);
        let tick = (lease / 15).max(1);
        (tick, lease.div_ceil(tick))
    }
}
