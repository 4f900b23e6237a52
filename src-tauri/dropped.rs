//! Folders and files that a person drops onto the window from a file manager.
//!
//! The page is told, by an event of its own window, and asks the person; nothing is opened here. Where the system's web view hides
//! dragging from the page while the shell listens, the shell does not listen: columns must stay movable (see `platform`).

use std::path::PathBuf;

use serde_json::json;
use tauri::{DragDropEvent, Manager, Window, WindowEvent, async_runtime};

use crate::window;

/// The event that the page listens for: `ui/src/state/desktop.svelte.ts`.
const EVENT: &str = "runicorn:dropped";

/// Tells the page of what was dropped.
pub(crate) fn heard(window: &Window, event: &WindowEvent) {
    let WindowEvent::DragDrop(DragDropEvent::Drop { paths, .. }) = event else {
        return;
    };
    // a link that is dragged around inside the page comes as a path too
    let paths: Vec<PathBuf> = paths
        .iter()
        .filter(|path| path.is_absolute())
        .cloned()
        .collect();
    if paths.is_empty() {
        return;
    }
    let app = window.app_handle().clone();
    // a dead mount may take its time to answer
    async_runtime::spawn_blocking(move || {
        let folder = paths.iter().find(|path| path.is_dir());
        window::tell_page(&app, EVENT, &json!({ "folder": folder }));
    });
}
