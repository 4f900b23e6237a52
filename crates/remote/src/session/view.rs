//! What may be seen of a session from outside, at any moment and without waiting.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use crate::connections::Connections;
use crate::error::Phase;
use crate::info::{RemoteEvent, SessionInfo, SessionStatus, Transport, ViewerKind};
use crate::target::Target;
use crate::tunnel::{Connector, Road, Traffic};
use crate::viewer::{Order, Trace};

/// A session, as others see it.
pub(crate) struct Session {
    pub(crate) target: Target,
    pub(crate) order: Order,
    pub(crate) road: watch::Sender<Road>,
    /// Rung when a stream did not get through.
    pub(crate) doubt: Arc<Notify>,
    /// Where it is on the far side.
    pub(crate) trace: Arc<Mutex<Trace>>,
    traffic: Arc<Traffic>,
    connector: Connector,
    began: Instant,
    began_at_millis: i64,
    seen: Mutex<Seen>,
    connections: Connections,
}

/// The part that changes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) viewer: ViewerKind,
    pub(crate) version: Option<String>,
    pub(crate) pid: Option<u32>,
    pub(crate) port: u16,
    pub(crate) transport: Transport,
    pub(crate) status: SessionStatus,
    pub(crate) phase: Phase,
    pub(crate) error: Option<(String, String)>,
    pub(crate) reconnects: u32,
    pub(crate) installed_bytes: u64,
    pub(crate) latency: Option<Duration>,
}

impl Session {
    pub(crate) fn new(
        target: Target,
        order: Order,
        patience: Duration,
        connections: Connections,
    ) -> Self {
        let (road, travellers) = watch::channel(Road::Closed);
        let (traffic, doubt) = (Arc::new(Traffic::default()), Arc::new(Notify::new()));
        let connector = Connector::new(
            travellers,
            traffic.clone(),
            doubt.clone(),
            target.host.clone(),
            patience,
        );
        Self {
            target,
            order,
            road,
            doubt,
            trace: Arc::default(),
            traffic,
            connector,
            began: Instant::now(),
            began_at_millis: now_millis(),
            seen: Mutex::new(Seen {
                viewer: ViewerKind::Bundled,
                version: None,
                pid: None,
                port: 0,
                transport: Transport::Socket,
                status: SessionStatus::Connecting,
                phase: Phase::Checking,
                error: None,
                reconnects: 0,
                installed_bytes: 0,
                latency: None,
            }),
            connections,
        }
    }

    /// Its name.
    pub(crate) fn id(&self) -> &str {
        &self.order.session_id
    }

    /// What opens streams to its viewer.
    pub(crate) fn connector(&self) -> Connector {
        self.connector.clone()
    }

    /// Everything at once.
    pub(crate) fn info(&self) -> SessionInfo {
        let seen = self.seen.lock().clone();
        let (received_bytes, sent_bytes) = self.traffic.bytes();
        SessionInfo {
            session_id: self.order.session_id.clone(),
            target: self.target.clone(),
            remote_root: self.order.root.clone(),
            environment: self.order.environment.clone(),
            viewer: seen.viewer,
            remote_version: seen.version,
            remote_pid: seen.pid,
            remote_port: seen.port,
            transport: seen.transport,
            status: seen.status,
            phase: seen.phase,
            error: seen.error,
            started_at_millis: self.began_at_millis,
            uptime_secs: self.began.elapsed().as_secs_f64(),
            latency_millis: seen.latency.map(|took| took.as_secs_f64() * 1000.0),
            received_bytes,
            sent_bytes,
            reconnects: seen.reconnects,
            installed_bytes: seen.installed_bytes,
        }
    }

    /// Changes what is seen; whoever listens is told when it is something else than the latency.
    pub(crate) fn show(&self, change: impl FnOnce(&mut Seen)) {
        let is_news = {
            let mut seen = self.seen.lock();
            let before = seen.clone();
            change(&mut seen);
            Seen {
                latency: None,
                ..seen.clone()
            } != Seen {
                latency: None,
                ..before
            }
        };
        if is_news {
            self.announce();
        }
    }

    /// Tells whoever listens to look again.
    pub(crate) fn announce(&self) {
        self.connections.announce(RemoteEvent::Session {
            session_id: self.order.session_id.clone(),
        });
    }
}

fn now_millis() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}
