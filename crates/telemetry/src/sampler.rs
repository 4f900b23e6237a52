//! The two threads that read, and what they have read.
//!
//! Requests take the newest reading from a channel; the first one waits for the first reading, no other waits. Lock order:
//! `plan` before `history`; neither is held while a device is read.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use parking_lot::{Condvar, Mutex};
use tokio::sync::watch;

use crate::gpu::GpuSource;
use crate::history::{History, HistoryFile, Minute, MinuteMeans};
use crate::host::HostMonitor;
use crate::sample::{GpuReading, GpuState, HostReading};

/// Somebody who asked this recently is still looking.
const INTEREST: Duration = Duration::from_secs(10);
/// The host is read this often while somebody looks.
const HOST_EVERY: Duration = Duration::from_secs(2);
/// Between the two looks that the first host reading needs.
const HOST_FIRST: Duration = Duration::from_millis(250);
/// Nobody looks and no history is wanted: sleep until woken.
const FOREVER: Duration = Duration::from_hours(1);
/// A driver that hangs does not hold up the end of the server.
const STOP_TIME: Duration = Duration::from_millis(300);
/// A request does not wait longer for the first reading.
const FIRST_READING: Duration = Duration::from_secs(5);

/// What is kept of the GPUs' past.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HistoryPlan {
    /// Read all the time, not only while somebody looks.
    pub enabled: bool,
    /// Seconds from reading to reading; from 0.5 to 3600.
    pub interval_secs: f64,
    /// Seconds that readings stay in memory; at most seven days.
    pub keep_secs: f64,
}

impl HistoryPlan {
    fn bounded(self) -> Self {
        let within = |number: f64, low: f64, high: f64, default: f64| {
            if number.is_finite() {
                number.clamp(low, high)
            } else {
                default
            }
        };
        Self {
            enabled: self.enabled,
            interval_secs: within(self.interval_secs, 0.5, 3600.0, 2.0),
            keep_secs: within(self.keep_secs, 60.0, 7.0 * 86_400.0, 86_400.0),
        }
    }
}

/// What to read, and where the past is kept.
pub struct TelemetryConfig {
    /// The GPUs.
    pub gpus: Box<dyn GpuSource>,
    /// What is kept of their past.
    pub plan: HistoryPlan,
    /// The file of one-minute means; nothing is written without one.
    pub history_file: Option<HistoryFile>,
}

/// The readings of this machine. Reading stops when it is dropped.
pub struct Telemetry {
    shared: Arc<Shared>,
    gpus: watch::Receiver<Option<Arc<GpuReading>>>,
    host: watch::Receiver<Option<Arc<HostReading>>>,
    history_file: Option<HistoryFile>,
}

struct Shared {
    plan: Mutex<Plan>,
    woken: Condvar,
    history: Mutex<History>,
}

struct Plan {
    history: HistoryPlan,
    gpus_asked: Option<Instant>,
    host_asked: Option<Instant>,
    stopped: bool,
}

