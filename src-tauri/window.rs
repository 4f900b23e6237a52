//! The one window: where it may go, what it does with links and downloads, and how it comes to the front.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::Value;
use tauri::{
    AppHandle, Manager, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder,
    webview::{DownloadEvent, NewWindowResponse, PageLoadEvent},
};

use crate::{app::Shell, desktop, link, menu, platform};

/// The window's name inside Tauri.
pub(crate) const LABEL: &str = "main";

/// Under `LANG=C` WebKitGTK calls the page's language "C", which is no language to its own number formats: a page that
/// asks for one ends there. Browsers say "en-US" then.
const USABLE_LANGUAGE: &str = "
    try {
      new Intl.NumberFormat(navigator.language);
    } catch {
      Object.defineProperty(Navigator.prototype, 'language', { get: () => 'en-US' });
      Object.defineProperty(Navigator.prototype, 'languages', { get: () => ['en-US', 'en'] });
    }";

/// Opens the window on our own server.
pub(crate) fn open(
    app: &AppHandle,
    first: Url,
    state_folder: &Path,
) -> anyhow::Result<WebviewWindow> {
    let shell = app.state::<Shell>();
    let choices = shell.memory().choices();
    let ours = shell.address().clone();
    let window = WebviewWindowBuilder::new(app, LABEL, WebviewUrl::External(first));
    let window = platform::let_page_drag(window)
        .title("Runicorn")
        .inner_size(1360.0, 860.0)
        .min_inner_size(900.0, 560.0)
        .data_directory(state_folder.join("webview"))
        .initialization_script(USABLE_LANGUAGE)
        .menu(menu::build(app, choices.safe_rendering)?)
        .on_navigation(move |url| stays_inside(&ours, url))
        .on_new_window(|url, _| {
            open_outside(&url);
            NewWindowResponse::Deny
        })
        .on_page_load(|window, load| {
            if matches!(load.event(), PageLoadEvent::Started) {
                window.state::<Shell>().first_byte(window.app_handle());
            }
        })
        .on_download(|_, event| {
            match event {
                DownloadEvent::Requested { destination, .. } => {
                    *destination = free_name(destination);
                }
                DownloadEvent::Finished {
                    path: Some(path),
                    success: true,
                    ..
                } => {
                    desktop::notify("Runicorn", &path.display().to_string());
                }
                _ => {}
            }
            true
        })
        .build()
        .context("the window could not be opened")?;
    window.set_zoom(choices.zoom)?;
    // a link may have come while the window was made
    if let Some(view) = app.state::<link::Waiting>().take() {
        show_view(app, &view);
    }
    Ok(window)
}

/// Shows another view of our page: a step of its history, as one of its own links makes, so that nothing is loaded anew.
pub(crate) fn show_view(app: &AppHandle, view: &str) {
    let view = Value::from(view);
    run_in_page(
        app,
        &format!(
            "if (location.pathname + location.search !== {view}) {{
               history.pushState(null, '', {view});
               dispatchEvent(new PopStateEvent('popstate'));
             }}"
        ),
    );
}

/// Tells the page what happened to its window, as an event.
pub(crate) fn tell_page(app: &AppHandle, event: &str, detail: &Value) {
    let event = Value::from(event);
    run_in_page(
        app,
        &format!("dispatchEvent(new CustomEvent({event}, {{ detail: {detail} }}))"),
    );
}

fn run_in_page(app: &AppHandle, script: &str) {
    let Some(window) = app.get_webview_window(LABEL) else {
        return;
    };
    if let Err(error) = window.eval(script) {
        tracing::warn!(%error, "the page could not be told");
    }
}

/// Brings the window to the front.
pub(crate) fn show(app: &AppHandle) {
    let Some(window) = app.get_webview_window(LABEL) else {
        return;
    };
    let shown = window
        .unminimize()
        .and_then(|()| window.show())
        .and_then(|()| window.set_focus());
    match shown {
        Ok(()) => tracing::info!("brought to the front"),
        Err(error) => tracing::warn!(%error, "the window could not be brought to the front"),
    }
}

/// Whether the window itself may go there; a web address of others opens in the person's browser instead.
fn stays_inside(ours: &Url, url: &Url) -> bool {
    let is_ours = url.origin() == ours.origin() || url.as_str() == "about:blank";
    if !is_ours {
        open_outside(url);
    }
    is_ours
}

fn open_outside(url: &Url) {
    if !matches!(url.scheme(), "http" | "https") {
        tracing::warn!(scheme = url.scheme(), "a link of this kind is not opened");
        return;
    }
    if let Err(error) = open::that_detached(url.as_str()) {
        tracing::warn!(%error, "no browser could be opened");
    }
}

/// The path itself, or the same with a number where a file of that name is already there.
fn free_name(path: &Path) -> PathBuf {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let (stem, ending) = name
        .split_once('.')
        .map_or((name.as_str(), ""), |(stem, ending)| (stem, ending));
    let numbered = |number: u32| path.with_file_name(format!("{stem} ({number}).{ending}"));
    let mut names = std::iter::once(path.to_path_buf()).chain((1..).map(numbered));
    names
        .find(|candidate| !candidate.exists())
        .unwrap_or_else(|| path.to_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_download_never_replaces_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.tar.gz");
        assert_eq!(free_name(&path), path);
        std::fs::write(&path, "").unwrap();
        assert_eq!(free_name(&path), folder.path().join("run (1).tar.gz"));
    }
}
