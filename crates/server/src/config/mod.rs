//! Everything that decides how this server behaves, in one value.
//!
//! [`Config`] is what [`crate::Server`] takes: the storage root, our folders, who may call, and the desktop shell when
//! there is one. `environment` is the only place that reads the process environment; `args` is the command line
//! of `runicorn-viewer`; both only fill a `Config`, so a test or the shell can as well build one by hand.

pub mod args;
pub mod environment;
mod folders;
#[cfg(feature = "hosts")]
mod remote;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use environment::Environment;
pub use folders::Folders;
#[cfg(feature = "hosts")]
pub use remote::{RemoteSettings, SecretStoreMaker};

use runicorn_experiments::ProcessTable;

use runicorn_telemetry::{GpuSource, NvmlSource};

use crate::desktop::Desktop;
use crate::log_files::LogFiles;
use crate::sdk_config::SdkConfig;

/// The documented default port.
pub const DEFAULT_PORT: u16 = 23_300;

/// Makes what reads the GPUs; called once for each server.
pub type GpuSourceMaker = Arc<dyn Fn() -> Box<dyn GpuSource> + Send + Sync>;

/// How a server behaves. Every path is absolute.
#[derive(Clone)]
pub struct Config {
    /// The storage root to show first.
    pub root: PathBuf,
    /// Where our own files and those of the SDK are.
    pub folders: Folders,
    /// The process environment, for `$VAR` in paths that a person types.
    pub environment: Environment,
    /// Origins besides our own that may call, as browsers write them: `https://host:port`.
    pub allowed_origins: Vec<String>,
    /// Where this process logs; read by the page. Nothing is written unless the process opens them.
    pub log_files: LogFiles,
    /// Started on the far side of an SSH connection.
    pub remote_mode: bool,
    /// End after this long without a request or an open socket.
    pub idle_timeout: Option<Duration>,
    /// This machine's name as runs record it; the system's own when absent.
    pub host_name: Option<String>,
    /// The processes that live runs are asked about; the system's own when absent.
    pub processes: Option<Arc<dyn ProcessTable>>,
    /// What the desktop shell can do; absent when headless.
    pub desktop: Option<Arc<dyn Desktop>>,
    /// How other machines are reached.
    #[cfg(feature = "hosts")]
    pub remote: RemoteSettings,
    /// Makes what reads the GPUs.
    pub gpus: GpuSourceMaker,
    /// Time limits of a connection.
    pub limits: Limits,
}

/// How long a connection may take over what.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From the first byte of a request's head to its last; also the idle time of a kept-alive connection.
    pub head_time: Duration,
    /// From the wish to stop to cutting what is still open.
    pub stop_time: Duration,
    /// The same for viewers on other machines; what is not stopped by then ends by its lease.
    pub far_stop_time: Duration,
    /// Connections at one time; more wait in the system's queue.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_time: Duration::from_secs(30),
            stop_time: Duration::from_millis(800),
            far_stop_time: Duration::from_secs(5),
            connections: 1024,
        }
    }
}

impl Config {
    /// A configuration for a root, with defaults for the rest.
    pub fn new(root: PathBuf, folders: Folders) -> Self {
        let log_files = LogFiles::below(&folders.state, false);
        Self {
            root,
            environment: Environment::default(),
            allowed_origins: Vec::new(),
            log_files,
            remote_mode: false,
            idle_timeout: None,
            host_name: None,
            processes: None,
            desktop: None,
            #[cfg(feature = "hosts")]
            remote: RemoteSettings::below(&folders.home),
            gpus: Arc::new(|| Box::new(NvmlSource::new())),
            limits: Limits::default(),
            folders,
        }
    }

    /// The configuration of a desktop process or a headless viewer of this user: folders of the platform, root by
    /// [`root_by_precedence`].
    ///
    /// # Errors
    /// When neither the environment nor the platform names a home folder.
    pub fn of_this_user(environment: Environment, storage: Option<&Path>) -> Result<Self, NoHome> {
        let folders = Folders::of_platform(&environment)?;
        let root = root_by_precedence(&environment, &folders, storage);
        let allowed_origins = environment.allowed_origins();
        let mut config = Self::new(root, folders);
        #[cfg(feature = "hosts")]
        {
            config.remote = RemoteSettings::of(&environment, &config.folders);
        }
        config.environment = environment;
        config.allowed_origins = allowed_origins;
        Ok(config)
    }
}

