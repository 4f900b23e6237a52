//! Linux and Windows: links come as arguments of a start.

use tauri::RunEvent;

/// The links that the system asks to open.
pub(crate) fn links_of(_event: &RunEvent) -> Vec<String> {
    Vec::new()
}
