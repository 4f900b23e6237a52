//! macOS and Windows: the system's own edit items, which macOS needs for the keys to work at all, and dragging that belongs to
//! the page alone.

use tauri::{
    AppHandle, Manager, WebviewWindow, WebviewWindowBuilder, Wry,
    menu::{IsMenuItem, PredefinedMenuItem},
};

use crate::menu_text::MenuText;

/// The items of the edit menu.
pub(crate) fn edit_items(
    app: &AppHandle,
    text: &MenuText,
) -> tauri::Result<Vec<Box<dyn IsMenuItem<Wry>>>> {
    Ok(vec![
        Box::new(PredefinedMenuItem::cut(app, Some(text.cut))?),
        Box::new(PredefinedMenuItem::copy(app, Some(text.copy))?),
        Box::new(PredefinedMenuItem::paste(app, Some(text.paste))?),
        Box::new(PredefinedMenuItem::select_all(app, Some(text.select_all))?),
    ])
}

/// Nothing to do: the system acts on its own items.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the same face as on Linux, where editing can fail"
)]
pub(crate) fn edit(_window: &WebviewWindow, _id: &str) -> tauri::Result<()> {
    Ok(())
}

/// Here a shell that hears of dropped files would take every drag from the page, also that of a column: the page sees a folder
/// that is dropped itself, and asks where it lies.
pub(crate) fn let_page_drag<M: Manager<Wry>>(
    window: WebviewWindowBuilder<'_, Wry, M>,
) -> WebviewWindowBuilder<'_, Wry, M> {
    window.disable_drag_drop_handler()
}
