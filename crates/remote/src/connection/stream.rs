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

/// How much a stream holds for a reader that is busy.
const HELD_BYTES: usize = 32 << 20;
/// How long a reader may take nothing while that is full.
const READER_PATIENCE: Duration = Duration::from_secs(3);
/// How long the far side may take to end a stream that nobody reads any more, before it is told to.
const FAREWELL: Duration = Duration::from_secs(5);
/// How much it may still send in that time.
const FAREWELL_BYTES: usize = 1 << 20;

enum Piece {
    Data(Bytes),
    End,
}

/// What the stream holds of the far side's data.
struct Held {
    pieces: mpsc::UnboundedReceiver<Piece>,
    room: Arc<Semaphore>,
    current: Bytes,
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
    let room = Arc::new(Semaphore::new(HELD_BYTES));
    let writer = Box::pin(to.make_writer());
    let gone = Box::pin(ended.clone().cancelled_owned());
    let pump = Pump {
        from,
        to,
        pieces: sender,
        room: room.clone(),
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
            room,
            current: Bytes::new(),
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
    room: Arc<Semaphore>,
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
    async fn pass(&self, data: Bytes) -> bool {
        let size = u32::try_from(data.len().min(HELD_BYTES)).unwrap_or(u32::MAX);
        let room = tokio::select! {
            room = timeout(READER_PATIENCE, self.room.acquire_many(size)) => room,
            () = self.pieces.closed() => return false,
        };
        let Ok(Ok(room)) = room else {
            tracing::debug!("a stream was dropped because nobody reads it");
            return false;
        };
        room.forget();
        self.pieces.send(Piece::Data(data)).is_ok()
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
                Some(Piece::Data(data)) => held.current = data,
                Some(Piece::End) => held.has_ended = true,
                None => return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            }
        }
        let count = held.current.len().min(buffer.remaining());
        buffer.put_slice(&held.current[..count]);
        held.current.advance(count);
        held.room.add_permits(count);
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