/// No home folder is known, so there is no place for our files.
#[derive(Debug, thiserror::Error)]
#[error("no home folder is known; set HOME or name the folders with --state-dir")]
pub struct NoHome;

/// The storage root: the argument, `RUNICORN_DIR`, `user_root_dir` of the SDK's config, `<cwd>/.runicorn`; the first
/// that is not empty, with `~` expanded, absolute.
pub fn root_by_precedence(
    environment: &Environment,
    folders: &Folders,
    argument: Option<&Path>,
) -> PathBuf {
    named_root(environment, folders, argument)
        .unwrap_or_else(|| environment.absolute(Path::new(".runicorn")))
}

/// The same for a viewer on the far side of a connection, whose person sees only its home: when nothing names a root and
/// there is no `.runicorn`, the other customary folder is taken if it holds runs.
pub(crate) fn far_root_by_precedence(
    environment: &Environment,
    folders: &Folders,
    argument: Option<&Path>,
) -> PathBuf {
    let named = named_root(environment, folders, argument);
    named.unwrap_or_else(|| {
        let usual = environment.absolute(Path::new(".runicorn"));
        let customary = folders.home.join("runicorn_data");
        if !usual.exists() && customary.join("runs").is_dir() {
            customary
        } else {
            usual
        }
    })
}

/// The root that somebody has named.
fn named_root(
    environment: &Environment,
    folders: &Folders,
    argument: Option<&Path>,
) -> Option<PathBuf> {
    let argument = argument.map(Path::to_path_buf);
    let variable = || environment.get("RUNICORN_DIR").map(PathBuf::from);
    let saved = || {
        SdkConfig::at(&folders.sdk_config)
            .user_root_dir()
            .map(PathBuf::from)
    };
    let chosen = argument
        .filter(|path| !path.as_os_str().is_empty())
        .or_else(|| variable().filter(|path| !path.as_os_str().is_empty()))
        .or_else(|| saved().filter(|path| !path.as_os_str().is_empty()));
    chosen.map(|chosen| environment.absolute(&environment.expand_home(&chosen)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(root: Option<&str>) -> Environment {
        let variables = [("HOME", Some("/home/a")), ("RUNICORN_DIR", root)];
        let variables = variables
            .iter()
            .filter_map(|(name, value)| Some((*name, (*value)?)));
        Environment::from_pairs(variables, Path::new("/work/here"))
    }

    fn folders_with(saved: Option<&str>) -> (tempfile::TempDir, Folders) {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::below(home.path());
        if let Some(root) = saved {
            SdkConfig::at(&folders.sdk_config)
                .set_user_root_dir(root)
                .unwrap();
        }
        (home, folders)
    }

    fn check(argument: Option<&str>, variable: Option<&str>, saved: Option<&str>, expected: &str) {
        let (_home, folders) = folders_with(saved);
        let root = root_by_precedence(&environment(variable), &folders, argument.map(Path::new));
        assert_eq!(root, Path::new(expected));
    }

    #[test]
    fn the_storage_root_is_the_argument_then_the_variable_then_the_saved_one_then_a_folder_here() {
        check(Some("/a"), Some("/b"), Some("/c"), "/a");
        check(None, Some("/b"), Some("/c"), "/b");
        check(None, Some(""), Some("/c"), "/c");
        check(None, None, Some("/c"), "/c");
        check(None, None, Some(""), "/work/here/.runicorn");
        check(None, None, None, "/work/here/.runicorn");
    }

    #[test]
    fn a_far_viewer_without_a_named_root_takes_the_customary_folder_that_holds_runs() {
        let (home, folders) = folders_with(None);
        let of = |argument: Option<&str>| {
            let environment = Environment::from_pairs([("HOME", "/home/a")], home.path());
            far_root_by_precedence(&environment, &folders, argument.map(Path::new))
        };
        assert_eq!(of(None), home.path().join(".runicorn"));
        std::fs::create_dir_all(home.path().join("runicorn_data/runs")).unwrap();
        assert_eq!(of(None), home.path().join("runicorn_data"));
        assert_eq!(of(Some("/a")), Path::new("/a"));
        std::fs::create_dir(home.path().join(".runicorn")).unwrap();
        assert_eq!(of(None), home.path().join(".runicorn"));
    }

    #[test]
    fn a_tilde_and_a_relative_root_become_absolute() {
        check(Some("~/runs"), None, None, "/home/a/runs");
        check(Some("data"), None, None, "/work/here/data");
        check(Some("../data/./x"), None, None, "/work/data/x");
    }
}
