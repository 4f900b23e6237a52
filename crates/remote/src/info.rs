//! What is told about connections, sessions and the far side: plain values, taken when asked for.

use crate::error::Phase;
use crate::target::Target;

/// A live connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionInfo {
    /// Who is where.
    pub target: Target,
    /// False while it is made again.
    pub is_connected: bool,
}

/// Which viewer runs there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViewerKind {
    /// Our `runicorn-viewer`, pushed.
    Bundled,
    /// `runicorn viewer` of a Python environment.
    Python,
}

impl ViewerKind {
    /// The word of the request field `viewer`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Bundled => "bundled",
            Self::Python => "python",
        }
    }
}

/// Which viewer is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ViewerWish {
    /// Python when an environment other than `system` is named, else ours where we have a build, else Python.
    #[default]
    Auto,
    /// Ours or nothing.
    Bundled,
    /// Python or nothing.
    Python,
}

/// The public state of a session; the documented words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionStatus {
    /// On its way up for the first time.
    Connecting,
    /// It works.
    Running,
    /// The link broke and is made again.
    Reconnecting,
    /// The link or the viewer is slow to answer.
    Degraded,
    /// The link broke and needs a person (a prompt, a password, a changed key).
    Disconnected,
    /// Over.
    Stopped,
}

impl SessionStatus {
    /// The documented word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Running => "running",
            Self::Reconnecting => "reconnecting",
            Self::Degraded => "degraded",
            Self::Disconnected => "disconnected",
            Self::Stopped => "stopped",
        }
    }
}

/// How bytes reach the viewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// `direct-streamlocal` to its UNIX socket.
    Socket,
    /// `direct-tcpip` to its loopback port.
    Tcp,
    /// A command that carries bytes between its stdio and the viewer.
    Stdio,
}

impl Transport {
    /// The word for people and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Socket => "socket",
            Self::Tcp => "tcp",
            Self::Stdio => "stdio",
        }
    }
}

/// A session: one viewer on one far side.
#[derive(Clone, Debug)]
pub struct SessionInfo {
    /// Eight hexadecimal digits.
    pub session_id: String,
    /// Where.
    pub target: Target,
    /// The storage root as asked for (the far side's own default when that was empty).
    pub remote_root: String,
    /// The environment as asked for.
    pub environment: Option<String>,
    /// Which viewer.
    pub viewer: ViewerKind,
    /// Its version, once known.
    pub remote_version: Option<String>,
    /// Its process on the far side, once known.
    pub remote_pid: Option<u32>,
    /// Its port there; 0 for a socket.
    pub remote_port: u16,
    /// How bytes get there.
    pub transport: Transport,
    /// The documented state.
    pub status: SessionStatus,
    /// The finer stage.
    pub phase: Phase,
    /// What is wrong, when something is: code and sentence.
    pub error: Option<(String, String)>,
    /// When it was started, milliseconds since the epoch.
    pub started_at_millis: i64,
    /// How long ago that is.
    pub uptime_secs: f64,
    /// The last answer of the far side took so long.
    pub latency_millis: Option<f64>,
    /// Bytes from the far side through this session.
    pub received_bytes: u64,
    /// Bytes to the far side.
    pub sent_bytes: u64,
    /// How often the link was made again.
    pub reconnects: u32,
    /// How much of our viewer had to be sent for this session; 0 when it was there.
    pub installed_bytes: u64,
}

/// What kind of Python environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnvironmentKind {
    /// conda, mamba or micromamba.
    Conda,
    /// A venv or virtualenv.
    Venv,
    /// A pyenv version.
    Pyenv,
    /// An environment made by uv, or an interpreter that uv installed.
    Uv,
    /// The interpreter on the path.
    System,
}

impl EnvironmentKind {
    /// The word in answers.
    pub fn word(self) -> &'static str {
        match self {
            Self::Conda => "conda",
            Self::Venv => "venv",
            Self::Pyenv => "pyenv",
            Self::Uv => "uv",
            Self::System => "system",
        }
    }
}

/// A Python environment of the far side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// What it is called; unique in a list. Unnamed prefixes go by their path.
    pub name: String,
    /// Its kind.
    pub kind: EnvironmentKind,
    /// `Python 3.11.2`, or `Unknown`.
    pub python_version: String,
    /// The interpreter.
    pub python: String,
    /// The one that a shell would use.
    pub is_default: bool,
    /// The version of runicorn in it.
    pub runicorn_version: Option<String>,
}

/// What a viewer in an environment would show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentConfig {
    /// The environment.
    pub environment: String,
    /// `Python 3.11.2`.
    pub python_version: String,
    /// The version of runicorn in it.
    pub runicorn_version: Option<String>,
    /// Where the SDK there writes.
    pub default_storage_root: String,
    /// Whether that folder is there.
    pub storage_root_exists: bool,
    /// A port that is free there now.
    pub suggested_remote_port: u16,
    /// The home folder there.
    pub home_directory: String,
}

/// A folder that looks like a storage root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageCandidate {
    /// Where.
    pub path: String,
    /// Runs seen in it.
    pub run_count: u64,
    /// It has an `archive` folder.
    pub has_archive: bool,
    /// It has the SDK's index.
    pub has_index: bool,
    /// The documented score.
    pub score: u32,
}

/// The storage roots found below a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageCandidates {
    /// The folder, as given or the home.
    pub scan_root: String,
    /// How deep.
    pub max_depth: u32,
    /// Best first, twelve at most.
    pub candidates: Vec<StorageCandidate>,
}

/// One entry of a folder of the far side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderEntry {
    /// Its name; bytes that are no UTF-8 are replaced.
    pub name: String,
    /// A folder (links are not followed).
    pub is_dir: bool,
    /// 0 for folders.
    pub size_bytes: u64,
    /// Seconds since the epoch.
    pub modified_secs: i64,
}

/// A part of a folder's entries: folders first, then by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderPage {
    /// The folder, `~` expanded.
    pub path: String,
    /// The entries of this page.
    pub entries: Vec<FolderEntry>,
    /// How many there are in all.
    pub total: usize,
    /// Where the next page begins.
    pub next_offset: Option<usize>,
}

/// Something changed; ask again for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemoteEvent {
    /// A connection reached a stage.
    Connection {
        /// Which.
        target: Target,
        /// The stage.
        phase: Phase,
    },
    /// A session changed its state, stage or figures.
    Session {
        /// Which.
        session_id: String,
    },
}
