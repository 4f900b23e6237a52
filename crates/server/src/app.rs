//! The handles that a handler may use. Cheap to clone.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use runicorn_experiments::logs::Logs;
use runicorn_experiments::metrics::cache::{DEFAULT_LIMIT_BYTES, MetricCache};
use runicorn_experiments::{AssetCatalog, RunStore, StoreConfig, StoreError, ValueCache};
use runicorn_telemetry::{HistoryFile, HistoryPlan, Telemetry, TelemetryConfig};
use tokio::sync::watch;

use crate::StartError;
use crate::access::Access;
use crate::alerts::Alerts;
use crate::annotations::Annotations;
use crate::blocking::LeftWork;
use crate::config::Config;
#[cfg(feature = "hosts")]
use crate::host_handles::HostHandles;
use crate::list_answers::ListAnswers;
use crate::preferences::Preferences;
use crate::rate_limit::RateLimits;
use crate::recent_roots::RecentRoots;
use crate::sdk_config::SdkConfig;
use crate::sockets::Sockets;
#[cfg(feature = "thumbnails")]
use crate::thumbnails::Thumbnails;

/// The handles that a handler may use.
#[derive(Clone)]
pub struct App(Arc<Handles>);

/// The same for a thread that must not keep a server alive.
pub(crate) struct WeakApp(Weak<Handles>);

impl WeakApp {
    pub(crate) fn upgrade(&self) -> Option<App> {
        self.0.upgrade().map(App)
    }
}

struct Handles {
    config: Config,
    access: Access,
    store: ArcSwap<RunStore>,
    metrics: MetricCache,
    values: ValueCache,
    assets: AssetCatalog,
    #[cfg(feature = "thumbnails")]
    thumbnails: Thumbnails,
    logs: Arc<Logs>,
    /// The root to go back to, while the samples are shown.
    root_behind_samples: Mutex<Option<PathBuf>>,
    store_switches: watch::Sender<u64>,
    recent_roots: RecentRoots,
    list_answers: ListAnswers,
    annotations: Annotations,
    preferences: Preferences,
    alerts: Alerts,
    telemetry: Telemetry,
    #[cfg(feature = "hosts")]
    hosts: HostHandles,
    rate_limits: RateLimits,
    sockets: Sockets,
    left_work: LeftWork,
    started: Instant,
    last_use_millis: AtomicU64,
}

impl App {
    pub(crate) fn new(config: Config) -> Result<Self, StartError> {
        let store = open_store(&config, config.root.clone())?;
        let recent_roots = RecentRoots::at(&config.folders.state);
        recent_roots.note(store.root());
        let annotations = Annotations::at(&config.folders.state);
        let preferences = Preferences::at(&config.folders.state);
        let telemetry = start_telemetry(&config, &preferences).map_err(StartError::Telemetry)?;
        Ok(Self(Arc::new(Handles {
            access: Access::new(config.allowed_origins.clone()),
            rate_limits: RateLimits::at(&config.folders.sdk_config),
            store: ArcSwap::new(store),
            logs: Arc::default(),
            metrics: MetricCache::new(config.folders.cache.join("metrics"), DEFAULT_LIMIT_BYTES),
            values: ValueCache::default(),
            assets: AssetCatalog::default(),
            #[cfg(feature = "thumbnails")]
            thumbnails: Thumbnails::below(&config.folders.cache),
            root_behind_samples: Mutex::new(None),
            store_switches: watch::Sender::new(0),
            annotations,
            preferences,
            alerts: Alerts::at(&config.folders.state),
            telemetry,
            #[cfg(feature = "hosts")]
            hosts: HostHandles::new(&config),
            recent_roots,
            list_answers: ListAnswers::default(),
            sockets: Sockets::default(),
            left_work: LeftWork::default(),
            started: Instant::now(),
            last_use_millis: AtomicU64::new(0),
            config,
        })))
    }

    /// How this server was set up.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// The storage root that is shown now.
    pub fn store(&self) -> Arc<RunStore> {
        self.0.store.load_full()
    }

    /// Metrics of runs that were looked at lately.
    pub fn metrics(&self) -> &MetricCache {
        &self.0.metrics
    }

    /// Values of runs for the columns of a table.
    pub(crate) fn values(&self) -> &ValueCache {
        &self.0.values
    }

    /// Assets of all runs.
    pub(crate) fn assets(&self) -> &AssetCatalog {
        &self.0.assets
    }

    /// Small pictures.
    #[cfg(feature = "thumbnails")]
    pub(crate) fn thumbnails(&self) -> &Thumbnails {
        &self.0.thumbnails
    }

    /// Logs of runs.
    pub fn logs(&self) -> &Arc<Logs> {
        &self.0.logs
    }

    /// Shows another root from the next request on. Blocks.
    pub(crate) fn show_root(&self, root: PathBuf) -> Result<Arc<RunStore>, StoreError> {
        let mut behind = self.0.root_behind_samples.lock();
        let store = self.switch_to(root)?;
        *behind = None;
        self.0.recent_roots.note(store.root());
        Ok(store)
    }

