//! `WebSocket`s that end with the server.
//!
//! A handler gives [`Sockets::open_with`] a function over a [`Socket`]. [`Socket::recv`] returns `None` when the client has
//! gone or the server stops, so a handler that always waits for it (beside its own events) ends by itself.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A client that has not been heard of for three of these is gone.
const PING_EVERY: Duration = Duration::from_secs(20);
/// Clients only send small commands.
const MESSAGE_LIMIT_BYTES: usize = 1 << 20;
/// A client that takes longer than this for one message is treated as gone.
const SEND_TIME_LIMIT: Duration = Duration::from_mins(1);

/// All open sockets, and the wish to stop.
#[derive(Clone, Default)]
pub(crate) struct Sockets {
    stopping: CancellationToken,
    tasks: TaskTracker,
    connections: TaskTracker,
}

/// The client has gone or the server stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Closed;

impl Sockets {
    /// Accepts an upgrade and runs a handler over the socket.
    pub(crate) fn open_with<F>(
        &self,
        upgrade: WebSocketUpgrade,
        handler: impl FnOnce(Socket) -> F + Send + 'static,
    ) -> Response
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let stopping = self.stopping.clone();
        let tasks = self.tasks.clone();
        upgrade
            .max_message_size(MESSAGE_LIMIT_BYTES)
            .on_upgrade(move |socket| tasks.track_future(handler(Socket::new(socket, stopping))))
    }

    /// Runs what carries bytes for a client, until it ends or is told to.
    pub(crate) fn carry(
        &self,
        work: impl Future<Output = ()> + Send + 'static,
        closing: CancellationToken,
    ) {
        self.tasks.spawn(async move {
            tokio::select! { () = work => {}, () = closing.cancelled() => {} }
        });
    }

    /// Resolves when the server wants to stop.
    pub(crate) fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }

    /// How many sockets are open.
    pub(crate) fn open(&self) -> usize {
        self.tasks.len()
    }

    /// The connections of all listeners.
    pub(crate) fn connections(&self) -> &TaskTracker {
        &self.connections
    }

    /// Ends every socket and connection; what is not done in time is left to the end of the process.
    pub(crate) async fn stop(&self, limit: Duration) {
        self.stopping.cancel();
        self.tasks.close();
        self.connections.close();
        let all = async {
            self.tasks.wait().await;
            self.connections.wait().await;
        };
        if tokio::time::timeout(limit, all).await.is_err() {
            tracing::warn!("some connections were still busy when the server stopped");
        }
    }
}

/// One open socket.
pub(crate) struct Socket {
    inner: WebSocket,
    stopping: CancellationToken,
    pings: tokio::time::Interval,
    silent_pings: u8,
}

impl Socket {
    fn new(inner: WebSocket, stopping: CancellationToken) -> Self {
        let mut pings =
            tokio::time::interval_at(tokio::time::Instant::now() + PING_EVERY, PING_EVERY);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            inner,
            stopping,
            pings,
            silent_pings: 0,
        }
    }

    /// The next text of the client, or `None` when the socket is over. May be dropped and called again without losing
    /// anything, so it can stand in a `select!`.
    pub(crate) async fn recv(&mut self) -> Option<String> {
        loop {
            tokio::select! {
                () = self.stopping.cancelled() => {
                    self.close_with(close_code::AWAY, "the server stops").await;
                    return None;
                }
                _ = self.pings.tick() => {
                    self.silent_pings += 1;
                    if self.silent_pings > 3 || self.push(Message::Ping(Bytes::new())).await.is_err() {
                        return None;
                    }
                }
                message = self.inner.recv() => {
                    self.silent_pings = 0;
                    match message {
                        Some(Ok(Message::Text(text))) => return Some(text.to_string()),
                        Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                        Some(Ok(_)) => {}
                    }
                }
            }
        }
    }

    /// Sends one text; waits while the client is slow.
    pub(crate) async fn send(&mut self, text: impl Into<String>) -> Result<(), Closed> {
        self.push(Message::Text(text.into().into())).await
    }

    /// Says goodbye in the normal way (code 1000).
    pub(crate) async fn close(self) {
        self.close_because(close_code::NORMAL, "").await;
    }

    /// Says goodbye with a code and a reason.
    pub(crate) async fn close_because(mut self, code: u16, reason: &'static str) {
        self.close_with(code, reason).await;
    }

    async fn close_with(&mut self, code: u16, reason: &'static str) {
        let frame = CloseFrame {
            code,
            reason: reason.into(),
        };
        // The client may be gone already; then there is nobody to tell.
        self.push(Message::Close(Some(frame)))
            .await
            .unwrap_or_default();
    }

    async fn push(&mut self, message: Message) -> Result<(), Closed> {
        let stopping = self.stopping.is_cancelled();
        let limit = if stopping {
            Duration::from_millis(200)
        } else {
            SEND_TIME_LIMIT
        };
        let sent = tokio::time::timeout(limit, self.inner.send(message));
        let stop = self.stopping.cancelled();
        let sent = async move { sent.await.is_ok_and(|sent| sent.is_ok()) };
        let sent = if stopping {
            sent.await
        } else {
            tokio::select! { sent = sent => sent, () = stop => false }
        };
        if sent { Ok(()) } else { Err(Closed) }
    }
}
