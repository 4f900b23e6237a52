//! What can go wrong on the way to another machine, each with its stage, its stable word and who must act.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::target::{BadTarget, Target};

/// What the functions of this crate return.
pub type RemoteResult<T> = Result<T, RemoteError>;

/// The stages of getting a viewer of another machine onto the screen, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Name to address.
    Resolving,
    /// TCP (through jump hosts when there are any).
    Connecting,
    /// Algorithms and keys.
    KeyExchange,
    /// Is it the machine that we know?
    HostKey,
    /// Who are we?
    Authenticating,
    /// What is on the far side: platform, environments, viewer.
    Checking,
    /// Our viewer goes over (only when it is not there yet).
    Installing,
    /// The viewer starts there.
    Starting,
    /// Bytes go through.
    Forwarding,
    /// It works.
    Running,
    /// The link broke; it is made again.
    Reconnecting,
    /// The link is slow to answer, or the viewer does not.
    Degraded,
    /// Being stopped.
    Stopping,
    /// Stopped.
    Stopped,
    /// It ended with an error.
    Failed,
}

impl Phase {
    /// The stable word, as in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Resolving => "resolving",
            Self::Connecting => "connecting",
            Self::KeyExchange => "key_exchange",
            Self::HostKey => "host_key",
            Self::Authenticating => "authenticating",
            Self::Checking => "checking",
            Self::Installing => "installing",
            Self::Starting => "starting",
            Self::Forwarding => "forwarding",
            Self::Running => "running",
            Self::Reconnecting => "reconnecting",
            Self::Degraded => "degraded",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }
}

/// Why a host key needs a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HostKeyReason {
    /// No key of this host is known.
    Unknown,
    /// Another key is known: a new installation, or somebody in between.
    Changed,
}

/// The question about a host key; its members are the documented ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HostKeyQuestion {
    /// As asked for (for a jump host: that host).
    pub host: String,
    /// As asked for.
    pub port: u16,
    /// `host`, or `[host]:port` for other ports than 22.
    pub known_hosts_host: String,
    /// `ssh-ed25519` and the like.
    pub key_type: String,
    /// `SHA256:…` without padding.
    pub fingerprint_sha256: String,
    /// `<type> <base64>`.
    pub public_key: String,
    /// Unknown or changed.
    pub reason: HostKeyReason,
    /// Only for a changed key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_fingerprint_sha256: Option<String>,
    /// Only for a changed key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_public_key: Option<String>,
    /// The key as OpenSSH's picture; lines joined by `\n`.
    pub randomart: String,
}

/// One field of a keyboard-interactive round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PromptField {
    /// What the server asks, cleaned of control characters.
    pub text: String,
    /// False for what must not be seen while it is typed.
    pub echo: bool,
}

/// A round of questions by the server (a second factor, say). Answered with [`crate::Connections::answer`] and this id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PromptQuestion {
    /// Names the waiting connection; unguessable.
    pub prompt_id: String,
    /// Which host asks.
    pub host: String,
    /// The server's title, may be empty.
    pub name: String,
    /// The server's instructions, may be empty.
    pub instructions: String,
    /// What to fill in, in order.
    pub prompts: Vec<PromptField>,
}

