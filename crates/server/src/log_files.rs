//! The server's own log as files, so that a person can read it from the page.
//!
//! `viewer.log` collects everything and is rotated (10 MB, five old ones); beside it each process has a session file, of which
//! twenty are kept for a week. In remote mode the sources are called `viewer` and `bootstrap`, as documented.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use crate::config::{Config, args::LogLevel};

const ROTATE_BYTES: u64 = 10_000_000;
const OLD_FILES: usize = 5;
const SESSIONS_KEPT: usize = 20;
const SESSION_AGE: Duration = Duration::from_hours(7 * 24);

/// Where this process logs.
#[derive(Clone, Debug)]
pub struct LogFiles {
    session_id: String,
    remote_mode: bool,
    session: PathBuf,
    shared: PathBuf,
}

/// A log that can be read from the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogSource {
    pub(crate) id: &'static str,
    pub(crate) path: PathBuf,
}

impl LogFiles {
    /// The files of this process below a state folder. Nothing is written yet.
    pub fn below(state_dir: &Path, remote_mode: bool) -> Self {
        let folder = state_dir.join("logs");
        let kind = if remote_mode { "remote" } else { "app" };
        let since = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let session_id = format!("{kind}-{}-{}", since.as_secs(), std::process::id());
        Self {
            session: folder.join("sessions").join(format!("{session_id}.log")),
            shared: folder.join(if remote_mode {
                "bootstrap.log"
            } else {
                "viewer.log"
            }),
            session_id,
            remote_mode,
        }
    }

    /// Names this run of the server.
    pub(crate) fn session_id(&self) -> &str {
        &self.session_id
    }

    /// The id of the source that a page shows first.
    pub(crate) fn default_source(&self) -> &'static str {
        if self.remote_mode {
            "viewer"
        } else {
            "session"
        }
    }

    /// The logs that can be read.
    pub(crate) fn sources(&self) -> [LogSource; 2] {
        let names = if self.remote_mode {
            ["viewer", "bootstrap"]
        } else {
            ["session", "global"]
        };
        [
            LogSource {
                id: names[0],
                path: self.session.clone(),
            },
            LogSource {
                id: names[1],
                path: self.shared.clone(),
            },
        ]
    }

    /// Opens the files and gives what a log subscriber writes to: both files, and stderr.
    ///
    /// # Errors
    /// When the folder cannot be written; then there is only stderr.
    pub fn open(&self) -> io::Result<LogWriter> {
        let sessions = self.session.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(sessions)?;
        forget_old_sessions(sessions);
        let session = append_to(&self.session)?;
        let shared = Rotating::open(self.shared.clone())?;
        Ok(LogWriter(Arc::new(Mutex::new(Files { session, shared }))))
    }
}

/// Sends what this process logs to stderr and to its log files: as `RUST_LOG` says, else this level of our own crates.
pub fn start_log(config: &Config, level: LogLevel) {
    let wanted = config.environment.get("RUST_LOG");
    let wanted = wanted.and_then(|filter| filter.into_string().ok());
    let filter = wanted.unwrap_or_else(|| format!("warn,{}", level.directive()));
    let log = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_env_filter(EnvFilter::new(filter));
    match config.log_files.open() {
        Ok(files) => log.with_writer(files).init(),
        Err(error) => {
            log.with_writer(io::stderr).init();
            tracing::warn!(%error, "there are no log files, only these lines");
        }
    }
}

/// Writes each line to stderr and to both files. A full disk loses lines of the files, never the server.
#[derive(Clone)]
pub struct LogWriter(Arc<Mutex<Files>>);

struct Files {
    session: File,
    shared: Rotating,
}

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut files = self.0.lock();
        let written = io::stderr().write_all(bytes);
        let to_session = files.session.write_all(bytes);
        let to_shared = files.shared.write_all(bytes);
        // One place that took the line is enough.
        written.or(to_session).or(to_shared).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for LogWriter {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

struct Rotating {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl Rotating {
    fn open(path: PathBuf) -> io::Result<Self> {
        let file = append_to(&path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { path, file, bytes })
    }

    fn write_all(&mut self, line: &[u8]) -> io::Result<()> {
        if self.bytes + line.len() as u64 > ROTATE_BYTES {
            self.rotate()?;
        }
        self.file.write_all(line)?;
        self.bytes += line.len() as u64;
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        let old = |number: usize| self.path.with_extension(format!("log.{number}"));
        for number in (1..OLD_FILES).rev() {
            if old(number).exists() {
                std::fs::rename(old(number), old(number + 1))?;
            }
        }
        std::fs::rename(&self.path, old(1))?;
        self.file = append_to(&self.path)?;
        self.bytes = 0;
        Ok(())
    }
}

/// Only this user reads our logs: they name paths.
fn append_to(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn forget_old_sessions(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    let mut sessions: Vec<(SystemTime, PathBuf)> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    sessions.sort();
    sessions.reverse();
    for (position, (modified, path)) in sessions.iter().enumerate() {
        let is_old = modified.elapsed().is_ok_and(|age| age > SESSION_AGE);
        if (is_old || position + 1 >= SESSIONS_KEPT) && std::fs::remove_file(path).is_err() {
            // It stays; the next start tries again.
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shared_log_is_rotated_and_five_old_ones_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("viewer.log");
        let mut log = Rotating::open(path.clone()).unwrap();
        let line = vec![b'x'; 6_000_000];
        for _ in 0..9 {
            log.write_all(&line).unwrap();
        }
        let mut names: Vec<_> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(
            names,
            [
                "viewer.log",
                "viewer.log.1",
                "viewer.log.2",
                "viewer.log.3",
                "viewer.log.4",
                "viewer.log.5"
            ]
        );
        assert_eq!(std::fs::metadata(path).unwrap().len(), 6_000_000);
    }

    #[test]
    fn twenty_sessions_are_kept() {
        let state = tempfile::tempdir().unwrap();
        let files = LogFiles::below(state.path(), false);
        let sessions = state.path().join("logs/sessions");
        std::fs::create_dir_all(&sessions).unwrap();
        for number in 0..30 {
            std::fs::write(sessions.join(format!("{number}.log")), "").unwrap();
        }
        let mut log = files.open().unwrap();
        log.write_all(b"a line\n").unwrap();
        assert_eq!(std::fs::read_dir(&sessions).unwrap().count(), SESSIONS_KEPT);
        for source in files.sources() {
            assert_eq!(std::fs::read_to_string(source.path).unwrap(), "a line\n");
        }
    }
}
