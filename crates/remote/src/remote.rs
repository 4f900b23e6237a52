//! Everything about other machines in one value.

use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::connections::Connections;
use crate::dial::{Dialer, DialerConfig};
use crate::error::{RemoteError, RemoteResult};
use crate::info::{RemoteEvent, SessionInfo, ViewerWish};
use crate::known_hosts::KnownHosts;
use crate::saved::SavedConnections;
use crate::secret::Credentials;
use crate::secrets::SecretStore;
use crate::session::{Command, Household, Session, supervise};
use crate::ssh_config::SshConfig;
use crate::ssh_connections::SshConnections;
use crate::target::Target;
use crate::times::Times;
use crate::tunnel::Connector;
use crate::viewer::{Builds, Ended, Line, Order, ViewerBuild, log};

/// How long the end of everything may take beyond the grace of a viewer.
const GOODBYE: Duration = Duration::from_secs(4);
/// Names of sessions are random; two in a row are never taken.
const NAMES: usize = 8;
/// The longest storage root or environment.
const NAME_BYTES: usize = 4096;

/// What this crate must be told.
pub struct RemoteConfig {
    /// Where the user's SSH configuration and ours are.
    pub dialer: DialerConfig,
    /// Where secrets are kept.
    pub secrets: Arc<dyn SecretStore>,
    /// Our viewers for other machines.
    pub viewer_builds: Vec<ViewerBuild>,
    /// The folder of the SDK's own configuration, for what it has saved there.
    pub sdk_config_dir: Option<PathBuf>,
    /// How long things may take.
    pub times: Times,
}

/// What is to be looked at, and how.
#[derive(Clone, Debug)]
pub struct StartViewer {
    /// Where.
    pub target: Target,
    /// How to get in, where there is no connection yet.
    pub credentials: Credentials,
    /// The storage root; empty for the far side's own default.
    pub remote_root: String,
    /// The Python environment.
    pub environment: Option<String>,
    /// Which viewer.
    pub viewer: ViewerWish,
    /// The port that it must have on the far side; only a Python viewer needs one.
    pub remote_port: Option<u16>,
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StopReport {
    /// Which.
    pub session_id: String,
    /// The process of its viewer.
    pub viewer_pid: Option<u32>,
    /// How that ended.
    pub ended: Ended,
}

/// Other machines: connections, sessions, and what is known about both. Cheap to clone. Dropping the last one drops all
/// links; the far sides then end by their lease. [`Remote::shutdown`] ends them at once.
#[derive(Clone)]
pub struct Remote(Arc<Inner>);

struct Inner {
    dialer: DialerConfig,
    known_hosts: Arc<KnownHosts>,
    secrets: Arc<dyn SecretStore>,
    saved: SavedConnections,
    ssh_connections: SshConnections,
    household: Household,
    sessions: Arc<Mutex<Vec<Entry>>>,
}

#[derive(Clone)]
struct Entry {
    session: Arc<Session>,
    commands: mpsc::UnboundedSender<Command>,
}

impl Remote {
    /// Nothing is connected yet.
    pub fn new(config: RemoteConfig) -> Self {
        let known_hosts = Arc::new(KnownHosts::new(config.dialer.state_dir.join("known_hosts")));
        let state = &config.dialer.state_dir;
        let secrets = || config.secrets.clone();
        let saved = SavedConnections::new(state.join("connections.json"), secrets());
        let ssh_connections = SshConnections::new(state.join("ssh_connections.json"), secrets());
        if let Some(folder) = &config.sdk_config_dir {
            known_hosts.import_once(&folder.join("known_hosts"));
            let imported = [
                saved.import_once(folder),
                ssh_connections.import_once(folder),
            ];
            for error in imported.into_iter().filter_map(Result::err) {
                tracing::warn!(%error, "what the SDK has saved was not taken over");
            }
        }
        let dialer = Dialer::new(config.dialer.clone(), known_hosts.clone());
        Self(Arc::new(Inner {
            household: Household {
                connections: Connections::new(dialer),
                builds: Arc::new(Builds::new(config.viewer_builds)),
                times: config.times,
            },
            dialer: config.dialer,
            known_hosts,
            saved,
            ssh_connections,
            secrets: config.secrets,
            sessions: Arc::default(),
        }))
    }