impl Telemetry {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(config: TelemetryConfig) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            plan: Mutex::new(Plan {
                history: config.plan.bounded(),
                gpus_asked: None,
                host_asked: None,
                stopped: false,
            }),
            woken: Condvar::new(),
            history: Mutex::default(),
        });
        let (gpu_sender, gpus) = watch::channel(None);
        let (host_sender, host) = watch::channel(None);
        let telemetry = Self {
            shared: Arc::clone(&shared),
            gpus,
            host,
            history_file: config.history_file.clone(),
        };
        let gpu_thread = GpuThread {
            shared: Arc::clone(&shared),
            source: config.gpus,
            sender: gpu_sender,
            file: config.history_file,
            means: MinuteMeans::default(),
        };
        std::thread::Builder::new()
            .name("gpus".to_owned())
            .spawn(move || gpu_thread.run())?;
        std::thread::Builder::new()
            .name("host".to_owned())
            .spawn(move || read_host(&shared, &host_sender))?;
        Ok(telemetry)
    }

    /// The newest look at the GPUs; waits only for the first.
    pub async fn gpus(&self) -> Arc<GpuReading> {
        self.ask(|plan| plan.gpus_asked = Some(Instant::now()));
        let waited = tokio::time::timeout(FIRST_READING, first(self.gpus.clone())).await;
        waited.ok().flatten().unwrap_or_else(|| {
            let reason = "The NVIDIA driver has not answered yet".to_owned();
            Arc::new(GpuReading {
                taken_at: unix_now(),
                state: GpuState::Absent { reason },
            })
        })
    }

    /// The newest look at the host; waits only for the first. `None` where the system tells nothing.
    pub async fn host(&self) -> Option<Arc<HostReading>> {
        self.ask(|plan| plan.host_asked = Some(Instant::now()));
        tokio::time::timeout(FIRST_READING, first(self.host.clone()))
            .await
            .ok()
            .flatten()
    }

    /// Readings after a time, oldest first, at most `limit` of them spread evenly; without processes.
    pub fn history(&self, after: f64, limit: usize) -> Vec<GpuReading> {
        self.history_between(after, f64::INFINITY, limit)
    }

    /// The same up to a time.
    pub fn history_between(&self, after: f64, until: f64, limit: usize) -> Vec<GpuReading> {
        self.shared.history.lock().between(after, until, limit)
    }

    /// One-minute means from a time on, from the file. Blocks.
    pub fn minutes(&self, from: f64) -> Vec<Minute> {
        self.history_file
            .as_ref()
            .map(|file| file.since(from))
            .unwrap_or_default()
    }

    /// What is kept.
    pub fn plan(&self) -> HistoryPlan {
        self.shared.plan.lock().history
    }

    /// Changes what is kept, at once; numbers out of bounds are moved to the nearest that is possible.
    pub fn set_plan(&self, plan: HistoryPlan) -> HistoryPlan {
        let plan = plan.bounded();
        self.ask(|current| current.history = plan);
        plan
    }

    /// Stops reading and waits (for a bounded time) until the minute that was begun is written.
    pub async fn stop(&self) {
        self.ask(|plan| plan.stopped = true);
        let mut gpus = self.gpus.clone();
        // The thread's end of the channel goes away with the thread.
        let ended = async { while gpus.changed().await.is_ok() {} };
        if tokio::time::timeout(STOP_TIME, ended).await.is_err() {
            tracing::warn!(
                "the NVIDIA driver holds a reading back; it is left to the end of the process"
            );
        }
    }

    fn ask(&self, change: impl FnOnce(&mut Plan)) {
        change(&mut self.shared.plan.lock());
        self.shared.woken.notify_all();
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        self.ask(|plan| plan.stopped = true);
    }
}

async fn first<T: Clone>(mut receiver: watch::Receiver<Option<T>>) -> Option<T> {
    let reading = receiver.wait_for(Option::is_some).await.ok()?;
    reading.clone()
}

struct GpuThread {
    shared: Arc<Shared>,
    source: Box<dyn GpuSource>,
    sender: watch::Sender<Option<Arc<GpuReading>>>,
    file: Option<HistoryFile>,
    means: MinuteMeans,
}

impl GpuThread {
    fn run(mut self) {
        let mut due = Instant::now();
        while let Some(plan) = self.wait_until(due) {
            let reading = GpuReading {
                taken_at: unix_now(),
                state: self.source.read(),
            };
            due = Instant::now() + Duration::from_secs_f64(plan.interval_secs);
            if plan.enabled {
                self.remember(&reading, plan);
            }
            if self.sender.send(Some(Arc::new(reading))).is_err() {
                return;
            }
        }
        if let Some(minute) = self.means.finish() {
            self.write(&minute);
        }
    }

    /// Sleeps until the next reading is wanted and due; `None` when it is over.
    fn wait_until(&self, due: Instant) -> Option<HistoryPlan> {
        let mut plan = self.shared.plan.lock();
        loop {
            if plan.stopped {
                return None;
            }
            let is_wanted = plan.history.enabled || is_recent(plan.gpus_asked);
            let now = Instant::now();
            if is_wanted && now >= due {
                return Some(plan.history);
            }
            let until = if is_wanted { due } else { now + FOREVER };
            self.shared.woken.wait_until(&mut plan, until);
        }
    }

