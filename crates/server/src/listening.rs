//! Taking connections: who is there is asked once per connection, then its requests go to [`Front`].

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::access::{Caller, Door, Owner};
use crate::front::Front;

/// After a failed accept (no file descriptors left, say) the next one waits this long.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Something to take connections from.
#[derive(Debug)]
pub enum Listener {
    /// A loopback port.
    Port(TcpListener),
    /// A UNIX socket.
    #[cfg(unix)]
    Socket(tokio::net::UnixListener),
}

impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Self {
        Self::Port(listener)
    }
}

#[cfg(unix)]
impl From<tokio::net::UnixListener> for Listener {
    fn from(listener: tokio::net::UnixListener) -> Self {
        Self::Socket(listener)
    }
}

/// A connection that was taken and not yet answered.
enum Stream {
    Port(TcpStream, SocketAddr),
    #[cfg(unix)]
    Socket(tokio::net::UnixStream),
}

/// Serves a listener until it, or the server, is told to stop.
pub(crate) async fn serve(front: Arc<Front>, listener: Listener, stopping: CancellationToken) {
    let sockets = front.app.sockets().clone();
    let places = Arc::new(Semaphore::new(front.app.config().limits.connections));
    loop {
        let place = tokio::select! {
            () = stopping.cancelled() => return,
            place = Arc::clone(&places).acquire_owned() => place,
        };
        let stream = tokio::select! {
            () = stopping.cancelled() => return,
            stream = listener.accept() => stream,
        };
        match stream {
            Ok(stream) => {
                let (front, stopping) = (Arc::clone(&front), stopping.clone());
                sockets.connections().spawn(async move {
                    talk(front, stream, stopping).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

impl Listener {
    async fn accept(&self) -> std::io::Result<Stream> {
        match self {
            Self::Port(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok(Stream::Port(stream, peer))
            }
            #[cfg(unix)]
            Self::Socket(listener) => Ok(Stream::Socket(listener.accept().await?.0)),
        }
    }
}

async fn talk(front: Arc<Front>, stream: Stream, stopping: CancellationToken) {
    match stream {
        Stream::Port(stream, peer) => {
            let Ok(local) = stream.local_addr() else {
                return;
            };
            // Small answers go out at once.
            if stream.set_nodelay(true).is_err() {
                return;
            }
            let owner = owner_of_port_peer(peer, local).await;
            answer_all(
                front,
                Caller {
                    door: Door::Port(local),
                    owner,
                },
                stream,
                stopping,
            )
            .await;
        }
        #[cfg(unix)]
        Stream::Socket(stream) => {
            let owner = owner_of_socket_peer(&stream);
            answer_all(
                front,
                Caller {
                    door: Door::Socket,
                    owner,
                },
                stream,
                stopping,
            )
            .await;
        }
    }
}

async fn answer_all<S>(front: Arc<Front>, caller: Caller, stream: S, stopping: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let head_time = front.app.config().limits.head_time;
    let may_half_close = front.is_forwarded() || caller.door == Door::Socket;
    let service = service_fn(move |request: Request<Incoming>| {
        let front = Arc::clone(&front);
        async move { Ok::<_, Infallible>(front.answer(caller, request.map(Body::new)).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // A client that has said all may still be waiting for its answer.
        .half_close(may_half_close)
        .header_read_timeout(head_time)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}

#[cfg(target_os = "linux")]
async fn owner_of_port_peer(peer: SocketAddr, local: SocketAddr) -> Owner {
    let asked = tokio::task::spawn_blocking(move || crate::access::owner_of_port_peer(peer, local));
    asked.await.unwrap_or(Owner::Unknown)
}

#[cfg(target_os = "linux")]
fn owner_of_socket_peer(stream: &tokio::net::UnixStream) -> Owner {
    crate::access::owner_of_socket_peer(stream)
}

#[cfg(not(target_os = "linux"))]
async fn owner_of_port_peer(_: SocketAddr, _: SocketAddr) -> Owner {
    std::future::ready(Owner::NotAsked).await
}

#[cfg(all(unix, not(target_os = "linux")))]
fn owner_of_socket_peer(_: &tokio::net::UnixStream) -> Owner {
    Owner::NotAsked
}
