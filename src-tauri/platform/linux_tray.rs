//! Linux: an item of the desktop's status notifier, spoken to over D-Bus. Where nobody shows such items it waits, silently, for
//! somebody who does.

use ksni::{Icon, MenuItem, OfflineReason, ToolTip, TrayMethods, menu::StandardItem};
use tauri::AppHandle;
use tokio::sync::watch;

use crate::{
    menu,
    tray::{Entry, Face},
};

/// Shows faces as they come, until the app ends.
pub(crate) async fn show_tray(app: AppHandle, mut faces: watch::Receiver<Face>) {
    let face = faces.borrow_and_update().clone();
    let item = Item {
        icons: icons(&app),
        app,
        face,
    };
    let handle = match item.assume_sni_available(true).spawn().await {
        Ok(handle) => handle,
        Err(error) => {
            tracing::info!(%error, "there is no tray");
            return;
        }
    };
    while faces.changed().await.is_ok() {
        let face = faces.borrow_and_update().clone();
        handle.update(|item| item.face = face).await;
    }
}

struct Item {
    app: AppHandle,
    icons: Vec<Icon>,
    face: Face,
}

impl ksni::Tray for Item {
    fn id(&self) -> String {
        "runicorn-desktop".to_owned()
    }

    fn title(&self) -> String {
        "Runicorn".to_owned()
    }

    fn icon_pixmap(&self) -> Vec<Icon> {
        self.icons.clone()
    }

    fn tool_tip(&self) -> ToolTip {
        ToolTip {
            title: "Runicorn".to_owned(),
            description: self.face.tip.clone(),
            icon_name: String::new(),
            icon_pixmap: Vec::new(),
        }
    }

    fn menu(&self) -> Vec<MenuItem<Self>> {
        self.face.entries.iter().map(menu_item).collect()
    }

    fn activate(&mut self, _x: i32, _y: i32) {
        menu::chosen(&self.app, menu::SHOW);
    }

    fn watcher_online(&self) {
        tracing::debug!("there is a tray now");
    }

    fn watcher_offline(&self, reason: OfflineReason) -> bool {
        tracing::debug!(?reason, "there is no tray now");
        true
    }
}

fn menu_item(entry: &Entry) -> MenuItem<Item> {
    let (id, label, enabled) = match entry {
        Entry::Line => return MenuItem::Separator,
        Entry::Words(words) => (String::new(), words, false),
        Entry::Item { id, label } => (id.clone(), label, true),
    };
    let item = StandardItem {
        // a single line below a letter makes it a key
        label: label.replace('_', "__"),
        enabled,
        activate: Box::new(move |item: &mut Item| menu::chosen(&item.app, &id)),
        ..StandardItem::default()
    };
    item.into()
}

/// The window's picture as the bus wants it: alpha first.
fn icons(app: &AppHandle) -> Vec<Icon> {
    let picture = app.default_window_icon().and_then(|picture| {
        let pixels = picture.rgba().chunks_exact(4);
        Some(Icon {
            width: i32::try_from(picture.width()).ok()?,
            height: i32::try_from(picture.height()).ok()?,
            data: pixels
                .flat_map(|pixel| [pixel[3], pixel[0], pixel[1], pixel[2]])
                .collect(),
        })
    });
    picture.into_iter().collect()
}
