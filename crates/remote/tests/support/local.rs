//! This side of a test: a home with an SSH folder of its own, and a dialer that looks nowhere else.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use runicorn_remote::known_hosts::KnownHosts;
use runicorn_remote::{Connection, Credentials, Dialer, DialerConfig, Phase, RemoteResult, Target};
use tempfile::TempDir;

use super::sshd::{Sshd, spilled};

/// A user's machine.
pub(crate) struct Local {
    home: TempDir,
    /// Makes connections from here.
    pub(crate) dialer: Dialer,
}

impl Local {
    /// A machine that knows no host.
    pub(crate) fn new() -> Self {
        Self::with_agent(None)
    }

    /// With an agent.
    pub(crate) fn with_agent(agent_socket: Option<PathBuf>) -> Self {
        let home = tempfile::Builder::new()
            .prefix("rc-home")
            .tempdir()
            .unwrap();
        fs::create_dir(home.path().join(".ssh")).unwrap();
        let config = config(home.path(), agent_socket);
        let known_hosts = Arc::new(KnownHosts::new(config.state_dir.join("known_hosts")));
        Self {
            dialer: Dialer::new(config, known_hosts),
            home,
        }
    }

    /// A machine whose user knows these servers.
    pub(crate) fn knowing(servers: &[&Sshd]) -> Self {
        let local = Self::new();
        for server in servers {
            local.know(&server.known_hosts());
        }
        local
    }

    /// What a dialer needs to know, for who makes one.
    pub(crate) fn config(&self) -> DialerConfig {
        config(self.home.path(), None)
    }

    /// The user's home.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// The user's SSH folder.
    pub(crate) fn ssh_dir(&self) -> PathBuf {
        self.home.path().join(".ssh")
    }

    /// Adds lines to the user's `known_hosts`.
    pub(crate) fn know(&self, lines: &str) {
        append(&self.ssh_dir().join("known_hosts"), lines);
    }

    /// Adds lines to the user's `config`.
    pub(crate) fn configure(&self, lines: &str) {
        append(&self.ssh_dir().join("config"), lines);
    }

    /// Puts a key and what lies beside it into the SSH folder, under another name.
    pub(crate) fn take_key(&self, key: &Path, name: &str) {
        for suffix in ["", ".pub", "-cert.pub"] {
            let from = super::sshd::with_suffix(key, suffix);
            if from.exists() {
                fs::copy(from, self.ssh_dir().join(format!("{name}{suffix}"))).unwrap();
            }
        }
    }

    /// Dials.
    pub(crate) async fn dial(
        &self,
        target: &Target,
        credentials: &Credentials,
    ) -> RemoteResult<Connection> {
        self.dialer.dial(target, credentials, |_| {}).await
    }

    /// Dials and tells the stages.
    pub(crate) async fn dial_telling(
        &self,
        target: &Target,
        credentials: &Credentials,
    ) -> (RemoteResult<Connection>, Vec<Phase>) {
        let phases = Mutex::new(Vec::new());
        let dialed = self
            .dialer
            .dial(target, credentials, |phase| phases.lock().push(phase))
            .await;
        (dialed, phases.into_inner())
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        spilled::search_files(self.home.path());
    }
}

fn config(home: &Path, agent_socket: Option<PathBuf>) -> DialerConfig {
    DialerConfig {
        home: home.to_owned(),
        ssh_dir: home.join(".ssh"),
        state_dir: home.join("state"),
        local_user: "somebody".to_owned(),
        agent_socket,
        local_host_name: "here".to_owned(),
        system_ssh_config: None,
    }
}

fn append(path: &Path, text: &str) {
    let mut content = fs::read_to_string(path).unwrap_or_default();
    content.push_str(text);
    fs::write(path, content).unwrap();
}