/// Everything that can go wrong. The text is a sentence for people and holds no secret.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// No such `connection_id`.
    #[error(transparent)]
    BadTarget(#[from] BadTarget),
    /// What was given cannot be used.
    #[error("{0}")]
    Invalid(String),
    /// The name has no address.
    #[error("{host} has no address: {detail}")]
    Resolve {
        /// The name.
        host: String,
        /// What the resolver said.
        detail: String,
    },
    /// Nobody listens there.
    #[error("connect to {host} port {port}: {detail}")]
    Refused {
        /// The host.
        host: String,
        /// The port.
        port: u16,
        /// What the system said.
        detail: String,
    },
    /// Too slow.
    #[error("{host} did not answer within {} s while {}", limit.as_secs(), phase.word().replace('_', " "))]
    Timeout {
        /// The host.
        host: String,
        /// In which stage.
        phase: Phase,
        /// The limit.
        limit: Duration,
    },
    /// No common algorithm, or it is not an SSH server.
    #[error("{host} and this app cannot agree on an encrypted connection: {detail}")]
    KeyExchange {
        /// The host.
        host: String,
        /// What failed.
        detail: String,
    },
    /// A person must look at the host key.
    #[error("Host key verification failed")]
    HostKey(Box<HostKeyQuestion>),
    /// The key (or its authority) is marked as revoked.
    #[error("the host key of {host} is marked as revoked in {}", file.display())]
    HostKeyRevoked {
        /// The host.
        host: String,
        /// Where it says so.
        file: PathBuf,
    },
    /// Accepting a host key that nobody was asked about.
    #[error("no host key of {host} is waiting to be accepted; connect first")]
    NoPendingHostKey {
        /// The host.
        host: String,
    },
    /// The server asks a person.
    #[error("{} asks for more", .0.host)]
    Prompt(Box<PromptQuestion>),
    /// The prompt is not waiting any more.
    #[error("that prompt is no longer open; connect again")]
    PromptExpired,
    /// The key file is locked.
    #[error("the private key {key} is locked and needs its passphrase")]
    PassphraseNeeded {
        /// The file, or `given as text`.
        key: String,
    },
    /// The passphrase does not open the key.
    #[error("the passphrase does not open the private key {key}")]
    PassphraseWrong {
        /// The file, or `given as text`.
        key: String,
    },
    /// The key cannot be read.
    #[error("the private key {key} cannot be used: {detail}")]
    KeyUnusable {
        /// The file, or `given as text`.
        key: String,
        /// Why.
        detail: String,
    },
    /// Every way was refused.
    #[error(
        "{host} did not accept {username}: tried {}; the server offers {}",
        list(tried),
        list(offered)
    )]
    Authentication {
        /// The host.
        host: String,
        /// The user.
        username: String,
        /// What was tried, in order.
        tried: Vec<String>,
        /// What the server would take.
        offered: Vec<String>,
    },
    /// Too many refused attempts for this target; wait.
    #[error("too many refused logins for {target}; try again in {retry_after_secs} s")]
    TooManyAttempts {
        /// Where.
        target: Target,
        /// How long to wait.
        retry_after_secs: u64,
    },
    /// A jump host on the way failed.
    #[error("on the way, at {hop}: {source}")]
    Jump {
        /// Which.
        hop: String,
        /// How.
        #[source]
        source: Box<RemoteError>,
    },
    /// The `ProxyCommand` failed.
    #[error("the ProxyCommand of {host} failed: {detail}")]
    ProxyCommand {
        /// The host.
        host: String,
        /// How.
        detail: String,
    },
    /// No live connection of that name.
    #[error("Connection not found or inactive: {0}")]
    NotConnected(Target),
    /// The link broke during the call.
    #[error("the connection to {0} broke")]
    LinkLost(String),
    /// The server refuses what we need (commands, forwarding, files).
    #[error("{host} does not allow {what}: {detail}")]
    Forbidden {
        /// The host.
        host: String,
        /// What was refused.
        what: &'static str,
        /// What it said.
        detail: String,
    },
    /// A command on the far side did not do its work.
    #[error("{what} failed on the server: {detail}")]
    Command {
        /// What it was for.
        what: String,
        /// The end of what it said, cleaned.
        detail: String,
    },
    /// The far side sent more than it may.
    #[error("{what} sent more than {limit_bytes} bytes")]
    TooMuchOutput {
        /// What it was for.
        what: String,
        /// The limit.
        limit_bytes: usize,
    },
    /// No such environment.
    #[error("Environment '{0}' not found. Please check the environment name.")]
    EnvironmentNotFound(String),
    /// There is no Python 3 on the path.
    #[error("Python3 not found on remote server")]
    PythonMissing,
    /// The environment's interpreter does not run.
    #[error("Failed to run Python in environment: {environment}")]
    PythonFailed {
        /// The environment.
        environment: String,
        /// The end of what it said, cleaned.
        detail: String,
    },
    /// The environment has no runicorn.
    #[error(
        "runicorn not installed on remote server.\nPlease install: {python} -m pip install runicorn"
    )]
    RunicornMissing {
        /// The interpreter.
        python: String,
    },
    /// The environment has a runicorn that is too old for a viewer.
    #[error(
        "runicorn {version} in '{environment}' is too old for a remote viewer; 0.6.0 or later is needed"
    )]
    RunicornTooOld {
        /// The environment.
        environment: String,
        /// What is there.
        version: String,
    },
    /// We have no viewer for that platform.
    #[error(
        "this app has no viewer for {platform}; choose a Python environment with runicorn instead"
    )]
    PlatformUnsupported {
        /// `uname -sm` and C library.
        platform: String,
    },
    /// The far side cannot hold our viewer.
    #[error("the viewer cannot be put into {folder} on the server: {detail}")]
    Install {
        /// Where it should go.
        folder: String,
        /// Why not (no space, read-only, noexec).
        detail: String,
    },
    /// The viewer ended before it was ready, or never became ready.
    #[error("the viewer did not start on the server: {detail}")]
    ViewerFailed {
        /// What happened.
        detail: String,
        /// The end of its log, cleaned.
        log_tail: String,
    },
    /// The wanted port is somebody else's on the far side.
    #[error("port {port} on the server is taken by another program")]
    RemotePortTaken {
        /// The port.
        port: u16,
    },
    /// No such session.
    #[error("Session not found: {0}")]
    SessionNotFound(String),
    /// A path on the far side.
    #[error("{path}: {detail}")]
    Path {
        /// The path.
        path: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The keyring refused.
    #[error("the keyring refused: {0}")]
    Keyring(String),
    /// A file of ours on this machine.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Somebody stopped it.
    #[error("cancelled")]
    Cancelled,
}