    fn remember(&mut self, reading: &GpuReading, plan: HistoryPlan) {
        self.shared.history.lock().push(reading, plan.keep_secs);
        if let Some(minute) = self.means.push(reading) {
            self.write(&minute);
        }
    }

    fn write(&self, minute: &Minute) {
        if let Some(file) = &self.file
            && let Err(error) = file.append(minute)
        {
            tracing::warn!(%error, "a minute of GPU history is lost");
        }
    }
}

fn read_host(shared: &Shared, sender: &watch::Sender<Option<Arc<HostReading>>>) {
    let mut monitor = None;
    let mut due = Instant::now();
    loop {
        let mut plan = shared.plan.lock();
        if plan.stopped {
            return;
        }
        let is_wanted = is_recent(plan.host_asked);
        let now = Instant::now();
        if !is_wanted || now < due {
            let until = if is_wanted { due } else { now + FOREVER };
            shared.woken.wait_until(&mut plan, until);
            continue;
        }
        drop(plan);
        due = now + HOST_EVERY;
        match &mut monitor {
            // The first look has nothing to compare with; the second comes at once.
            None => {
                monitor = HostMonitor::new();
                due = now
                    + if monitor.is_some() {
                        HOST_FIRST
                    } else {
                        FOREVER
                    };
            }
            Some(monitor) => {
                if sender
                    .send(Some(Arc::new(monitor.read(unix_now()))))
                    .is_err()
                {
                    return;
                }
            }
        }
    }
}

fn is_recent(asked: Option<Instant>) -> bool {
    asked.is_some_and(|asked| asked.elapsed() < INTEREST)
}

fn unix_now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::FixedGpus;
    use crate::sample::GpuSample;

    fn start(enabled: bool, file: Option<HistoryFile>) -> Telemetry {
        let sample = GpuSample {
            name: "one".to_owned(),
            util_gpu_percent: Some(50.0),
            ..GpuSample::default()
        };
        let plan = HistoryPlan {
            enabled,
            interval_secs: 0.0,
            keep_secs: 86_400.0,
        };
        let gpus = Box::new(FixedGpus(GpuState::Present(vec![sample])));
        Telemetry::start(TelemetryConfig {
            gpus,
            plan,
            history_file: file,
        })
        .unwrap()
    }

    #[tokio::test]
    async fn the_first_question_waits_for_the_first_reading() {
        let telemetry = start(false, None);
        let reading = telemetry.gpus().await;
        assert!(matches!(&reading.state, GpuState::Present(gpus) if gpus[0].name == "one"));
        let host = telemetry.host().await.unwrap();
        assert!(host.memory.total_bytes > 0);
    }

    #[tokio::test]
    async fn history_is_kept_only_when_wanted_and_can_be_switched_while_running() {
        let telemetry = start(false, None);
        telemetry.gpus().await;
        assert!(telemetry.history(0.0, 10).is_empty());
        let plan = telemetry.set_plan(HistoryPlan {
            enabled: true,
            interval_secs: f64::NAN,
            keep_secs: 1e12,
        });
        assert_eq!((plan.interval_secs, plan.keep_secs), (2.0, 604_800.0));
        telemetry.set_plan(HistoryPlan {
            enabled: true,
            interval_secs: 0.5,
            keep_secs: 86_400.0,
        });
        let mut gpus = telemetry.gpus.clone();
        gpus.borrow_and_update();
        gpus.changed().await.unwrap();
        assert!(!telemetry.history(0.0, 10).is_empty());
    }

    #[tokio::test]
    async fn the_minute_that_was_begun_is_written_when_reading_stops() {
        let folder = tempfile::tempdir().unwrap();
        let file = HistoryFile::at(folder.path().join("minutes.jsonl"));
        let telemetry = start(true, Some(file.clone()));
        telemetry.gpus().await;
        telemetry.stop().await;
        let minutes = file.since(0.0);
        assert_eq!(minutes.len(), 1, "{minutes:?}");
        assert_eq!(minutes[0].gpus[0].util_gpu_percent, Some(50.0));
    }
}