    /// The live connections.
    pub fn connections(&self) -> &Connections {
        &self.0.household.connections
    }

    /// The host keys.
    pub fn known_hosts(&self) -> &KnownHosts {
        &self.0.known_hosts
    }

    /// The user's SSH configuration as it is now.
    pub fn ssh_config(&self) -> SshConfig {
        self.0.dialer.ssh_config()
    }

    /// Where secrets are kept.
    pub fn secrets(&self) -> &Arc<dyn SecretStore> {
        &self.0.secrets
    }

    /// The saved connections.
    pub fn saved(&self) -> &SavedConnections {
        &self.0.saved
    }

    /// The older store of saved connections.
    pub fn ssh_connections(&self) -> &SshConnections {
        &self.0.ssh_connections
    }

    /// Connects where that is needed, starts a viewer and opens the way to it. Dropping the future leaves nothing running.
    ///
    /// # Errors
    /// Those of connecting (see [`Connections::connect`]), then those of the far side.
    pub async fn start_viewer(&self, request: StartViewer) -> RemoteResult<SessionInfo> {
        check(&request)?;
        let builds = self.0.household.builds.clone();
        tokio::spawn(async move { builds.warm().await });
        let connections = self.connections();
        let connection = connections
            .connect(request.target.clone(), request.credentials.clone())
            .await?;
        let session = Arc::new(self.session_for(&request));
        let (commands, orders) = mpsc::unbounded_channel();
        let (tell_first, first) = oneshot::channel();
        let entry = Entry {
            session: session.clone(),
            commands,
        };
        self.0.sessions.lock().push(entry.clone());
        session.announce();
        let forget = Forget {
            sessions: Arc::downgrade(&self.0.sessions),
            session: session.clone(),
        };
        let household = self.0.household.clone();
        let supervised = session.clone();
        tokio::spawn(async move {
            let life = supervise(supervised, connection, household, orders, tell_first);
            Box::pin(life).await;
            drop(forget);
        });
        let guard = StopOnDrop(Some(entry));
        let outcome = first.await.unwrap_or(Err(RemoteError::Cancelled));
        guard.disarm();
        outcome.map(|()| session.info())
    }

    /// All sessions, oldest first.
    pub fn sessions(&self) -> Vec<SessionInfo> {
        let sessions = self.0.sessions.lock();
        sessions.iter().map(|entry| entry.session.info()).collect()
    }

    /// One session.
    ///
    /// # Errors
    /// [`RemoteError::SessionNotFound`].
    pub fn session(&self, id: &str) -> RemoteResult<SessionInfo> {
        self.entry(id).map(|entry| entry.session.info())
    }

    /// Ends a session: its viewer, its folder there, itself. Where there is no link, the far side ends by its lease.
    ///
    /// # Errors
    /// [`RemoteError::SessionNotFound`].
    pub async fn stop_session(&self, id: &str) -> RemoteResult<StopReport> {
        let entry = self.entry(id)?;
        let (reply, ended) = oneshot::channel();
        let gone = || RemoteError::SessionNotFound(id.to_owned());
        let is_sent = entry.commands.send(Command::Stop(reply)).is_ok();
        let ended = ended.await.ok().filter(|_| is_sent);
        let (viewer_pid, ended) = ended.ok_or_else(gone)?;
        self.0
            .sessions
            .lock()
            .retain(|other| !Arc::ptr_eq(&other.session, &entry.session));
        Ok(StopReport {
            session_id: id.to_owned(),
            viewer_pid,
            ended,
        })
    }

