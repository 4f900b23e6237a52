//! macOS: links come as events of the app, not as arguments.

use tauri::RunEvent;

/// The links that the system asks to open.
pub(crate) fn links_of(event: &RunEvent) -> Vec<String> {
    match event {
        RunEvent::Opened { urls } => urls.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    }
}
