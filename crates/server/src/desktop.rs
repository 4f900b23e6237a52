//! What the desktop shell can do for the page. The shell hands this over; headless there is none, and the page hides
//! what needs it. The page itself never talks to the shell.

use std::path::PathBuf;
use std::pin::Pin;

/// A future that a shell returns.
pub type DesktopFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The desktop shell around this server.
pub trait Desktop: Send + Sync + 'static {
    /// Asks the person for a folder; `None` when they cancel.
    fn pick_folder(&self) -> DesktopFuture<Option<PathBuf>>;

    /// Shows a notification.
    fn notify(&self, title: &str, text: &str);

    /// Opens a web address in the person's browser. Only called with `https` addresses.
    fn open_url(&self, url: &str) -> DesktopFuture<Result<(), String>>;

    /// The page has painted its first frame. May be called more than once.
    fn painted(&self);
}