    /// A person wants it to work now: the wait is over, and earlier failures do not count.
    ///
    /// # Errors
    /// [`RemoteError::SessionNotFound`].
    #[expect(
        clippy::unused_async,
        reason = "callers wait for it as for every other order"
    )]
    pub async fn reconnect_session(&self, id: &str) -> RemoteResult<SessionInfo> {
        let entry = self.entry(id)?;
        if entry.commands.send(Command::Reconnect).is_err() {
            return Err(RemoteError::SessionNotFound(id.to_owned()));
        }
        Ok(entry.session.info())
    }

    /// After sleep or a change of the network: all links are looked at now.
    pub fn wake(&self) {
        for entry in self.0.sessions.lock().iter() {
            if entry.commands.send(Command::Wake).is_err() {
                tracing::trace!("a session is just ending");
            }
        }
    }

    /// What opens streams to the viewer of a session.
    ///
    /// # Errors
    /// [`RemoteError::SessionNotFound`].
    pub fn connector(&self, id: &str) -> RemoteResult<Connector> {
        self.entry(id).map(|entry| entry.session.connector())
    }

    /// The last lines of a viewer's log, without control characters.
    ///
    /// # Errors
    /// [`RemoteError::SessionNotFound`], or those of the link.
    pub async fn viewer_log(&self, id: &str, lines: usize) -> RemoteResult<String> {
        let entry = self.entry(id)?;
        let connection = self.connections().get(&entry.session.target)?;
        let dir = entry.session.trace.lock().dir.clone();
        let Some(dir) = dir else {
            return Ok(String::new());
        };
        let mut line = Line::open(&connection, &self.0.household.times).await?;
        log(&mut line, &dir, &lines.min(10_000).to_string()).await
    }

    /// What changes, as it changes.
    pub fn events(&self) -> broadcast::Receiver<RemoteEvent> {
        self.connections().subscribe()
    }

    /// Ends all sessions and all connections, in bounded time.
    pub async fn shutdown(&self) {
        let ids: Vec<String> = {
            let sessions = self.0.sessions.lock();
            sessions
                .iter()
                .map(|entry| entry.session.id().to_owned())
                .collect()
        };
        let stops = ids.iter().map(|id| self.stop_session(id));
        let all = futures_util::future::join_all(stops);
        let limit = self.0.household.times.grace + GOODBYE;
        if tokio::time::timeout(limit, all).await.is_err() {
            tracing::warn!("some sessions are left to their lease");
        }
        self.connections().close().await;
    }

    fn entry(&self, id: &str) -> RemoteResult<Entry> {
        let sessions = self.0.sessions.lock();
        let found = sessions.iter().find(|entry| entry.session.id() == id);
        found
            .cloned()
            .ok_or_else(|| RemoteError::SessionNotFound(id.to_owned()))
    }

    fn session_for(&self, request: &StartViewer) -> Session {
        let name = || format!("{:08x}", rand::random::<u32>());
        let is_free = |name: &String| self.entry(name).is_err();
        let session_id = std::iter::repeat_with(name)
            .take(NAMES)
            .find(is_free)
            .unwrap_or_else(name);
        let order = Order {
            session_id,
            owner: format!("{:032x}", rand::random::<u128>()),
            root: request.remote_root.clone(),
            environment: request.environment.clone(),
            wish: request.viewer,
            port: request.remote_port,
        };
        let household = &self.0.household;
        Session::new(
            request.target.clone(),
            order,
            household.times.stream,
            household.connections.clone(),
        )
    }
}

fn check(request: &StartViewer) -> RemoteResult<()> {
    let environment = request.environment.as_deref().unwrap_or_default();
    for (what, text) in [
        ("the storage root", request.remote_root.as_str()),
        ("the environment", environment),
    ] {
        if text.len() > NAME_BYTES || text.chars().any(char::is_control) {
            return Err(RemoteError::Invalid(format!(
                "{what} is too long or has control characters in it"
            )));
        }
    }
    Ok(())
}

/// Takes a session off the list when its task ends, however that ends.
struct Forget {
    sessions: Weak<Mutex<Vec<Entry>>>,
    session: Arc<Session>,
}

impl Drop for Forget {
    fn drop(&mut self) {
        if let Some(sessions) = self.sessions.upgrade() {
            sessions
                .lock()
                .retain(|entry| !Arc::ptr_eq(&entry.session, &self.session));
            self.session.announce();
        }
    }
}

/// Ends a session that nobody waits for any more.
struct StopOnDrop(Option<Entry>);

impl StopOnDrop {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        if let Some(entry) = self.0.take() {
            let (reply, _) = oneshot::channel();
            if entry.commands.send(Command::Stop(reply)).is_err() {
                tracing::trace!("it ended by itself");
            }
        }
    }
}
