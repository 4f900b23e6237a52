//! What the desktop shell can do for the page. The shell hands this over; headless there is none, and the page hides
//! what needs it. The page itself never talks to the shell.

use std::path::PathBuf;
use std::pin::Pin;

use crate::alerts::RunEvent;

/// A future that a shell returns.
pub type DesktopFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Something happened to a run that a person watches. Names are those that the run gave itself, shortened, without control characters.
#[derive(Clone, Debug, PartialEq)]
pub struct RunNotice {
    /// The run's id.
    pub run: String,
    /// Its alias, or the id.
    pub name: String,
    /// What happened.
    pub event: RunEvent,
    /// The word that it ended with.
    pub status: Option<String>,
    /// A metric that is not finite.
    pub metric: Option<String>,
    /// How long nothing was written.
    pub silent_secs: Option<f64>,
}

/// A run that is running. The name is one that the run gave itself, shortened, without control characters.
#[derive(Clone, Debug, PartialEq)]
pub struct RunningRun {
    /// The run's id.
    pub id: String,
    /// Its alias, or the id.
    pub name: String,
}

/// The runs of the shown storage root that are running.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunningRuns {
    /// How many.
    pub count: usize,
    /// The newest of them, newest first.
    pub newest: Vec<RunningRun>,
    /// How many were seen to fail since the server began.
    pub failed: u64,
}

/// The desktop shell around this server.
pub trait Desktop: Send + Sync + 'static {
    /// Asks the person for a folder; `None` when they cancel.
    fn pick_folder(&self) -> DesktopFuture<Option<PathBuf>>;

    /// Shows a notification about a run, in the system's language.
    fn notify(&self, notice: &RunNotice);

    /// Other runs are running than before. Told once at the start.
    fn runs(&self, running: &RunningRuns);

    /// Opens a web address in the person's browser. Only called with `https` addresses.
    fn open_url(&self, url: &str) -> DesktopFuture<Result<(), String>>;

    /// The page has painted its first frame. May be called more than once.
    fn painted(&self);
}
