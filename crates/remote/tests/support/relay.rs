//! A TCP relay that spoils the line on demand: delay, stall (half-open: nothing arrives and nobody is told), cut and heal.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

/// What the line is like now.
#[derive(Clone, Copy, Debug, Default)]
struct Line {
    /// Each way.
    delay: Duration,
    is_stalled: bool,
    /// New connections are closed at once.
    refuses: bool,
    /// Connections of an earlier number are closed.
    cuts: u64,
}

/// A relay; dropping it closes everything.
pub(crate) struct Relay {
    address: SocketAddr,
    line: Arc<watch::Sender<Line>>,
    accepted: watch::Receiver<usize>,
    task: JoinHandle<()>,
}

impl Relay {
    /// Listens on a free loopback port and forwards to `to`.
    pub(crate) async fn to(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let line = Arc::new(watch::Sender::new(Line::default()));
        let (counter, accepted) = watch::channel(0);
        let task = tokio::spawn(accept(listener, to, line.clone(), counter));
        Self {
            address,
            line,
            accepted,
            task,
        }
    }

    /// As [`Self::to`], for a port of this machine.
    pub(crate) async fn to_port(port: u16) -> Self {
        Self::to(SocketAddr::from(([127, 0, 0, 1], port))).await
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many connections it has taken.
    pub(crate) fn accepted(&self) -> usize {
        *self.accepted.borrow()
    }

    /// Resolves once it has taken that many.
    pub(crate) async fn wait_for_accepted(&self, count: usize) {
        self.accepted
            .clone()
            .wait_for(|taken| *taken >= count)
            .await
            .unwrap();
    }

    /// Every byte takes so long, each way.
    pub(crate) fn delay(&self, delay: Duration) {
        self.line.send_modify(|line| line.delay = delay);
    }

    /// Nothing goes through any more and no side is told, until [`Self::heal`].
    pub(crate) fn stall(&self) {
        self.line.send_modify(|line| line.is_stalled = true);
    }

    /// Closes all connections; new ones are closed at once until [`Self::heal`].
    pub(crate) fn cut(&self) {
        self.line.send_modify(|line| {
            line.cuts += 1;
            line.refuses = true;
        });
    }

    /// Closes all connections; new ones work.
    pub(crate) fn cut_once(&self) {
        self.line.send_modify(|line| line.cuts += 1);
    }

    /// A good line again. What was stalled goes on, what was cut stays cut.
    pub(crate) fn heal(&self) {
        self.line.send_modify(|line| {
            *line = Line {
                cuts: line.cuts,
                ..Line::default()
            };
        });
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(
    listener: TcpListener,
    to: SocketAddr,
    line: Arc<watch::Sender<Line>>,
    counter: watch::Sender<usize>,
) {
    let mut connections = JoinSet::new();
    while let Ok((near, _)) = listener.accept().await {
        counter.send_modify(|taken| *taken += 1);
        let state = line.subscribe();
        if state.borrow().refuses {
            continue;
        }
        connections.spawn(relay(near, to, state));
    }
}

async fn relay(near: TcpStream, to: SocketAddr, mut line: watch::Receiver<Line>) {
    let cuts = line.borrow().cuts;
    let Ok(far) = TcpStream::connect(to).await else {
        return;
    };
    near.set_nodelay(true).unwrap_or_default();
    far.set_nodelay(true).unwrap_or_default();
    let (near_from, near_to) = near.into_split();
    let (far_from, far_to) = far.into_split();
    let there = one_way(near_from, far_to, line.clone());
    let back = one_way(far_from, near_to, line.clone());
    tokio::select! {
        _ = async { tokio::join!(there, back) } => {}
        _ = line.wait_for(|line| line.cuts != cuts) => {}
    }
}

/// Bytes one way; each piece is due its delay after it came.
async fn one_way(from: OwnedReadHalf, to: OwnedWriteHalf, line: watch::Receiver<Line>) {
    let (sender, receiver) = mpsc::channel(64);
    tokio::join!(take(from, sender, line.clone()), give(to, receiver, line));
}

async fn take(
    mut from: OwnedReadHalf,
    to: mpsc::Sender<(Instant, Vec<u8>)>,
    line: watch::Receiver<Line>,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let due = Instant::now() + line.borrow().delay;
        if to.send((due, buffer[..count].to_vec())).await.is_err() {
            return;
        }
    }
}

async fn give(
    mut to: OwnedWriteHalf,
    mut pieces: mpsc::Receiver<(Instant, Vec<u8>)>,
    mut line: watch::Receiver<Line>,
) {
    while let Some((due, bytes)) = pieces.recv().await {
        tokio::time::sleep_until(due).await;
        if line.wait_for(|line| !line.is_stalled).await.is_err()
            || to.write_all(&bytes).await.is_err()
        {
            return;
        }
    }
    // An end is passed on like any byte.
    if line.wait_for(|line| !line.is_stalled).await.is_ok() {
        to.shutdown().await.unwrap_or_default();
    }
}
