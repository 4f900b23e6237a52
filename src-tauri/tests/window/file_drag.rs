//! A file manager that drags files onto the app's window and lets them go: the source's side of the X drag-and-drop protocol.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use x11rb::{
    COPY_DEPTH_FROM_PARENT, COPY_FROM_PARENT, CURRENT_TIME,
    connection::Connection,
    protocol::{
        Event,
        xproto::{
            AtomEnum, ClientMessageEvent, ConnectionExt as _, CreateWindowAux, EventMask, PropMode,
            SELECTION_NOTIFY_EVENT, SelectionNotifyEvent, SelectionRequestEvent, Window,
            WindowClass,
        },
    },
    rust_connection::RustConnection,
    wrapper::ConnectionExt as _,
};

use crate::{
    programs::PATIENCE,
    x_window::{XWindow, atom},
};

/// The version of the protocol, where the protocol wants it.
const VERSION: u32 = 5 << 24;

/// A drag that is over the middle of a window.
pub(crate) struct FileDrag {
    connection: RustConnection,
    /// The file manager's own window.
    source: Window,
    target: Window,
    /// Where the pointer is on the screen.
    at: (u32, u32),
    /// What is dragged, as an URI list.
    uris: Vec<u8>,
}

impl FileDrag {
    /// Drags a file or folder over the window until the window would take it.
    pub(crate) fn over(display: &str, window: &XWindow, path: &Path) -> Self {
        let (connection, screen) = RustConnection::connect(Some(display)).unwrap();
        let root = connection.setup().roots[screen].root;
        let source = connection.generate_id().unwrap();
        let nothing = CreateWindowAux::new();
        let class = WindowClass::INPUT_OUTPUT;
        connection
            .create_window(
                COPY_DEPTH_FROM_PARENT,
                source,
                root,
                0,
                0,
                1,
                1,
                0,
                class,
                COPY_FROM_PARENT,
                &nothing,
            )
            .unwrap()
            .check()
            .unwrap();
        let selection = atom(&connection, "XdndSelection");
        connection
            .set_selection_owner(source, selection, CURRENT_TIME)
            .unwrap()
            .check()
            .unwrap();
        let drag = Self {
            connection,
            source,
            target: window.id(),
            at: window.middle(),
            uris: format!("file://{}\r\n", path.display()).into_bytes(),
        };
        drag.send("XdndEnter", [VERSION, drag.atom("text/uri-list"), 0, 0]);
        drag.move_until_taken();
        drag
    }

    /// Drags it away again.
    pub(crate) fn leave(self) {
        self.send("XdndLeave", [0, 0, 0, 0]);
    }

    /// Lets go, and waits until the window says that it is done.
    pub(crate) fn let_go(self) {
        self.send("XdndDrop", [0, CURRENT_TIME, 0, 0]);
        let finished = self.atom("XdndFinished");
        self.answer_until("the end of the drop", |message| message.type_ == finished);
    }

    fn move_until_taken(&self) {
        let status = self.atom("XdndStatus");
        let end = Instant::now() + PATIENCE;
        let is_taken = std::cell::Cell::new(false);
        // The window decides when it has seen what it is: each move is another question.
        while !is_taken.get() {
            assert!(Instant::now() < end, "the window takes no files");
            let (x, y) = self.at;
            let copy = self.atom("XdndActionCopy");
            self.send("XdndPosition", [0, (x << 16) | y, CURRENT_TIME, copy]);
            self.answer_until("a word about the drag", |message| {
                is_taken.set(message.data.as_data32()[1] & 1 == 1);
                message.type_ == status
            });
        }
    }

    fn send(&self, name: &str, [first, second, third, fourth]: [u32; 4]) {
        let data = [self.source, first, second, third, fourth];
        let message = ClientMessageEvent::new(32, self.target, self.atom(name), data);
        self.connection
            .send_event(false, self.target, EventMask::NO_EVENT, message)
            .unwrap()
            .check()
            .unwrap();
    }

    /// Hands out what is dragged whenever it is asked for, until a message like this comes.
    fn answer_until(&self, what: &str, is_it: impl Fn(&ClientMessageEvent) -> bool) {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.connection.poll_for_event().unwrap() {
                Some(Event::ClientMessage(message)) if is_it(&message) => return,
                Some(Event::SelectionRequest(asked)) => self.hand_out(&asked),
                Some(_) => {}
                None => std::thread::sleep(Duration::from_millis(5)),
            }
            assert!(Instant::now() < end, "{what} never came");
        }
    }

    fn hand_out(&self, asked: &SelectionRequestEvent) {
        let has_it = asked.target == self.atom("text/uri-list");
        let (property, target) = (asked.property, asked.target);
        if has_it {
            self.connection
                .change_property8(
                    PropMode::REPLACE,
                    asked.requestor,
                    property,
                    target,
                    &self.uris,
                )
                .unwrap()
                .check()
                .unwrap();
        }
        let answer = SelectionNotifyEvent {
            response_type: SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time: asked.time,
            requestor: asked.requestor,
            selection: asked.selection,
            target,
            property: if has_it {
                property
            } else {
                AtomEnum::NONE.into()
            },
        };
        self.connection
            .send_event(false, asked.requestor, EventMask::NO_EVENT, answer)
            .unwrap()
            .check()
            .unwrap();
    }

    fn atom(&self, name: &str) -> u32 {
        atom(&self.connection, name)
    }
}
