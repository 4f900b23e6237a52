//! From a name to bytes both ways: over TCP to whichever of its addresses answers first, through the jump host before it, or
//! through a `ProxyCommand`.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::STAGE_LIMIT;
use super::conversation::Voice;
use super::proxy_command;
use super::way::Hop;
use crate::connection::{ByteStream, Connection};
use crate::error::{Phase, RemoteError, RemoteResult};

/// The next address is tried beside the ones before it after so long (RFC 8305).
const HEAD_START: Duration = Duration::from_millis(250);
/// A name with more addresses is tried at these only.
const MOST_ADDRESSES: usize = 16;

/// Bytes to and from the SSH server of a hop.
pub(super) struct Opened {
    pub(super) stream: ByteStream,
    /// What becomes of the program that carries them.
    pub(super) proxy_command: Option<proxy_command::Fate>,
}

impl From<ByteStream> for Opened {
    fn from(stream: ByteStream) -> Self {
        Self {
            stream,
            proxy_command: None,
        }
    }
}

/// Opens the way to a hop over those before it.
pub(super) async fn open(hop: &Hop, way: &[Connection], voice: &Voice) -> RemoteResult<Opened> {
    if let Some(before) = way.last() {
        voice.phase(Phase::Connecting);
        return through(hop, before).await.map(Opened::from);
    }
    if let Some(command) = &hop.settings.proxy_command {
        voice.phase(Phase::Connecting);
        let (stream, fate) = proxy_command::open(&hop.target.host, command)?;
        return Ok(Opened {
            stream,
            proxy_command: Some(fate),
        });
    }
    voice.phase(Phase::Resolving);
    let addresses = resolve(hop).await?;
    voice.phase(Phase::Connecting);
    let limit = hop.connect_limit();
    match timeout(limit, first_to_answer(addresses)).await {
        Ok(Ok(stream)) => {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "TCP_NODELAY was not set");
            }
            Ok(Opened::from(Box::new(stream) as ByteStream))
        }
        Ok(Err(error)) => Err(refused(hop, &error)),
        Err(_late) => Err(too_slow(hop, Phase::Connecting, limit)),
    }
}

async fn through(hop: &Hop, before: &Connection) -> RemoteResult<ByteStream> {
    let limit = hop.connect_limit();
    match timeout(limit, before.open_tcp(&hop.host, hop.port)).await {
        Ok(Err(RemoteError::Path { .. })) => Err(RemoteError::Refused {
            host: hop.host.clone(),
            port: hop.port,
            detail: format!("{} cannot connect to it", before.target().host),
        }),
        Ok(opened) => opened,
        Err(_late) => Err(too_slow(hop, Phase::Connecting, limit)),
    }
}

async fn resolve(hop: &Hop) -> RemoteResult<Vec<SocketAddr>> {
    let no_address = |detail: String| RemoteError::Resolve {
        host: hop.host.clone(),
        detail,
    };
    let looked_up = tokio::net::lookup_host((hop.host.as_str(), hop.port));
    match timeout(STAGE_LIMIT, looked_up).await {
        Ok(Ok(found)) => {
            let addresses = alternating(found.collect());
            if addresses.is_empty() {
                return Err(no_address("the name stands for nothing".to_owned()));
            }
            Ok(addresses)
        }
        Ok(Err(error)) => Err(no_address(error.to_string())),
        Err(_late) => Err(too_slow(hop, Phase::Resolving, STAGE_LIMIT)),
    }
}

/// The resolver's order, but never many of one family before the first of the other.
fn alternating(found: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = found.first().is_some_and(SocketAddr::is_ipv6);
    let (one, other): (Vec<_>, Vec<_>) = found
        .into_iter()
        .partition(|address| address.is_ipv6() == first_is_v6);
    let mut one = one.into_iter();
    let mut other = other.into_iter();
    let mut mixed = Vec::new();
    loop {
        let pair = [one.next(), other.next()];
        if pair.iter().all(Option::is_none) || mixed.len() >= MOST_ADDRESSES {
            return mixed;
        }
        for address in pair.into_iter().flatten() {
            if !mixed.contains(&address) {
                mixed.push(address);
            }
        }
    }
}

/// Starts one attempt after the other, each with a head start or as soon as one before it failed. The first that connects wins.
async fn first_to_answer(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut waiting = addresses.into_iter();
    let mut running = FuturesUnordered::new();
    let mut failure = io::Error::from(io::ErrorKind::NotFound);
    loop {
        if let Some(address) = waiting.next() {
            running.push(TcpStream::connect(address));
        } else if running.is_empty() {
            return Err(failure);
        }
        let more_wait = waiting.len() > 0;
        tokio::select! {
            Some(connected) = running.next() => match connected {
                Ok(stream) => return Ok(stream),
                Err(error) => failure = error,
            },
            () = tokio::time::sleep(HEAD_START), if more_wait => {}
        }
    }
}

fn refused(hop: &Hop, error: &io::Error) -> RemoteError {
    // The words of the system without its number.
    let detail = match error.kind() {
        io::ErrorKind::ConnectionRefused => "Connection refused".to_owned(),
        io::ErrorKind::HostUnreachable => "No route to host".to_owned(),
        io::ErrorKind::NetworkUnreachable => "Network is unreachable".to_owned(),
        io::ErrorKind::TimedOut => "Connection timed out".to_owned(),
        _ => error.to_string(),
    };
    RemoteError::Refused {
        host: hop.host.clone(),
        port: hop.port,
        detail,
    }
}

pub(super) fn too_slow(hop: &Hop, phase: Phase, limit: Duration) -> RemoteError {
    RemoteError::Timeout {
        host: hop.target.host.clone(),
        phase,
        limit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_alternate_in_the_resolvers_order() {
        let found = ["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1", "[::1]:1"];
        let mixed = alternating(found.iter().map(|text| text.parse().unwrap()).collect());
        let texts: Vec<_> = mixed.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["[::1]:1", "1.1.1.1:1", "[::2]:1", "[::3]:1"]);
    }

    #[tokio::test]
    async fn an_address_that_refuses_does_not_hold_up_the_next() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let refusing = closed.local_addr().unwrap();
        drop(closed);
        let listening = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listening.local_addr().unwrap();
        let stream = first_to_answer(vec![refusing, address]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address);
        let failure = first_to_answer(vec![refusing]).await.unwrap_err();
        assert_eq!(failure.kind(), io::ErrorKind::ConnectionRefused);
    }
}
