//! What the server may ask of the desktop on behalf of the page.

use std::{path::PathBuf, sync::Arc};

use runicorn_server::{Desktop, DesktopFuture, RunNotice, RunningRuns};
use tauri::{AppHandle, Manager, async_runtime};
use tokio::sync::oneshot;

use crate::{blank_check::BlankCheck, notice_text, tray::Tray, window};

/// The handle that the server holds.
pub(crate) struct Handle {
    app: AppHandle,
    blank_check: Arc<BlankCheck>,
    tray: Tray,
}

impl Handle {
    pub(crate) fn new(app: AppHandle, blank_check: Arc<BlankCheck>, tray: Tray) -> Self {
        Self {
            app,
            blank_check,
            tray,
        }
    }
}

impl Desktop for Handle {
    fn pick_folder(&self) -> DesktopFuture<Option<PathBuf>> {
        let (answer, answered) = oneshot::channel();
        let app = self.app.clone();
        let asked = self.app.run_on_main_thread(move || {
            let mut dialog = rfd::AsyncFileDialog::new();
            if let Some(window) = app.get_webview_window(window::LABEL) {
                dialog = dialog.set_parent(&window);
            }
            let picking = dialog.pick_folder();
            async_runtime::spawn(async move {
                // Nobody waits any more when the page went away; then the choice does not matter.
                drop(answer.send(picking.await.map(|folder| folder.path().to_path_buf())));
            });
        });
        if let Err(error) = asked {
            tracing::warn!(%error, "the folder dialog could not be shown");
        }
        Box::pin(async { answered.await.ok().flatten() })
    }

    fn notify(&self, notice: &RunNotice) {
        notify(&notice.name, &notice_text::of(notice));
    }

    fn runs(&self, running: &RunningRuns) {
        self.tray.count(running);
    }

    fn open_url(&self, url: &str) -> DesktopFuture<Result<(), String>> {
        let opened = open::that_detached(url).map_err(|error| error.to_string());
        Box::pin(async { opened })
    }

    fn painted(&self) {
        self.blank_check.painted();
    }
}

/// Shows a notification of the system; one that cannot be shown is only logged.
pub(crate) fn notify(title: &str, text: &str) {
    let mut notification = notify_rust::Notification::new();
    notification
        .appname("Runicorn")
        .summary(title)
        .body(text)
        .icon("runicorn-desktop");
    async_runtime::spawn_blocking(move || {
        if let Err(error) = notification.show() {
            tracing::info!(%error, "no notification was shown");
        }
    });
}
