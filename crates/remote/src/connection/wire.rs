//! The bytes below an SSH connection, with scissors: whoever holds them can end the connection at once, from anywhere, even
//! while its reader or writer hangs.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, BufReader, ReadBuf};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::ByteStream;

/// The SSH library reads packet by packet, each in two small reads; this makes one large one of many.
const READ_BYTES: usize = 128 * 1024;
/// An end that has come long ago is seen at once, one that is just coming in so long.
const LOOK: Duration = Duration::from_millis(50);
/// More than this is not read ahead.
const AHEAD_BYTES: usize = 64 * 1024;

struct Open {
    stream: ByteStream,
    /// Read while nobody listened.
    ahead: VecDeque<u8>,
}

type Slot = Arc<Mutex<Option<Open>>>;

/// A stream that can be cut.
pub(crate) struct Wire {
    slot: Slot,
    reading: Pin<Box<WaitForCancellationFutureOwned>>,
    writing: Pin<Box<WaitForCancellationFutureOwned>>,
}

/// Cuts one [`Wire`]. Cloned freely; the first cut counts.
#[derive(Clone)]
pub(crate) struct Scissors {
    slot: Slot,
    ended: CancellationToken,
}

/// Cuts when it is dropped, unless it was put away: holds a connection that is being made.
pub(crate) struct CutOnDrop(Option<Scissors>);

/// Makes a stream cuttable. `ended` is cancelled by the cut, and whoever cancels it ends the stream's reads and writes.
pub(crate) fn wire(stream: ByteStream, ended: CancellationToken) -> (Wire, Scissors) {
    let slot: Slot = Arc::new(Mutex::new(Some(Open {
        stream: Box::new(BufReader::with_capacity(READ_BYTES, stream)),
        ahead: VecDeque::new(),
    })));
    let wire = Wire {
        slot: slot.clone(),
        reading: Box::pin(ended.clone().cancelled_owned()),
        writing: Box::pin(ended.clone().cancelled_owned()),
    };
    (wire, Scissors { slot, ended })
}

impl Scissors {
    /// Closes the stream below, now.
    pub(crate) fn cut(&self) {
        self.ended.cancel();
        let open = self.slot.lock().take();
        drop(open);
    }

    /// Looks whether the other side has closed, while the SSH library waits for a person and does not look itself. What
    /// comes in is kept for it.
    pub(crate) async fn has_hung_up(&self) -> bool {
        let looking = std::future::poll_fn(|cx| self.poll_hung_up(cx));
        tokio::time::timeout(LOOK, looking).await.unwrap_or(false)
    }

    fn poll_hung_up(&self, cx: &mut Context<'_>) -> Poll<bool> {
        let mut slot = self.slot.lock();
        let Some(open) = slot.as_mut() else {
            return Poll::Ready(true);
        };
        let mut space = [0; 1024];
        while open.ahead.len() < AHEAD_BYTES {
            let mut buffer = ReadBuf::new(&mut space);
            match ready!(Pin::new(&mut open.stream).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => open.ahead.extend(buffer.filled()),
                _ => return Poll::Ready(true),
            }
        }
        Poll::Ready(false)
    }

    /// Cancelled when the connection is over.
    pub(crate) fn ended(&self) -> &CancellationToken {
        &self.ended
    }
}

impl CutOnDrop {
    pub(crate) fn new(scissors: Scissors) -> Self {
        Self(Some(scissors))
    }

    pub(crate) fn scissors(&self) -> Option<&Scissors> {
        self.0.as_ref()
    }

    /// Hands the scissors on; nothing is cut here any more.
    pub(crate) fn put_away(mut self) -> Option<Scissors> {
        self.0.take()
    }
}

impl Drop for CutOnDrop {
    fn drop(&mut self) {
        if let Some(scissors) = &self.0 {
            scissors.cut();
        }
    }
}

impl Wire {
    fn with<T>(
        &self,
        work: impl FnOnce(Pin<&mut ByteStream>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match self.slot.lock().as_mut() {
            Some(open) => work(Pin::new(&mut open.stream)),
            None => Poll::Ready(Err(gone())),
        }
    }
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "the connection was cut")
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(open) = self.slot.lock().as_mut()
            && !open.ahead.is_empty()
        {
            let count = open.ahead.len().min(buffer.remaining());
            let (first, second) = open.ahead.as_slices();
            let of_first = count.min(first.len());
            buffer.put_slice(&first[..of_first]);
            buffer.put_slice(&second[..count - of_first]);
            open.ahead.drain(..count);
            return Poll::Ready(Ok(()));
        }
        let read = self.with(|stream| stream.poll_read(cx, buffer));
        if read.is_pending() && self.reading.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(gone()));
        }
        read
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = self.with(|stream| stream.poll_write(cx, bytes));
        if written.is_pending() && self.writing.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(gone()));
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = self.with(|stream| stream.poll_flush(cx));
        if flushed.is_pending() && self.writing.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(gone()));
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = self.with(|stream| stream.poll_shutdown(cx));
        if shut.is_pending() && self.writing.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        shut
    }
}
