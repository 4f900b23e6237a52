//! What shows the items of a tray on a desktop: the watcher's name on the session bus, and a look at the item that comes.

use std::{
    collections::HashMap,
    sync::mpsc::{Receiver, Sender, channel},
};

use zbus::{
    blocking::{Connection, Proxy, connection::Builder, proxy},
    fdo, interface,
    proxy::CacheProperties,
    zvariant::{OwnedValue, Value},
};

use crate::programs::PATIENCE;

/// The host, and the item that was registered with it.
pub(crate) struct TrayHost {
    connection: Connection,
    items: Receiver<String>,
}

struct Watcher(Sender<String>);

#[interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    fn register_status_notifier_item(&self, service: &str) -> fdo::Result<()> {
        let sent = self.0.send(service.to_owned());
        sent.map_err(|error| fdo::Error::Failed(error.to_string()))
    }

    #[zbus(property)]
    #[expect(
        clippy::unused_self,
        reason = "a property of the bus belongs to its object"
    )]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }
}

/// A node of the bus's menus: id, properties, children.
type Node = (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>);

impl TrayHost {
    /// Begins to show items on this session bus.
    pub(crate) fn on(bus: &str) -> Self {
        let (registered, items) = channel();
        let connection = Builder::address(bus)
            .unwrap()
            .serve_at("/StatusNotifierWatcher", Watcher(registered))
            .unwrap()
            .name("org.kde.StatusNotifierWatcher")
            .unwrap()
            .build()
            .unwrap();
        Self { connection, items }
    }

    /// Waits for an item.
    pub(crate) fn item(&self) -> TrayItem {
        let service = self.items.recv_timeout(PATIENCE).expect("no item came");
        // Values are asked for anew each time: that they change is told by signals of their own.
        let proxy = |path: &'static str, name: &'static str| -> Proxy<'static> {
            proxy::Builder::new(&self.connection)
                .destination(service.clone())
                .unwrap()
                .path(path)
                .unwrap()
                .interface(name)
                .unwrap()
                .cache_properties(CacheProperties::No)
                .build()
                .unwrap()
        };
        TrayItem {
            item: proxy("/StatusNotifierItem", "org.kde.StatusNotifierItem"),
            menu: proxy("/MenuBar", "com.canonical.dbusmenu"),
        }
    }
}

/// An item in the tray.
pub(crate) struct TrayItem {
    item: Proxy<'static>,
    menu: Proxy<'static>,
}

impl TrayItem {
    /// Its name.
    pub(crate) fn title(&self) -> String {
        self.item.get_property("Title").unwrap()
    }

    /// Width and height of its picture, and how many bytes that has.
    pub(crate) fn picture(&self) -> (i32, i32, usize) {
        let pictures: Vec<(i32, i32, Vec<u8>)> = self.item.get_property("IconPixmap").unwrap();
        let (width, height, pixels) = &pictures[0];
        (*width, *height, pixels.len())
    }

    /// What is shown when it is pointed at.
    pub(crate) fn tip(&self) -> String {
        type Tip = (String, Vec<(i32, i32, Vec<u8>)>, String, String);
        let tip: Tip = self.item.get_property("ToolTip").unwrap();
        tip.3
    }

    /// Presses the icon.
    pub(crate) fn press(&self) {
        self.item
            .call::<_, _, ()>("Activate", &(0_i32, 0_i32))
            .unwrap();
    }

    /// The menu's lines that can be chosen, by their words.
    pub(crate) fn choices(&self) -> Vec<(i32, String)> {
        let names: [&str; 0] = [];
        let (_, root): (u32, Node) = self
            .menu
            .call("GetLayout", &(0_i32, -1_i32, &names[..]))
            .unwrap();
        let children = root.2.into_iter();
        let nodes = children.map(|child| Node::try_from(child).unwrap());
        nodes
            .filter(|(_, properties, _)| {
                properties
                    .get("enabled")
                    .is_none_or(|on| **on != Value::Bool(false))
            })
            .filter_map(|(id, properties, _)| {
                let label = String::try_from(properties.get("label")?.try_clone().ok()?).ok()?;
                Some((id, label))
            })
            .collect()
    }

    /// The words alone.
    pub(crate) fn words(&self) -> Vec<String> {
        self.choices().into_iter().map(|(_, label)| label).collect()
    }

    /// Chooses the line with these words.
    pub(crate) fn choose(&self, words: &str) {
        let choices = self.choices();
        let found = choices.iter().find(|(_, label)| label == words);
        let (id, _) = found.unwrap_or_else(|| panic!("no {words} among {choices:?}"));
        self.menu
            .call::<_, _, ()>("Event", &(id, "clicked", Value::from(0_i32), 0_u32))
            .unwrap();
    }
}
