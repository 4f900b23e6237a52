//! Noticing that this machine was asleep: the wall clock has gone on and the monotonic one has not.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use crate::app::App;

const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Clocks are set by less than this in daily life.
const JUMP: Duration = Duration::from_secs(3);

/// Whether somebody is watching.
#[derive(Default)]
pub(crate) struct WakeWatch(AtomicBool);

impl WakeWatch {
    /// Watches for as long as there are connections; at most one watcher at a time.
    pub(crate) fn ensure(app: &App) {
        if app.wake_watch().0.swap(true, Ordering::AcqRel) {
            return;
        }
        let app = app.clone();
        tokio::spawn(async move {
            watch(&app).await;
            app.wake_watch().0.store(false, Ordering::Release);
        });
    }
}

async fn watch(app: &App) {
    let stopping = app.sockets().stopping();
    loop {
        let (wall, monotonic) = (SystemTime::now(), Instant::now());
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        let remote = app.remote();
        if has_slept(wall.elapsed().unwrap_or_default(), monotonic.elapsed()) {
            tracing::info!("this machine was asleep; all connections are checked");
            remote.wake();
        }
        if remote.connections().list().is_empty() && remote.sessions().is_empty() {
            return;
        }
    }
}

/// Told from how far either clock went. A machine whose monotonic clock counts sleep shows it as a sleep that took too long.
fn has_slept(wall: Duration, monotonic: Duration) -> bool {
    wall > monotonic + JUMP || monotonic > LOOK_EVERY + JUMP
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_of_the_wall_clock_is_a_sleep_and_a_small_step_is_not() {
        let secs = Duration::from_secs;
        assert!(has_slept(secs(3600), secs(5)));
        assert!(has_slept(secs(60), secs(60)));
        assert!(!has_slept(secs(5), secs(5)));
        assert!(!has_slept(secs(6), secs(5)));
        assert!(!has_slept(secs(0), secs(5)), "a clock set back");
    }
}