impl RemoteError {
    /// The stable word that programs may compare.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadTarget(_) => "INVALID_CONNECTION_ID",
            Self::Invalid(_) => "INVALID_INPUT",
            Self::Resolve { .. } => "HOST_NOT_FOUND",
            Self::Refused { .. } => "CONNECTION_REFUSED",
            Self::Timeout { .. } => "TIMEOUT",
            Self::KeyExchange { .. } => "KEY_EXCHANGE_FAILED",
            Self::HostKey(_) => "HOST_KEY_CONFIRMATION_REQUIRED",
            Self::HostKeyRevoked { .. } => "HOST_KEY_REVOKED",
            Self::NoPendingHostKey { .. } => "NO_PENDING_HOST_KEY",
            Self::Prompt(_) => "AUTH_PROMPT_REQUIRED",
            Self::PromptExpired => "PROMPT_EXPIRED",
            Self::PassphraseNeeded { .. } => "PASSPHRASE_REQUIRED",
            Self::PassphraseWrong { .. } => "PASSPHRASE_WRONG",
            Self::KeyUnusable { .. } => "KEY_UNUSABLE",
            Self::Authentication { .. } => "AUTHENTICATION_FAILED",
            Self::TooManyAttempts { .. } => "RATE_LIMITED",
            Self::Jump { source, .. } => source.code(),
            Self::ProxyCommand { .. } => "PROXY_COMMAND_FAILED",
            Self::NotConnected(_) => "NOT_CONNECTED",
            Self::LinkLost(_) => "LINK_LOST",
            Self::Forbidden { .. } => "REFUSED_BY_SERVER",
            Self::Command { .. } => "COMMAND_FAILED",
            Self::TooMuchOutput { .. } => "TOO_MUCH_OUTPUT",
            Self::EnvironmentNotFound(_) => "ENVIRONMENT_NOT_FOUND",
            Self::PythonMissing => "PYTHON_NOT_FOUND",
            Self::PythonFailed { .. } => "PYTHON_FAILED",
            Self::RunicornMissing { .. } => "RUNICORN_NOT_INSTALLED",
            Self::RunicornTooOld { .. } => "RUNICORN_TOO_OLD",
            Self::PlatformUnsupported { .. } => "PLATFORM_UNSUPPORTED",
            Self::Install { .. } => "INSTALL_FAILED",
            Self::ViewerFailed { .. } => "VIEWER_FAILED",
            Self::RemotePortTaken { .. } => "REMOTE_PORT_TAKEN",
            Self::SessionNotFound(_) => "SESSION_NOT_FOUND",
            Self::Path { .. } => "PATH_FAILED",
            Self::Keyring(_) => "KEYRING_REFUSED",
            Self::File { .. } => "FILE_FAILED",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// The stage in which it happened, where the kind of failure says so.
    pub fn phase(&self) -> Option<Phase> {
        match self {
            Self::Resolve { .. } => Some(Phase::Resolving),
            Self::Refused { .. } | Self::ProxyCommand { .. } => Some(Phase::Connecting),
            Self::Timeout { phase, .. } => Some(*phase),
            Self::KeyExchange { .. } => Some(Phase::KeyExchange),
            Self::HostKey(_) | Self::HostKeyRevoked { .. } | Self::NoPendingHostKey { .. } => {
                Some(Phase::HostKey)
            }
            Self::Prompt(_)
            | Self::PromptExpired
            | Self::PassphraseNeeded { .. }
            | Self::PassphraseWrong { .. }
            | Self::KeyUnusable { .. }
            | Self::Authentication { .. }
            | Self::TooManyAttempts { .. } => Some(Phase::Authenticating),
            Self::Jump { source, .. } => source.phase(),
            Self::EnvironmentNotFound(_)
            | Self::PythonMissing
            | Self::PythonFailed { .. }
            | Self::RunicornMissing { .. }
            | Self::RunicornTooOld { .. }
            | Self::PlatformUnsupported { .. } => Some(Phase::Checking),
            Self::Install { .. } => Some(Phase::Installing),
            Self::ViewerFailed { .. } | Self::RemotePortTaken { .. } => Some(Phase::Starting),
            _ => None,
        }
    }
}

fn list(words: &[String]) -> String {
    if words.is_empty() {
        "nothing".to_owned()
    } else {
        words.join(", ")
    }
}
