//! The command line of `runicorn-viewer`: the documented flags and ours. Together with [`crate::launch`] this is the
//! launch contract: whoever starts a viewer (a person, the desktop, an SSH session) uses these flags and reads that line.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use crate::log_files::LogFiles;

#[cfg(feature = "hosts")]
use super::RemoteSettings;
use super::{
    Config, DEFAULT_PORT, Environment, Folders, NoHome, far_root_by_precedence, root_by_precedence,
};

/// Seconds without use after which a viewer in remote mode ends, as documented.
const REMOTE_IDLE_SECS: u64 = 1800;

/// Shows Runicorn experiments: the headless server of Runicorn Desktop.
#[derive(Parser, Clone, Debug)]
#[command(name = "runicorn-viewer", version)]
pub struct Args {
    /// Storage root; without it `RUNICORN_DIR`, then the saved root, then ./.runicorn
    #[arg(long, value_name = "FOLDER")]
    pub storage: Option<PathBuf>,

    /// Address to listen on; only this machine's own (`127.0.0.1`, `::1`, `localhost`)
    #[arg(long, default_value = "127.0.0.1")]
    pub host: String,

    /// Port to listen on; 0 takes a free one. Without this flag 23300, or a free one when it is taken
    #[arg(long)]
    pub port: Option<u16>,

    /// Listen on a UNIX socket instead of a port; its folder must be closed to others
    #[arg(long, value_name = "PATH", conflicts_with_all = ["port", "host"])]
    pub socket: Option<PathBuf>,

    /// Started for somebody on the far side of a connection: only 127.0.0.1, and the idle timeout counts
    #[arg(long)]
    pub remote_mode: bool,

    /// Seconds without a request after which a viewer in remote mode ends; 0 is never
    #[arg(long, value_name = "SECONDS", default_value_t = REMOTE_IDLE_SECS)]
    pub idle_timeout: u64,

    /// How much is logged
    #[arg(long, value_enum, ignore_case = true, default_value_t = LogLevel::Info)]
    pub log_level: LogLevel,

    /// Also write the ready line to this open file descriptor
    #[arg(long, value_name = "FD")]
    pub ready_fd: Option<i32>,

    /// Serve nothing; carry bytes between stdin and stdout and the viewer on this UNIX socket
    #[cfg(unix)]
    #[arg(long, value_name = "PATH", hide = true, exclusive = true)]
    pub connect_stdio: Option<PathBuf>,

    /// Keep our own files (state and cache) below this folder instead of the platform's
    #[arg(long, value_name = "FOLDER")]
    pub state_dir: Option<PathBuf>,
}

/// The documented levels.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
#[value(rename_all = "UPPER")]
pub enum LogLevel {
    /// Everything.
    Debug,
    /// What happens.
    Info,
    /// What should not happen.
    Warning,
    /// What failed.
    Error,
}

impl LogLevel {
    /// The level as a filter for our own crates.
    pub fn directive(self) -> &'static str {
        match self {
            Self::Debug => "runicorn=debug",
            Self::Info => "runicorn=info",
            Self::Warning => "runicorn=warn",
            Self::Error => "runicorn=error",
        }
    }
}

impl Args {
    /// The configuration that these flags and this environment make.
    ///
    /// # Errors
    /// When no home folder is known.
    pub fn config(&self, environment: Environment) -> Result<Config, NoHome> {
        let mut folders = Folders::of_platform(&environment)?;
        if let Some(folder) = &self.state_dir {
            let folder = environment.absolute(&environment.expand_home(folder));
            folders.cache = folder.join("cache");
            folders.state = folder;
        }
        let root_of = if self.remote_mode {
            far_root_by_precedence
        } else {
            root_by_precedence
        };
        let root = root_of(&environment, &folders, self.storage.as_deref());
        let allowed_origins = environment.allowed_origins();
        let mut config = Config::new(root, folders);
        #[cfg(feature = "hosts")]
        {
            config.remote = RemoteSettings::of(&environment, &config.folders);
        }
        config.environment = environment;
        config.allowed_origins = allowed_origins;
        config.remote_mode = self.remote_mode;
        config.log_files = LogFiles::below(&config.folders.state, self.remote_mode);
        config.idle_timeout = self.idle_limit();
        Ok(config)
    }

    /// The port to try first, and whether another free one will do.
    pub fn wanted_port(&self) -> (u16, bool) {
        match self.port {
            Some(port) => (port, false),
            None => (DEFAULT_PORT, true),
        }
    }

    fn idle_limit(&self) -> Option<Duration> {
        (self.remote_mode && self.idle_timeout > 0).then(|| Duration::from_secs(self.idle_timeout))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Args, clap::Error> {
        Args::try_parse_from(std::iter::once("runicorn-viewer").chain(line.split_whitespace()))
    }

    #[test]
    fn the_documented_flags_are_taken() {
        let args = parse(
            "--storage /r --host 127.0.0.1 --port 0 --remote-mode --idle-timeout 5 --log-level DEBUG",
        )
        .unwrap();
        assert_eq!(args.wanted_port(), (0, false));
        assert_eq!(args.idle_limit(), Some(Duration::from_secs(5)));
        assert_eq!(args.log_level, LogLevel::Debug);
        assert_eq!(
            parse("--log-level warning").unwrap().log_level,
            LogLevel::Warning
        );
        assert!(parse("--log-level LOUD").is_err());
        assert!(parse("--port 70000").is_err());
    }

    #[test]
    fn without_a_port_the_documented_one_is_tried_and_any_other_will_do() {
        assert_eq!(parse("").unwrap().wanted_port(), (23_300, true));
    }

    #[test]
    fn the_idle_timeout_counts_in_remote_mode_only() {
        assert_eq!(parse("--idle-timeout 5").unwrap().idle_limit(), None);
        assert_eq!(
            parse("--remote-mode").unwrap().idle_limit(),
            Some(Duration::from_mins(30))
        );
        assert_eq!(
            parse("--remote-mode --idle-timeout 0")
                .unwrap()
                .idle_limit(),
            None
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_bridge_serves_nothing() {
        assert!(parse("--connect-stdio /tmp/s").is_ok());
        assert!(parse("--connect-stdio /tmp/s --port 1").is_err());
    }

    #[test]
    fn a_socket_and_a_port_exclude_each_other() {
        assert!(parse("--socket /tmp/s --port 1").is_err());
        assert!(parse("--socket /tmp/s").is_ok());
    }
}
