//! Notices a window that stays blank, as WebKitGTK can with some graphics drivers.
//!
//! The page tells the server when it has painted. The clock starts at the page's first byte and runs once per
//! process, at the first load; later loads are never a reason to restart.

use std::time::{Duration, Instant};

use tokio::{sync::watch, time::timeout};

/// How long the page may take from its first byte to its first picture.
pub(crate) const LIMIT: Duration = Duration::from_secs(3);

/// How long the webview may take from opening to the page's first byte; then it is asked once more.
pub(crate) const LOAD_LIMIT: Duration = Duration::from_secs(10);

/// Whether the page has painted yet.
pub(crate) struct BlankCheck {
    painted: watch::Sender<bool>,
    first_byte: watch::Sender<bool>,
    /// When the app started, to say how long the first picture took.
    born: Instant,
}

impl BlankCheck {
    pub(crate) fn new() -> Self {
        Self {
            painted: watch::Sender::new(false),
            first_byte: watch::Sender::new(false),
            born: Instant::now(),
        }
    }

    /// The page says that something is on the screen: first its frame, then the content of its first page.
    pub(crate) fn painted(&self) {
        let after_millis = self.born.elapsed().as_millis();
        if self.painted.send_replace(true) {
            tracing::info!(after_millis, "the first page stands");
        } else {
            tracing::info!(after_millis, "the frame has painted");
        }
    }

    /// Called at every first byte of a page; true for the very first, which is the one to watch.
    pub(crate) fn starts(&self) -> bool {
        !self.first_byte.send_replace(true)
    }

    /// Waits for the first byte: true when none came in time.
    pub(crate) async fn stays_empty(&self, limit: Duration) -> bool {
        let mut first_byte = self.first_byte.subscribe();
        timeout(limit, first_byte.wait_for(|has_come| *has_come))
            .await
            .is_err()
    }

    /// Waits for the picture: true when none came in time.
    pub(crate) async fn stays_blank(&self, limit: Duration) -> bool {
        let mut painted = self.painted.subscribe();
        timeout(limit, painted.wait_for(|is_painted| *is_painted))
            .await
            .is_err()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_page_that_never_paints_is_blank_after_the_limit() {
        assert!(BlankCheck::new().stays_blank(Duration::ZERO).await);
    }

    #[tokio::test]
    async fn a_page_that_painted_before_anyone_asked_is_not_blank() {
        let check = BlankCheck::new();
        check.painted();
        assert!(!check.stays_blank(LIMIT).await);
    }

    #[tokio::test]
    async fn a_page_whose_first_byte_never_comes_is_noticed() {
        let check = BlankCheck::new();
        assert!(check.stays_empty(Duration::ZERO).await);
        check.starts();
        assert!(!check.stays_empty(Duration::ZERO).await);
    }

    #[test]
    fn only_the_first_load_is_watched() {
        let check = BlankCheck::new();
        assert!(check.starts());
        assert!(!check.starts());
    }
}