    /// Shows the sample root in place of the chosen one, which [`Self::leave_samples`] brings back. Blocks.
    pub(crate) fn show_samples(&self, root: PathBuf) -> Result<Arc<RunStore>, StoreError> {
        let mut behind = self.0.root_behind_samples.lock();
        let chosen = self.store().root().to_path_buf();
        let store = self.switch_to(root)?;
        behind.get_or_insert(chosen);
        Ok(store)
    }

    /// Goes back to the chosen root. Blocks.
    pub(crate) fn leave_samples(&self) -> Result<Arc<RunStore>, StoreError> {
        let mut behind = self.0.root_behind_samples.lock();
        match behind.take() {
            Some(root) => self.switch_to(root),
            None => Ok(self.store()),
        }
    }

    /// True while the sample root is shown.
    pub(crate) fn shows_samples(&self) -> bool {
        self.0.root_behind_samples.lock().is_some()
    }

    /// Roots that were shown before, latest first.
    pub(crate) fn recent_roots(&self) -> Vec<PathBuf> {
        self.0.recent_roots.list()
    }

    /// Ticks when another root is shown.
    pub(crate) fn store_switches(&self) -> watch::Receiver<u64> {
        self.0.store_switches.subscribe()
    }

    /// Long lists that are ready to be sent.
    pub(crate) fn list_answers(&self) -> &ListAnswers {
        &self.0.list_answers
    }

    /// The SDK's own configuration file.
    pub(crate) fn sdk_config(&self) -> SdkConfig {
        SdkConfig::at(&self.0.config.folders.sdk_config)
    }

    /// What people keep beside their runs.
    pub(crate) fn annotations(&self) -> &Annotations {
        &self.0.annotations
    }

    /// What a person set on the page.
    pub(crate) fn preferences(&self) -> &Preferences {
        &self.0.preferences
    }

    /// What a person wants to be told of, and what happened.
    pub(crate) fn alerts(&self) -> &Alerts {
        &self.0.alerts
    }

    pub(crate) fn downgrade(&self) -> WeakApp {
        WeakApp(Arc::downgrade(&self.0))
    }

    /// Nobody but the caller holds this server any more.
    pub(crate) fn is_last_handle(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    /// What this machine is doing.
    pub(crate) fn telemetry(&self) -> &Telemetry {
        &self.0.telemetry
    }

    /// What there is for other machines.
    #[cfg(feature = "hosts")]
    pub(crate) fn hosts(&self) -> &HostHandles {
        &self.0.hosts
    }

    /// Our folder for what must be kept.
    pub(crate) fn state_dir(&self) -> &Path {
        &self.0.config.folders.state
    }

    pub(crate) fn access(&self) -> &Access {
        &self.0.access
    }

    pub(crate) fn rate_limits(&self) -> &RateLimits {
        &self.0.rate_limits
    }

    pub(crate) fn left_work(&self) -> &LeftWork {
        &self.0.left_work
    }

    pub(crate) fn sockets(&self) -> &Sockets {
        &self.0.sockets
    }

    /// Notes that somebody is here.
    pub(crate) fn note_use(&self) {
        let millis = u64::try_from(self.0.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.last_use_millis.store(millis, Ordering::Relaxed);
    }

    /// How long nobody has been here; zero while a socket is open.
    pub(crate) fn idle_time(&self) -> Duration {
        if self.0.sockets.open() > 0 {
            return Duration::ZERO;
        }
        let last_use = Duration::from_millis(self.0.last_use_millis.load(Ordering::Relaxed));
        self.0.started.elapsed().saturating_sub(last_use)
    }

    pub(crate) async fn stop(&self) {
        let limits = self.0.config.limits;
        self.0.alerts.stop();
        let store = self.store();
        let index = tokio::task::spawn_blocking(move || store.close(limits.stop_time));
        let sockets = async {
            self.0.sockets.stop(limits.stop_time).await;
            if !matches!(index.await, Ok(true)) {
                tracing::info!(
                    "the run index was not kept in time; the next start reads what changed"
                );
            }
        };
        #[cfg(feature = "hosts")]
        tokio::join!(sockets, self.0.hosts.stop(&self.0.config));
        #[cfg(not(feature = "hosts"))]
        sockets.await;
        self.0.telemetry.stop().await;
    }

    fn switch_to(&self, root: PathBuf) -> Result<Arc<RunStore>, StoreError> {
        let store = open_store(&self.0.config, root)?;
        self.0.store.store(Arc::clone(&store));
        self.0.store_switches.send_modify(|switches| *switches += 1);
        Ok(store)
    }
}

fn open_store(config: &Config, root: PathBuf) -> Result<Arc<RunStore>, StoreError> {
    RunStore::open(StoreConfig {
        root,
        cache_dir: config.folders.cache.clone(),
        state_dir: config.folders.state.clone(),
        host_name: config.host_name.clone(),
        processes: config.processes.clone(),
        ..StoreConfig::default()
    })
}

fn start_telemetry(config: &Config, preferences: &Preferences) -> std::io::Result<Telemetry> {
    let settings = preferences.gpu_history();
    Telemetry::start(TelemetryConfig {
        gpus: (config.gpus)(),
        plan: HistoryPlan {
            enabled: settings.enabled,
            interval_secs: settings.interval_sec,
            keep_secs: settings.max_duration_h * 3600.0,
        },
        history_file: Some(HistoryFile::at(
            config.folders.state.join("gpu-minutes.jsonl"),
        )),
    })
}
