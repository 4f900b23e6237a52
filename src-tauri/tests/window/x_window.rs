//! The app's window as the X server sees it: found by process, closed, resized and typed into as a person would.

use std::time::{Duration, Instant};

use x11rb::{
    connection::Connection,
    protocol::{
        Event,
        xproto::{
            AtomEnum, ChangeWindowAttributesAux, ClientMessageEvent, ConfigureWindowAux,
            ConnectionExt, EventMask, InputFocus, MapState, Window,
        },
        xtest::ConnectionExt as _,
    },
    rust_connection::RustConnection,
};

use crate::programs::PATIENCE;

const KEY_PRESS: u8 = 2;
const KEY_RELEASE: u8 = 3;
/// X key symbols of keys that are held.
pub(crate) const CONTROL: u32 = 0xffe3;
pub(crate) const SHIFT: u32 = 0xffe1;

/// A mapped top-level window.
pub(crate) struct XWindow {
    connection: RustConnection,
    root: Window,
    window: Window,
}

impl XWindow {
    /// Waits for the window of this title to be shown.
    pub(crate) fn titled(display: &str, title: &str) -> Self {
        let (connection, screen) = RustConnection::connect(Some(display)).unwrap();
        let root = connection.setup().roots[screen].root;
        let events = ChangeWindowAttributesAux::new().event_mask(EventMask::SUBSTRUCTURE_NOTIFY);
        connection
            .change_window_attributes(root, &events)
            .unwrap()
            .check()
            .unwrap();
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(window) = find(&connection, root, title) {
                return Self {
                    connection,
                    root,
                    window,
                };
            }
            assert!(Instant::now() < end, "no window called {title}");
            // Any change among the windows is a reason to look again.
            match connection.poll_for_event().unwrap() {
                Some(_) => {}
                None => std::thread::sleep(Duration::from_millis(10)),
            }
        }
    }

    /// Presses the close button.
    pub(crate) fn close(&self) {
        let [protocols, delete] =
            ["WM_PROTOCOLS", "WM_DELETE_WINDOW"].map(|name| atom(&self.connection, name));
        let message = ClientMessageEvent::new(32, self.window, protocols, [delete, 0, 0, 0, 0]);
        self.connection
            .send_event(false, self.window, EventMask::NO_EVENT, message)
            .unwrap()
            .check()
            .unwrap();
    }

    /// Makes it this large, and waits until it is.
    pub(crate) fn resize(&self, width: u16, height: u16) {
        let events = ChangeWindowAttributesAux::new().event_mask(EventMask::STRUCTURE_NOTIFY);
        self.connection
            .change_window_attributes(self.window, &events)
            .unwrap()
            .check()
            .unwrap();
        let size = ConfigureWindowAux::new()
            .width(u32::from(width))
            .height(u32::from(height));
        self.connection
            .configure_window(self.window, &size)
            .unwrap()
            .check()
            .unwrap();
        while self.size() != (width, height) {
            assert!(!matches!(
                self.connection.wait_for_event().unwrap(),
                Event::DestroyNotify(_)
            ));
        }
    }

    /// Its number on the display.
    pub(crate) fn id(&self) -> Window {
        self.window
    }

    /// Where its middle is on the screen.
    pub(crate) fn middle(&self) -> (u32, u32) {
        let (width, height) = self.size();
        let [x, y] = [width / 2, height / 2].map(|at| i16::try_from(at).unwrap());
        let at = self
            .connection
            .translate_coordinates(self.window, self.root, x, y)
            .unwrap()
            .reply()
            .unwrap();
        [at.dst_x, at.dst_y]
            .map(|at| u32::try_from(at).unwrap())
            .into()
    }

    /// Width and height in pixels.
    pub(crate) fn size(&self) -> (u16, u16) {
        let geometry = self
            .connection
            .get_geometry(self.window)
            .unwrap()
            .reply()
            .unwrap();
        (geometry.width, geometry.height)
    }

    /// Types a key with others held; each is given by its X symbol.
    pub(crate) fn type_key(&self, held: &[u32], symbol: u32) {
        self.connection
            .set_input_focus(InputFocus::PARENT, self.window, x11rb::CURRENT_TIME)
            .unwrap()
            .check()
            .unwrap();
        let keys: Vec<u8> = held
            .iter()
            .chain([&symbol])
            .map(|symbol| self.key_of(*symbol))
            .collect();
        let presses = keys.iter().map(|key| (KEY_PRESS, *key));
        let releases = keys.iter().rev().map(|key| (KEY_RELEASE, *key));
        for (kind, key) in presses.chain(releases) {
            self.connection
                .xtest_fake_input(kind, key, x11rb::CURRENT_TIME, self.root, 0, 0, 0)
                .unwrap()
                .check()
                .unwrap();
        }
    }

    fn key_of(&self, symbol: u32) -> u8 {
        let (first, last) = (
            self.connection.setup().min_keycode,
            self.connection.setup().max_keycode,
        );
        let map = self
            .connection
            .get_keyboard_mapping(first, last - first + 1)
            .unwrap()
            .reply()
            .unwrap();
        let at = map
            .keysyms
            .chunks(usize::from(map.keysyms_per_keycode))
            .position(|symbols| symbols.contains(&symbol))
            .unwrap();
        first + u8::try_from(at).unwrap()
    }
}

fn find(connection: &RustConnection, parent: Window, title: &str) -> Option<Window> {
    // A window may vanish between two questions; then it is not the one.
    let children = connection.query_tree(parent).ok()?.reply().ok()?.children;
    children.into_iter().find(|window| {
        let attributes = connection
            .get_window_attributes(*window)
            .ok()
            .and_then(|cookie| cookie.reply().ok());
        let is_shown =
            attributes.is_some_and(|attributes| attributes.map_state == MapState::VIEWABLE);
        let name = connection.get_property(false, *window, AtomEnum::WM_NAME, AtomEnum::ANY, 0, 64);
        is_shown
            && name
                .ok()
                .and_then(|cookie| cookie.reply().ok())
                .is_some_and(|name| name.value == title.as_bytes())
    })
}

pub(crate) fn atom(connection: &RustConnection, name: &str) -> u32 {
    connection
        .intern_atom(false, name.as_bytes())
        .unwrap()
        .reply()
        .unwrap()
        .atom
}
