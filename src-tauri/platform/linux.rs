//! Linux: WebKitGTK edits by command, because GTK menus have no copy and paste of their own, and drags columns of the page
//! while the shell hears of dropped folders.

use tauri::{
    AppHandle, Manager, WebviewWindow, WebviewWindowBuilder, Wry,
    menu::{IsMenuItem, MenuItem},
};
use webkit2gtk::WebViewExt;

use crate::menu_text::MenuText;

const CUT: &str = "edit-cut";
const COPY: &str = "edit-copy";
const PASTE: &str = "edit-paste";
const SELECT_ALL: &str = "edit-select-all";

/// The items of the edit menu. The keys are those of `WebKit` and need no menu.
pub(crate) fn edit_items(
    app: &AppHandle,
    text: &MenuText,
) -> tauri::Result<Vec<Box<dyn IsMenuItem<Wry>>>> {
    let items = [
        (CUT, text.cut),
        (COPY, text.copy),
        (PASTE, text.paste),
        (SELECT_ALL, text.select_all),
    ];
    let item = |(id, label)| {
        let item = MenuItem::with_id(app, id, label, true, None::<&str>)?;
        Ok(Box::new(item) as Box<dyn IsMenuItem<Wry>>)
    };
    items.into_iter().map(item).collect()
}

/// Does what a chosen item says; an id of another menu does nothing.
pub(crate) fn edit(window: &WebviewWindow, id: &str) -> tauri::Result<()> {
    let command = match id {
        CUT => "Cut",
        COPY => "Copy",
        PASTE => "Paste",
        SELECT_ALL => "SelectAll",
        _ => return Ok(()),
    };
    window.with_webview(move |webview| webview.inner().execute_editing_command(command))
}

/// Nothing to do: files that are dropped here come to the shell, everything else goes on to the page.
pub(crate) fn let_page_drag<M: Manager<Wry>>(
    window: WebviewWindowBuilder<'_, Wry, M>,
) -> WebviewWindowBuilder<'_, Wry, M> {
    window
}
