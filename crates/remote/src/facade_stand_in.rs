//! STUB of the facade until it is merged.
#![allow(missing_docs, unused, clippy::all, clippy::pedantic, clippy::todo)]
use crate::*;
use std::{path::PathBuf, sync::Arc, time::Duration};
#[derive(Clone, Debug)]
pub struct DialerConfig {
    pub home: PathBuf,
    pub ssh_dir: PathBuf,
    pub state_dir: PathBuf,
    pub local_user: String,
    pub agent_socket: Option<PathBuf>,
    pub local_host_name: String,
    pub system_ssh_config: Option<PathBuf>,
}
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
pub struct Remote(
    Arc<(
        RemoteConfig,
        KnownHosts,
        Connections,
        tokio::sync::broadcast::Sender<RemoteEvent>,
    )>,
);
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
pub struct Connections;
impl Connections {
    pub async fn connect(
        &self,
        target: Target,
        credentials: Credentials,
    ) -> RemoteResult<Connection> {
        Err(RemoteError::Cancelled)
    }
    pub async fn answer(&self, prompt_id: &str, answers: Vec<Secret>) -> RemoteResult<Connection> {
        Err(RemoteError::PromptExpired)
    }
    pub fn get(&self, target: &Target) -> RemoteResult<Connection> {
        Err(RemoteError::NotConnected(target.clone()))
    }
    pub fn list(&self) -> Vec<ConnectionInfo> {
        Vec::new()
    }
    pub async fn disconnect(&self, target: &Target) -> bool {
        false
    }
}
impl Remote {
    pub fn new(config: RemoteConfig) -> Self {
        let k = KnownHosts::new(config.dialer.state_dir.join("known_hosts"));
        Self(Arc::new((
            config,
            k,
            Connections,
            tokio::sync::broadcast::channel(64).0,
        )))
    }
    pub fn connections(&self) -> &Connections {
        &self.0.2
    }
    pub fn known_hosts(&self) -> &KnownHosts {
        &self.0.1
    }
    pub fn ssh_config(&self) -> SshConfig {
        let d = &self.0.0.dialer;
        SshConfig::load(&d.home, &d.ssh_dir, &d.local_user, &d.local_host_name)
    }
    pub fn secrets(&self) -> &Arc<dyn SecretStore> {
        &self.0.0.secrets
    }
    pub async fn start_viewer(&self, request: StartViewer) -> RemoteResult<SessionInfo> {
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
        self.0.3.subscribe()
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
pub mod environments {
    use crate::*;
    pub async fn detect(connection: &Connection) -> RemoteResult<Vec<Environment>> {
        Ok(vec![])
    }
    pub async fn config_of(
        connection: &Connection,
        environment: &str,
    ) -> RemoteResult<EnvironmentConfig> {
        Err(RemoteError::Cancelled)
    }
}
pub async fn storage_candidates(
    connection: &Connection,
    scan_root: Option<&str>,
    max_depth: u32,
) -> RemoteResult<StorageCandidates> {
    Err(RemoteError::Cancelled)
}
pub mod files {
    use crate::*;
    pub async fn list(
        connection: &Connection,
        path: &str,
        offset: usize,
        limit: usize,
    ) -> RemoteResult<FolderPage> {
        Err(RemoteError::Cancelled)
    }
    pub async fn exists(connection: &Connection, path: &str) -> RemoteResult<(bool, bool)> {
        Err(RemoteError::Cancelled)
    }
}
pub struct SavedConnections;
pub struct SshConnections;
pub struct SavedServer {
    pub host: String,
    pub port: u16,
    pub username: String,
    pub credentials: Credentials,
}
type Entry = serde_json::Map<String, serde_json::Value>;
impl SavedConnections {
    pub fn list(&self) -> RemoteResult<Vec<Entry>> {
        Ok(vec![])
    }
    pub fn save(&self, e: Vec<Entry>) -> RemoteResult<()> {
        Ok(())
    }
    pub fn resolve(&self, id: &str) -> RemoteResult<Option<SavedServer>> {
        Ok(None)
    }
}
impl SshConnections {
    pub fn list(&self) -> RemoteResult<Vec<Entry>> {
        Ok(vec![])
    }
    pub fn save(&self, e: Entry) -> RemoteResult<()> {
        Ok(())
    }
    pub fn get(&self, k: &str) -> RemoteResult<Option<Entry>> {
        Ok(None)
    }
    pub fn remove(&self, k: &str) -> RemoteResult<()> {
        Ok(())
    }
}
impl Remote {
    pub fn saved(&self) -> &SavedConnections {
        &SavedConnections
    }
    pub fn ssh_connections(&self) -> &SshConnections {
        &SshConnections
    }
}
