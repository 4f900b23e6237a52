//! Another machine over SSH.
//!
//! A [`Target`] is who to be where. [`Remote`] keeps one live connection for each target and the viewers that run over
//! them; everything (commands, files, forwarded bytes) goes over that one connection, by russh: no `ssh` program is
//! needed, and `~/.ssh` is read and never written.
//!
//! Questions are values: an unknown host key, a second factor, a locked key come back as a [`RemoteError`] that the
//! caller can show, and the answer is another call. Nothing here asks, prints or waits for a person.
//!
//! What can break is a link, and a broken link is a state of a session, not its end: sessions keep their identity while
//! they are connected again. What we start on the far side ends by itself when its lease is no longer renewed.
//!
//! Never: a secret in an argument, an environment variable, a log line, an error or a file in clear; a file or process of
//! somebody else's touched; an agent forwarded. This crate knows no HTTP: it hands out byte streams to whatever serves them.

pub mod connection;
mod connections;
pub mod dial;
pub mod environments;
mod error;
pub mod files;
mod host_pattern;
mod info;
mod kept;
pub mod known_hosts;
mod private_file;
mod remote;
mod saved;
pub mod script;
mod secret;
pub mod secrets;
mod session;
pub mod ssh_config;
mod ssh_connections;
pub mod storage_candidates;
mod target;
mod times;
mod tunnel;
mod viewer;

pub use connection::{ByteStream, Connection};
pub use connections::Connections;
pub use dial::{Dialer, DialerConfig};
pub use error::{
    HostKeyQuestion, HostKeyReason, Phase, PromptField, PromptQuestion, RemoteError, RemoteResult,
};
pub use info::{
    ConnectionInfo, Environment, EnvironmentConfig, EnvironmentKind, FolderEntry, FolderPage,
    RemoteEvent, SessionInfo, SessionStatus, StorageCandidate, StorageCandidates, Transport,
    ViewerKind, ViewerWish,
};
pub use known_hosts::{AcceptError, KnownHost, KnownHosts, Verdict};
pub use remote::{Remote, RemoteConfig, StartViewer, StopReport};
pub use saved::{SavedConnections, SavedError, SavedServer, ServerCredentials, Wanted};
pub use secret::{Credentials, Secret};
pub use secrets::{SecretStore, SecretStoreKind};
pub use ssh_config::{HostAlias, IdentityAgent, JumpHop, ResolvedHost, SshConfig};
pub use ssh_connections::SshConnections;
pub use target::{BadTarget, Target};
pub use times::Times;
pub use tunnel::Connector;
pub use viewer::{Ended, ViewerBuild};
