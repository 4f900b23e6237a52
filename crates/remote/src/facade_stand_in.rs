//! Stands in for the facade until it is merged.
#![allow(missing_docs, unused, clippy::all, clippy::pedantic)]
use crate::*;
use std::{path::PathBuf, sync::Arc, time::Duration};
#[derive(Clone, Debug)]
pub struct ViewerBuild {
    pub platform: String,
    pub path: PathBuf,
    pub is_gzip: bool,
}
#[derive(Clone, Debug, Default)]
pub struct Times {
    pub beat: Duration,
}
#[derive(Clone)]
pub struct RemoteConfig {
    pub dialer: DialerConfig,
    pub secrets: Arc<dyn SecretStore>,
    pub viewer_builds: Vec<ViewerBuild>,
    pub sdk_config_dir: Option<PathBuf>,
    pub times: Times,
}
#[derive(Clone)]
pub struct Remote(Arc<Inner>);
struct Inner {
    config: RemoteConfig,
    known: Arc<KnownHosts>,
    connections: Connections,
    saved: SavedConnections,
    ssh: SshConnections,
}
pub struct StartViewer {
    pub target: Target,
    pub credentials: Credentials,
    pub remote_root: String,
    pub environment: Option<String>,
    pub viewer: ViewerWish,
    pub remote_port: Option<u16>,
}
#[derive(Debug)]
pub struct StopReport;
impl Remote {
    pub fn new(config: RemoteConfig) -> Self {
        let known = Arc::new(KnownHosts::new(config.dialer.state_dir.join("known_hosts")));
        let connections = Connections::new(Dialer::new(config.dialer.clone(), known.clone()));
        let dir = &config.dialer.state_dir;
        let saved = SavedConnections::new(dir.join("connections.json"), config.secrets.clone());
        let ssh = SshConnections::new(dir.join("ssh_connections.json"), config.secrets.clone());
        Self(Arc::new(Inner {
            known,
            connections,
            saved,
            ssh,
            config,
        }))
    }
    pub fn connections(&self) -> &Connections {
        &self.0.connections
    }
    pub fn known_hosts(&self) -> &KnownHosts {
        &self.0.known
    }
    pub fn ssh_config(&self) -> SshConfig {
        self.0.config.dialer.ssh_config()
    }
    pub fn secrets(&self) -> &Arc<dyn SecretStore> {
        &self.0.config.secrets
    }
    pub fn saved(&self) -> &SavedConnections {
        &self.0.saved
    }
    pub fn ssh_connections(&self) -> &SshConnections {
        &self.0.ssh
    }
    pub async fn start_viewer(&self, request: StartViewer) -> RemoteResult<SessionInfo> {
        self.connections()
            .connect(request.target, request.credentials)
            .await?;
        Err(RemoteError::Cancelled)
    }
    pub fn sessions(&self) -> Vec<SessionInfo> {
        Vec::new()
    }
    pub fn session(&self, id: &str) -> RemoteResult<SessionInfo> {
        Err(RemoteError::SessionNotFound(id.to_owned()))
    }
    pub async fn stop_session(&self, id: &str) -> RemoteResult<StopReport> {
        Err(RemoteError::SessionNotFound(id.to_owned()))
    }
    pub async fn reconnect_session(&self, id: &str) -> RemoteResult<SessionInfo> {
        Err(RemoteError::SessionNotFound(id.to_owned()))
    }
    pub fn wake(&self) {}
    pub fn connector(&self, id: &str) -> RemoteResult<Connector> {
        Err(RemoteError::SessionNotFound(id.to_owned()))
    }
    pub async fn viewer_log(&self, id: &str, lines: usize) -> RemoteResult<String> {
        Err(RemoteError::SessionNotFound(id.to_owned()))
    }
    pub fn events(&self) -> tokio::sync::broadcast::Receiver<RemoteEvent> {
        self.0.connections.subscribe()
    }
    pub async fn shutdown(&self) {}
}
#[derive(Clone)]
pub struct Connector;
impl Connector {
    pub async fn connect(&self) -> RemoteResult<ByteStream> {
        Err(RemoteError::Cancelled)
    }
    pub fn is_ready(&self) -> bool {
        false
    }
}
