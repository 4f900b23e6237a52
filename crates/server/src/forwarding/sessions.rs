//! The local half of a session: its port, and what is remembered about it.

use runicorn_remote::{
    Connector, RemoteEvent, RemoteResult, SessionInfo, SessionStatus, StartViewer, StopReport,
};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::wake::WakeWatch;
use super::{FarSide, Opening, Place, PortPair, Way};
use crate::api::health::unix_now;
use crate::app::App;
use crate::blocking::{blocking, blocking_ok};
use crate::error::ApiResult;
use crate::recent_hosts::RecentHost;
use crate::remote_failure::OrFailed;

/// The documented words before a failed start.
const FAILED: &str = "Failed to start Remote Viewer: ";

struct ThroughSession(Connector);

impl Way for ThroughSession {
    fn open(&self) -> Opening {
        let connector = self.0.clone();
        Box::pin(async move { Ok(connector.connect().await?) })
    }
}

/// Starts a viewer elsewhere and opens its local port. The port is held before anything is started.
///
/// # Errors
/// What stands in the way; then nothing is left open.
pub(crate) async fn start(
    app: &App,
    wish: StartViewer,
    local_port: Option<u16>,
) -> ApiResult<SessionInfo> {
    let pair = blocking(move || PortPair::bind(local_port)).await?;
    let target = wish.target.clone();
    let remote = app.remote();
    let starting = app
        .connecting()
        .follow(remote, &target, remote.start_viewer(wish));
    let session = starting.await.or_failed(FAILED)?;
    WakeWatch::ensure(app);
    if let Err(error) = open_port(app, &session, pair) {
        drop(remote.stop_session(&session.session_id).await);
        return Err(error);
    }
    let (handles, seen) = (app.clone(), seen_now(&session));
    blocking_ok(move || handles.recent_hosts().note(seen)).await?;
    Ok(session)
}

fn open_port(app: &App, session: &SessionInfo, pair: PortPair) -> ApiResult<()> {
    let connector = app.remote().connector(&session.session_id)?;
    let way = Box::new(ThroughSession(connector));
    let far_side = FarSide::new(way, session.remote_port, app.sockets());
    let closing = far_side.closing().clone();
    let place = Place {
        target: session.target.clone(),
        root: session.remote_root.clone(),
    };
    app.ports()
        .open(app, &session.session_id, pair, far_side, place)?;
    let (app, id) = (app.clone(), session.session_id.clone());
    tokio::spawn(async move { close_when_over(&app, &id, &closing).await });
    Ok(())
}

/// Stops a viewer, closes its port, and ends its connection when no other session uses that, as documented.
///
/// # Errors
/// When there is no such session, or it could not be stopped over there.
pub(crate) async fn stop(app: &App, session_id: &str) -> RemoteResult<StopReport> {
    let remote = app.remote();
    let target = remote.session(session_id)?.target;
    let stopped = remote.stop_session(session_id).await;
    app.ports().close(session_id);
    let is_used = remote.sessions().iter().any(|other| other.target == target);
    if stopped.is_ok() && !is_used {
        remote.connections().disconnect(&target).await;
    }
    stopped
}

/// A session that ends by itself takes its port along.
async fn close_when_over(app: &App, session_id: &str, closing: &CancellationToken) {
    let mut events = app.remote().events();
    loop {
        let session = app.remote().session(session_id);
        if session.is_err() || session.is_ok_and(|session| session.status == SessionStatus::Stopped)
        {
            app.ports().close(session_id);
            return;
        }
        loop {
            tokio::select! {
                () = closing.cancelled() => return,
                event = events.recv() => match event {
                    Ok(RemoteEvent::Session { session_id: moved }) if moved == session_id => break,
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => break,
                    Err(RecvError::Closed) => return,
                },
            }
        }
    }
}

fn seen_now(session: &SessionInfo) -> RecentHost {
    RecentHost {
        target: session.target.clone(),
        root: session.remote_root.clone(),
        environment: session.environment.clone(),
        viewer: session.viewer.word().to_owned(),
        seen_at: unix_now(),
    }
}
