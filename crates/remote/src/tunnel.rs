//! Byte streams to the viewer of a session, over whatever link the session has at the moment.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::Instant;

use crate::connection::{ByteStream, Connection};
use crate::error::{RemoteError, RemoteResult};
use crate::info::Transport;
use crate::script::Script;
use crate::viewer::Lines;

/// Servers allow ten commands at a time by default, and the session's line is one of them.
const BRIDGES: usize = 6;
/// A stream that was refused is asked for again after this.
const AGAIN: Duration = Duration::from_millis(500);
/// How long a bridge may take to say that it is connected.
const BRIDGE_LIMIT: Duration = Duration::from_secs(20);

/// How streams reach the viewer.
#[derive(Clone, Debug)]
pub(crate) enum Way {
    /// Forwarded to its UNIX socket.
    Socket(String),
    /// Forwarded to its port.
    Tcp(u16),
    /// Through a command that says `connected` and then carries bytes.
    Bridge(Script),
}

impl Way {
    /// The word for it.
    pub(crate) fn transport(&self) -> Transport {
        match self {
            Self::Socket(_) => Transport::Socket,
            Self::Tcp(_) => Transport::Tcp,
            Self::Bridge(_) => Transport::Stdio,
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Socket(one), Self::Socket(two)) => one == two,
            (Self::Tcp(one), Self::Tcp(two)) => one == two,
            (Self::Bridge(_), Self::Bridge(_)) => true,
            _ => false,
        }
    }

    /// A new stream.
    ///
    /// # Errors
    /// [`RemoteError::Path`] when the viewer does not listen, [`RemoteError::Forbidden`] when the server does not allow this way,
    /// [`RemoteError::LinkLost`].
    pub(crate) async fn open(&self, connection: &Connection) -> RemoteResult<ByteStream> {
        match self {
            Self::Socket(path) => connection.open_socket(path).await,
            Self::Tcp(port) => connection.open_tcp("127.0.0.1", *port).await,
            Self::Bridge(script) => bridge(script, connection).await,
        }
    }
}

async fn bridge(script: &Script, connection: &Connection) -> RemoteResult<ByteStream> {
    let mut lines = Lines::of(connection, script.start(connection).await?);
    let said = tokio::time::timeout(BRIDGE_LIMIT, lines.next()).await;
    match said {
        Ok(Ok(line)) if line == "connected" => {
            let (ahead, stream) = lines.into_parts();
            Ok(Box::new(Ahead { ahead, stream }))
        }
        _ if !connection.is_live() => Err(connection.lost()),
        _ => Err(RemoteError::Path {
            path: "the viewer".to_owned(),
            detail: "nobody listens there".to_owned(),
        }),
    }
}

/// A stream of which something was read already.
struct Ahead {
    ahead: Vec<u8>,
    stream: ByteStream,
}

impl AsyncRead for Ahead {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.ahead.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buffer);
        }
        let count = self.ahead.len().min(buffer.remaining());
        buffer.put_slice(&self.ahead[..count]);
        self.ahead.drain(..count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Ahead {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// What went through a session.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    received: AtomicU64,
    sent: AtomicU64,
}

impl Traffic {
    /// Bytes from the far side, bytes to it.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        (
            self.received.load(Ordering::Relaxed),
            self.sent.load(Ordering::Relaxed),
        )
    }
}

/// A stream whose bytes are counted.
struct Counted {
    stream: ByteStream,
    traffic: Arc<Traffic>,
    /// A place among the bridges, where those are few.
    _place: Option<tokio::sync::OwnedSemaphorePermit>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let count = buffer.filled().len() - before;
        self.traffic
            .received
            .fetch_add(count as u64, Ordering::Relaxed);
        read
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if let Poll::Ready(Ok(count)) = &written {
            self.traffic
                .sent
                .fetch_add(*count as u64, Ordering::Relaxed);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Where streams of a session go at the moment.
#[derive(Clone)]
pub(crate) enum Road {
    /// Through.
    Open(Arc<(Connection, Way)>),
    /// Nowhere, but that is worked on.
    Closed,
    /// Nowhere, until a person does something; why.
    Dead(String),
}

impl Road {
    /// True when nobody needs to hear of the change.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Open(one), Self::Open(two)) => one.0.is_same(&two.0) && one.1.is_same(&two.1),
            (Self::Closed, Self::Closed) => true,
            (Self::Dead(one), Self::Dead(two)) => one == two,
            _ => false,
        }
    }
}

/// Opens streams to the viewer of one session. It stays good while the link is made again and again.
#[derive(Clone)]
pub struct Connector {
    road: watch::Receiver<Road>,
    traffic: Arc<Traffic>,
    bridges: Arc<Semaphore>,
    /// Rung when a stream does not get through.
    doubt: Arc<Notify>,
    host: String,
    patience: Duration,
}

impl Connector {
    pub(crate) fn new(
        road: watch::Receiver<Road>,
        traffic: Arc<Traffic>,
        doubt: Arc<Notify>,
        host: String,
        patience: Duration,
    ) -> Self {
        Self {
            road,
            traffic,
            bridges: Arc::new(Semaphore::new(BRIDGES)),
            doubt,
            host,
            patience,
        }
    }

    /// True while streams get through without waiting.
    pub fn is_ready(&self) -> bool {
        matches!(*self.road.borrow(), Road::Open(_))
    }

    /// A new stream to the viewer. While the link is being made again it waits, some seconds at most.
    ///
    /// # Errors
    /// [`RemoteError::LinkLost`] when there is no link in time, [`RemoteError::Path`] when the viewer does not take the stream.
    pub async fn connect(&self) -> RemoteResult<ByteStream> {
        let deadline = Instant::now() + self.patience;
        let mut road = self.road.clone();
        let mut failed = None;
        loop {
            let now = road.borrow_and_update().clone();
            match now {
                Road::Open(open) => match self.open(&open.0, &open.1, deadline).await {
                    Ok(stream) => return Ok(stream),
                    Err(error) => {
                        tracing::debug!(%error, "a stream to a viewer was not opened");
                        failed = Some(error);
                        self.doubt.notify_one();
                    }
                },
                Road::Dead(why) => {
                    tracing::debug!(why, "no stream to a viewer without a person");
                    return Err(RemoteError::LinkLost(self.host.clone()));
                }
                Road::Closed => {}
            }
            let until = match failed {
                Some(_) => deadline.min(Instant::now() + AGAIN),
                None => deadline,
            };
            let changed = tokio::time::timeout_at(until, road.changed()).await;
            if matches!(changed, Ok(Err(_))) || Instant::now() >= deadline {
                return Err(failed.unwrap_or_else(|| RemoteError::LinkLost(self.host.clone())));
            }
        }
    }

    async fn open(
        &self,
        connection: &Connection,
        way: &Way,
        deadline: Instant,
    ) -> RemoteResult<ByteStream> {
        let late = |_| RemoteError::LinkLost(self.host.clone());
        let work = async {
            let place = match way {
                Way::Bridge(_) => self.bridges.clone().acquire_owned().await.ok(),
                _ => None,
            };
            let stream = way.open(connection).await?;
            Ok(Box::new(Counted {
                stream,
                traffic: self.traffic.clone(),
                _place: place,
            }) as ByteStream)
        };
        tokio::time::timeout_at(deadline, work)
            .await
            .map_err(late)?
    }
}
