//! The handles about other machines, all in one place: a viewer that was pushed to a server is built without them.

use runicorn_remote::{Remote, RemoteEvent};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};

use crate::app::App;
use crate::config::Config;
use crate::connecting::Connecting;
use crate::forwarding::{Ports, WakeWatch};
use crate::recent_hosts::RecentHosts;
use crate::seen_lists::SeenLists;

/// What [`App`] holds for them.
pub(crate) struct HostHandles {
    remote: Remote,
    ports: Ports,
    connecting: Connecting,
    recent_hosts: RecentHosts,
    seen_lists: SeenLists,
    wake_watch: WakeWatch,
}

impl HostHandles {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            remote: Remote::new(config.remote_config()),
            ports: Ports::default(),
            connecting: Connecting::default(),
            recent_hosts: RecentHosts::at(&config.folders.state),
            seen_lists: SeenLists::at(&config.folders.cache),
            wake_watch: WakeWatch::default(),
        }
    }

    /// Ends every viewer on other machines, for a bounded time.
    pub(crate) async fn stop(&self, config: &Config) {
        let stopped = self.remote.shutdown();
        if tokio::time::timeout(config.limits.far_stop_time, stopped)
            .await
            .is_err()
        {
            tracing::warn!("some viewers on other machines end by their own lease");
        }
    }
}

impl App {
    /// Other machines.
    pub(crate) fn remote(&self) -> &Remote {
        &self.hosts().remote
    }

    /// The local ports of sessions on other machines.
    pub(crate) fn ports(&self) -> &Ports {
        &self.hosts().ports
    }

    /// How far attempts to reach other machines are.
    pub(crate) fn connecting(&self) -> &Connecting {
        &self.hosts().connecting
    }

    /// Machines that were looked at before.
    pub(crate) fn recent_hosts(&self) -> &RecentHosts {
        &self.hosts().recent_hosts
    }

    /// Run lists of other machines as they were seen last.
    pub(crate) fn seen_lists(&self) -> &SeenLists {
        &self.hosts().seen_lists
    }

    pub(crate) fn wake_watch(&self) -> &WakeWatch {
        &self.hosts().wake_watch
    }
}

/// What happens to other machines, and to attempts to reach them.
pub(crate) struct HostChanges {
    events: broadcast::Receiver<RemoteEvent>,
    attempts: watch::Receiver<u64>,
}

impl HostChanges {
    pub(crate) fn of(app: &App) -> Self {
        Self {
            events: app.remote().events(),
            attempts: app.connecting().changes(),
        }
    }

    /// Waits for the next change, or for a number of them that were missed.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            Ok(_) | Err(RecvError::Lagged(_)) = self.events.recv() => {}
            Ok(()) = self.attempts.changed() => {}
            else => std::future::pending().await,
        }
    }
}
