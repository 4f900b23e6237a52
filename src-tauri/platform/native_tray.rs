//! macOS and Windows: the system's own tray.

use tauri::{
    AppHandle, Manager, Wry,
    menu::{Menu, MenuBuilder, MenuItem},
    tray::{MouseButton, MouseButtonState, TrayIcon, TrayIconBuilder, TrayIconEvent},
};
use tokio::sync::watch;

use crate::{
    menu,
    tray::{Entry, Face},
};

/// Shows faces as they come, until the app ends.
pub(crate) async fn show_tray(app: AppHandle, mut faces: watch::Receiver<Face>) {
    loop {
        let (face, owner) = (faces.borrow_and_update().clone(), app.clone());
        let shown = app.run_on_main_thread(move || {
            if let Err(error) = show(&owner, &face) {
                tracing::warn!(%error, "the tray cannot be shown");
            }
        });
        if shown.is_err() || faces.changed().await.is_err() {
            return;
        }
    }
}

const ID: &str = "tray";

fn show(app: &AppHandle, face: &Face) -> tauri::Result<()> {
    let tray = match app.tray_by_id(ID) {
        Some(tray) => tray,
        None => begin(app)?,
    };
    tray.set_tooltip(Some(format!("Runicorn\n{}", face.tip)))?;
    tray.set_menu(Some(menu_of(app, face)?))
}

fn begin(app: &AppHandle) -> tauri::Result<TrayIcon> {
    let mut tray = TrayIconBuilder::with_id(ID).show_menu_on_left_click(cfg!(target_os = "macos"));
    if let Some(picture) = app.default_window_icon() {
        tray = tray.icon(picture.clone());
    }
    let tray = tray.on_tray_icon_event(|tray, event| {
        let is_press = matches!(
            event,
            TrayIconEvent::Click {
                button: MouseButton::Left,
                button_state: MouseButtonState::Up,
                ..
            }
        );
        if is_press && !cfg!(target_os = "macos") {
            menu::chosen(tray.app_handle(), menu::SHOW);
        }
    });
    tray.build(app)
}

fn menu_of(app: &AppHandle, face: &Face) -> tauri::Result<Menu<Wry>> {
    // one of these below a letter makes it a key
    let item = |id: &str, label: &str, enabled| {
        MenuItem::with_id(app, id, label.replace('&', "&&"), enabled, None::<&str>)
    };
    let mut menu = MenuBuilder::new(app);
    for entry in &face.entries {
        menu = match entry {
            Entry::Line => menu.separator(),
            Entry::Words(words) => menu.item(&item("tray-words", words, false)?),
            Entry::Item { id, label } => menu.item(&item(id, label, true)?),
        };
    }
    menu.build()
}
