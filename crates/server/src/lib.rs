//! The server of Runicorn Desktop: the one crate that knows HTTP.
//!
//! A [`Server`] is a value: made from a [`config::Config`], serving any number of listeners, stopped by [`Server::shutdown`]. The
//! headless binary, the desktop shell and every test start it the same way.
//!
//! A request takes three hops: a line of `router`, a handler in `api` (extract, call, shape), a function of a domain
//! crate. Before routing stands `access`; whatever fails becomes the one body of `error`. Handlers touch no path,
//! process or database themselves, and nothing here is global: what a handler may use hangs on [`App`].

#![cfg_attr(
    not(feature = "hosts"),
    expect(
        dead_code,
        unused_imports,
        reason = "the rooms about other machines use more of what all rooms share"
    )
)]

mod access;
mod alerts;
pub mod allocator;
mod annotations;
mod api;
mod app;
mod attachment;
mod blocking;
mod byte_ranges;
mod compression;
pub mod config;
#[cfg(feature = "hosts")]
mod connecting;
mod desktop;
#[cfg(feature = "docs")]
mod docs_pages;
mod error;
mod etags;
#[cfg(feature = "hosts")]
mod forwarding;
mod front;
#[cfg(feature = "hosts")]
mod host_handles;
pub mod launch;
mod list_answers;
mod listening;
mod log_files;
mod log_tail;
mod openapi;
mod preferences;
mod rate_limit;
#[cfg(feature = "hosts")]
mod recent_hosts;
mod recent_roots;
#[cfg(feature = "hosts")]
mod remote_failure;
mod router;
mod running;
mod sdk_config;
#[cfg(feature = "hosts")]
mod seen_lists;
mod sockets;
mod state_file;
#[cfg(unix)]
pub mod stdio_bridge;
mod storage_roots;
#[cfg(feature = "thumbnails")]
mod thumbnails;
mod ui_files;
mod validate;

use std::sync::Arc;
use std::time::Duration;

pub use access::is_loopback_address;
pub use alerts::RunEvent;
pub use app::App;
pub use desktop::{Desktop, DesktopFuture, RunNotice, RunningRun, RunningRuns};
pub use error::{ApiError, ErrorBody};
pub use listening::Listener;
pub use log_files::{LogFiles, LogWriter, start_log};
pub use openapi::document as openapi_document;

use config::Config;
use front::Front;

/// The server. Cheap to clone; all clones are the same server.
#[derive(Clone)]
pub struct Server {
    front: Arc<Front>,
}

/// Why a server could not be made.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The storage root cannot even be named.
    #[error("the storage root cannot be opened")]
    Store(#[from] runicorn_experiments::StoreError),
    /// The system gives no thread.
    #[error("the machine cannot be watched")]
    Telemetry(#[source] std::io::Error),
    /// The system gives no thread.
    #[error("runs cannot be watched")]
    Alerts(#[source] std::io::Error),
}

impl Server {
    /// Opens the storage root and prepares the routes. Nothing is listened on yet.
    ///
    /// # Errors
    /// Only when the root has no usable name; a missing or unreadable root is a state that the page shows.
    pub fn new(config: Config) -> Result<Self, StartError> {
        let app = App::new(config)?;
        alerts::start(&app).map_err(StartError::Alerts)?;
        running::start(&app).map_err(StartError::Alerts)?;
        Ok(Self {
            front: Arc::new(Front::new(app)),
        })
    }

    /// Answers on a listener until [`Server::shutdown`]. May run for several listeners at once.
    pub async fn serve(&self, listener: impl Into<Listener>) {
        let stopping = self.front.app.sockets().stopping().clone();
        listening::serve(Arc::clone(&self.front), listener.into(), stopping).await;
    }

    /// Stops all listeners, ends open sockets and waits for what is running, for a bounded time.
    pub async fn shutdown(&self) {
        self.front.app.stop().await;
    }

    /// Resolves when nobody has been here for [`Config::idle_timeout`]; never without one.
    pub async fn idle(&self) {
        let Some(limit) = self.front.app.config().idle_timeout else {
            return std::future::pending().await;
        };
        loop {
            let idle = self.front.app.idle_time();
            match limit.checked_sub(idle) {
                None | Some(Duration::ZERO) => return,
                Some(rest) => tokio::time::sleep(rest).await,
            }
        }
    }

    /// The handles that requests use, for the process around the server.
    pub fn app(&self) -> &App {
        &self.front.app
    }
}
