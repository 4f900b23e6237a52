//! The menu bar and its keys.

use tauri::{
    AppHandle, Manager, WebviewWindow, Wry,
    menu::{CheckMenuItemBuilder, IsMenuItem, Menu, MenuBuilder, MenuItem, SubmenuBuilder},
};

use crate::{app::Shell, link, menu_text::MenuText, platform, window};

/// Items of the tray; the first two stand in the menu bar too.
pub(crate) const OPEN_IN_BROWSER: &str = "open-in-browser";
pub(crate) const QUIT: &str = "quit";
pub(crate) const SHOW: &str = "show";
/// Before the id of a run.
pub(crate) const SHOW_RUN: &str = "show-run/";

const RELOAD: &str = "reload";
const ZOOM_IN: &str = "zoom-in";
const ZOOM_OUT: &str = "zoom-out";
const ACTUAL_SIZE: &str = "actual-size";
const FULL_SCREEN: &str = "full-screen";
const SAFE_RENDERING: &str = "safe-rendering";
const API_PAGES: &str = "api-pages";

/// One step of zooming, and how far it goes.
const ZOOM_STEP: f64 = 1.1;
const ZOOM_LIMITS: (f64, f64) = (0.5, 3.0);

/// The menu bar of the window.
pub(crate) fn build(app: &AppHandle, is_safe_rendering: bool) -> tauri::Result<Menu<Wry>> {
    let text = MenuText::of_system();
    let item = |id, label, keys: Option<&str>| MenuItem::with_id(app, id, label, true, keys);
    let file = SubmenuBuilder::new(app, text.file)
        .item(&item(
            OPEN_IN_BROWSER,
            text.open_in_browser,
            Some("CmdOrCtrl+Shift+O"),
        )?)
        .separator()
        .item(&item(QUIT, text.quit, Some("CmdOrCtrl+Q"))?)
        .build()?;
    let edit_items = platform::edit_items(app, text)?;
    let edit_items: Vec<&dyn IsMenuItem<Wry>> = edit_items.iter().map(AsRef::as_ref).collect();
    let edit = SubmenuBuilder::new(app, text.edit)
        .items(&edit_items)
        .build()?;
    let safe = CheckMenuItemBuilder::with_id(SAFE_RENDERING, text.safe_rendering)
        .checked(is_safe_rendering)
        .build(app)?;
    let view = SubmenuBuilder::new(app, text.view)
        .item(&item(RELOAD, text.reload, Some("CmdOrCtrl+R"))?)
        .separator()
        .item(&item(ZOOM_IN, text.zoom_in, Some("CmdOrCtrl+="))?)
        .item(&item(ZOOM_OUT, text.zoom_out, Some("CmdOrCtrl+-"))?)
        .item(&item(ACTUAL_SIZE, text.actual_size, Some("CmdOrCtrl+0"))?)
        .separator()
        .item(&item(FULL_SCREEN, text.full_screen, Some("F11"))?)
        .item(&safe)
        .build()?;
    let help = SubmenuBuilder::new(app, text.help)
        .item(&item(API_PAGES, text.api_pages, None)?)
        .build()?;
    MenuBuilder::new(app)
        .items(&[&file, &edit, &view, &help])
        .build()
}

/// Does what a chosen item says; a failure is logged, never shown as a crash.
pub(crate) fn chosen(app: &AppHandle, id: &str) {
    let Some(window) = app.get_webview_window(window::LABEL) else {
        return;
    };
    let shell = app.state::<Shell>();
    if let Err(error) = act(app, &window, &shell, id) {
        tracing::warn!(%error, item = id, "a menu item did not work");
    }
}

fn act(app: &AppHandle, window: &WebviewWindow, shell: &Shell, id: &str) -> anyhow::Result<()> {
    match id {
        OPEN_IN_BROWSER => open::that_detached(shell.address().as_str())?,
        API_PAGES => open::that_detached(format!("{}docs", shell.address()))?,
        QUIT => app.exit(0),
        RELOAD => window.reload()?,
        FULL_SCREEN => window.set_fullscreen(!window.is_fullscreen()?)?,
        ZOOM_IN => zoom(window, shell, |now| now * ZOOM_STEP)?,
        ZOOM_OUT => zoom(window, shell, |now| now / ZOOM_STEP)?,
        ACTUAL_SIZE => zoom(window, shell, |_| 1.0)?,
        SAFE_RENDERING => shell.choose_rendering(app)?,
        SHOW => window::show(app),
        _ if let Some(run) = id.strip_prefix(SHOW_RUN) => {
            window::show(app);
            window::show_view(app, &link::view_of_run(run));
        }
        _ => platform::edit(window, id)?,
    }
    Ok(())
}

fn zoom(window: &WebviewWindow, shell: &Shell, change: impl Fn(f64) -> f64) -> anyhow::Result<()> {
    let next = change(shell.memory().choices().zoom).clamp(ZOOM_LIMITS.0, ZOOM_LIMITS.1);
    window.set_zoom(next)?;
    Ok(shell.memory().change(|choices| choices.zoom = next)?)
}
