//! What is remembered about a far side as long as one connection to it lives.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::files::{Folders, Session};
use crate::info::Environment;

/// Each lock is held for a moment only, except that of the file session while one is opened.
#[derive(Default)]
pub(crate) struct Kept {
    /// The environments seen last; to find a name again, not to be shown.
    pub(crate) environments: Mutex<Vec<Environment>>,
    /// Listings that somebody pages through.
    pub(crate) folders: Mutex<Folders>,
    /// The open file session.
    pub(crate) files: tokio::sync::Mutex<Option<Arc<Session>>>,
}
