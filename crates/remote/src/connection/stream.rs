//! One channel as bytes both ways.
//!
//! The SSH library has one queue for each channel, and a full one holds up the whole connection. So every stream takes its
//! data off that queue at once and keeps it here, up to a limit; a reader that takes nothing for a while at the limit loses
//! its stream, and the others live on. A stream that ends because the link broke ends with an error, never like a finished one.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use russh::client::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// How much waits for a reader that keeps up; little, so that it stays in the processor's cache.
const READY_BYTES: usize = 1 << 20;
/// A reader that takes nothing for so long does not keep up.
const MOMENT: Duration = Duration::from_millis(50);
/// How much a stream holds for a reader that does not.
const HELD_BYTES: usize = 32 << 20;
/// How long a reader may take nothing while that is full.
const READER_PATIENCE: Duration = Duration::from_secs(3);
/// How long the far side may take to end a stream that nobody reads any more, before it is told to.
const FAREWELL: Duration = Duration::from_secs(5);
/// How much it may still send in that time.
const FAREWELL_BYTES: usize = 1 << 20;

enum Piece {
    Data(Bytes, Room),
    End,
}

/// Which room a piece takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Room {
    Ready,
    Held,
}

/// The rooms that are free, in bytes.
struct Rooms {
    ready: Semaphore,
    held: Semaphore,
}

impl Rooms {
    fn of(&self, room: Room) -> &Semaphore {
        match room {
            Room::Ready => &self.ready,
            Room::Held => &self.held,
        }
    }
}

/// What the stream holds of the far side's data.
struct Held {
    pieces: mpsc::UnboundedReceiver<Piece>,
    rooms: Arc<Rooms>,
    current: Bytes,
    /// Of `current`.
    room: Room,
    has_ended: bool,
}

/// A channel as a stream. Dropping it closes the channel.
pub(super) struct ChannelBytes {
    held: Held,
    writer: Pin<Box<dyn AsyncWrite + Send>>,
    /// A writer that waits for the far side's window is not told when the link goes; this is.
    gone: Pin<Box<WaitForCancellationFutureOwned>>,
}

/// Turns a channel into a stream; stderr of a command is let go.
pub(super) fn bytes(channel: Channel<Msg>, ended: CancellationToken) -> ChannelBytes {
    let (from, to) = channel.split();
    of_halves(from, to, ended)
}

pub(super) fn of_halves(
    from: ChannelReadHalf,
    to: ChannelWriteHalf<Msg>,
    ended: CancellationToken,
) -> ChannelBytes {
    let (sender, pieces) = mpsc::unbounded_channel();
    let rooms = Arc::new(Rooms {
        ready: Semaphore::new(READY_BYTES),
        held: Semaphore::new(HELD_BYTES),
    });
    let writer = Box::pin(to.make_writer());
    let gone = Box::pin(ended.clone().cancelled_owned());
    let pump = Pump {
        from,
        to,
        pieces: sender,
        rooms: rooms.clone(),
        is_behind: false,
    };
    tokio::spawn(async move {
        tokio::select! {
            () = ended.cancelled() => {}
            () = pump.run() => {}
        }
    });
    ChannelBytes {
        held: Held {
            pieces,
            rooms,
            current: Bytes::new(),
            room: Room::Ready,
            has_ended: false,
        },
        writer,
        gone,
    }
}

struct Pump {
    from: ChannelReadHalf,
    to: ChannelWriteHalf<Msg>,
    pieces: mpsc::UnboundedSender<Piece>,
    rooms: Arc<Rooms>,
    /// The reader does not keep up; it is not waited for until it has caught up.
    is_behind: bool,
}

impl Pump {
    async fn run(mut self) {
        loop {
            let message = tokio::select! {
                message = self.from.wait() => message,
                () = self.pieces.closed() => return self.farewell().await,
            };
            let went_on = match message {
                Some(ChannelMsg::Data { data }) => self.pass(data).await,
                Some(ChannelMsg::Eof) => self.pieces.send(Piece::End).is_ok(),
                Some(ChannelMsg::Close) => {
                    if self.pieces.send(Piece::End).is_err() {
                        tracing::trace!("a stream ended unread");
                    }
                    return;
                }
                None => return,
                Some(_) => true,
            };
            if !went_on {
                return self.farewell().await;
            }
        }
    }

    /// False when nobody takes the data any more.
    async fn pass(&mut self, data: Bytes) -> bool {
        let size = data.len().min(READY_BYTES);
        if self.is_behind {
            let still_held = HELD_BYTES - self.rooms.held.available_permits();
            self.is_behind = still_held > READY_BYTES;
        }
        let mut is_taken = !self.is_behind && self.take(Room::Ready, size, MOMENT).await;
        let mut room = Room::Ready;
        if !is_taken && !self.pieces.is_closed() {
            self.is_behind = true;
            room = Room::Held;
            is_taken = self.take(room, size, READER_PATIENCE).await;
        }
        if !is_taken {
            tracing::debug!("a stream was dropped because nobody reads it");
            return false;
        }
        self.pieces.send(Piece::Data(data, room)).is_ok()
    }

    async fn take(&self, room: Room, size: usize, patience: Duration) -> bool {
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        let taking = self.rooms.of(room).acquire_many(size);
        let taken = tokio::select! {
            taken = timeout(patience, taking) => taken,
            () = self.pieces.closed() => return false,
        };
        match taken {
            Ok(Ok(permits)) => {
                permits.forget();
                true
            }
            _ => false,
        }
    }

    /// Lets the far side close first when it does so soon: a channel that we close first is never forgotten by the library.
    async fn farewell(mut self) {
        drop(self.pieces);
        if self.to.eof().await.is_err() {
            return;
        }
        let waited = timeout(FAREWELL, async {
            let mut left = FAREWELL_BYTES;
            while left > 0 {
                match self.from.wait().await {
                    Some(ChannelMsg::Data { data }) => left = left.saturating_sub(data.len()),
                    Some(ChannelMsg::Close) | None => return true,
                    Some(_) => {}
                }
            }
            false
        });
        if !waited.await.unwrap_or(false) && self.to.close().await.is_err() {
            tracing::trace!("the link went before a channel was closed");
        }
    }
}

impl AsyncRead for ChannelBytes {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let held = &mut self.held;
        while held.current.is_empty() && !held.has_ended {
            match ready!(held.pieces.poll_recv(cx)) {
                Some(Piece::Data(data, room)) => {
                    held.current = data;
                    held.room = room;
                }
                Some(Piece::End) => held.has_ended = true,
                None => return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            }
        }
        let count = held.current.len().min(buffer.remaining());
        buffer.put_slice(&held.current[..count]);
        held.current.advance(count);
        held.rooms.of(held.room).add_permits(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ChannelBytes {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let written = self.writer.as_mut().poll_write(cx, bytes);
        if written.is_pending() && self.gone.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer.as_mut().poll_shutdown(cx)
    }
}
