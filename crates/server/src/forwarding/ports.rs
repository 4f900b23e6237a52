//! The local ports of sessions: a pair of listeners on 127.0.0.1 and `::1` each, because the documented address says
//! `localhost`. Both or neither: a half-taken name would let a stranger answer for us.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::ops::RangeInclusive;
use std::sync::Arc;

use axum::http::StatusCode;
use parking_lot::Mutex;
use runicorn_remote::Target;

use super::FarSide;
use crate::app::App;
use crate::error::{ApiError, ApiResult};
use crate::front::Front;
use crate::listening;

/// Where a port is looked for when none is asked for, as documented.
const USUAL_PORTS: RangeInclusive<u16> = 8080..=8999;

/// Both listeners of one port, bound and not yet served.
#[derive(Debug)]
pub(crate) struct PortPair {
    port: u16,
    listeners: Vec<TcpListener>,
}

/// What a try to bind came to.
enum Bound {
    Both(PortPair),
    Taken,
}

impl PortPair {
    /// Binds the asked port, or the first free one of the documented range. Blocks, shortly.
    ///
    /// # Errors
    /// 409 when the asked port, or every port of the range, is taken.
    pub(crate) fn bind(asked: Option<u16>) -> ApiResult<Self> {
        let candidates = asked.map_or(USUAL_PORTS, |port| port..=port);
        for port in candidates {
            match Self::try_both(port).map_err(|error| cannot_listen(port, &error))? {
                Bound::Both(pair) => return Ok(pair),
                Bound::Taken => {}
            }
        }
        Err(ApiError::conflict(
            "LOCAL_PORT_TAKEN",
            asked.map_or_else(
                || "No available port found on this machine".to_owned(),
                |port| format!("Local port {port} is taken by another program"),
            ),
        ))
    }

    /// The port.
    #[cfg(test)]
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    fn try_both(port: u16) -> std::io::Result<Bound> {
        let v4 = match bind(IpAddr::V4(Ipv4Addr::LOCALHOST), port) {
            Err(error) if is_taken(&error) => return Ok(Bound::Taken),
            bound => bound?,
        };
        let port = v4.local_addr()?.port();
        let mut listeners = vec![v4];
        match bind(IpAddr::V6(Ipv6Addr::LOCALHOST), port) {
            Ok(v6) => listeners.push(v6),
            Err(error) if is_taken(&error) => return Ok(Bound::Taken),
            // Where there is no `::1`, `localhost` means the other one alone.
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(error),
        }
        Ok(Bound::Both(Self { port, listeners }))
    }
}

fn bind(address: IpAddr, port: u16) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(SocketAddr::new(address, port))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn is_taken(error: &std::io::Error) -> bool {
    // Windows answers "denied" for ports that it keeps for itself.
    error.kind() == ErrorKind::AddrInUse || error.kind() == ErrorKind::PermissionDenied
}

fn is_absent(error: &std::io::Error) -> bool {
    if error.kind() == ErrorKind::AddrNotAvailable {
        return true;
    }
    #[cfg(unix)]
    let without_family = rustix::io::Errno::AFNOSUPPORT.raw_os_error();
    #[cfg(not(unix))]
    let without_family = 10_047;
    error.raw_os_error() == Some(without_family)
}

fn cannot_listen(port: u16, error: &std::io::Error) -> ApiError {
    ApiError::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "CANNOT_LISTEN",
        format!("Cannot listen on local port {port}: {error}"),
    )
}

/// The open ports, by session.
#[derive(Default)]
pub(crate) struct Ports(Mutex<HashMap<String, OpenPort>>);

struct OpenPort {
    port: u16,
    far_side: FarSide,
    place: Place,
}

/// What a session shows: whose folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) target: Target,
    /// The storage root over there.
    pub(crate) root: String,
}

impl Ports {
    /// Serves a viewer on a pair until [`Self::close`] or the end of the server.
    ///
    /// # Errors
    /// When the system does not take the listeners over.
    pub(crate) fn open(
        &self,
        app: &App,
        session_id: &str,
        pair: PortPair,
        far_side: FarSide,
        place: Place,
    ) -> ApiResult<()> {
        let mut listeners = Vec::new();
        for listener in pair.listeners {
            let listener = tokio::net::TcpListener::from_std(listener);
            listeners.push(listener.map_err(|error| cannot_listen(pair.port, &error))?);
        }
        let front = Arc::new(Front::of_far_side(app.clone(), far_side.clone()));
        for listener in listeners {
            let stopping = far_side.closing().clone();
            let serving = listening::serve(Arc::clone(&front), listener.into(), stopping);
            app.sockets().connections().spawn(serving);
        }
        let open = OpenPort {
            port: pair.port,
            far_side,
            place,
        };
        self.0.lock().insert(session_id.to_owned(), open);
        Ok(())
    }

    /// The local port of a session.
    pub(crate) fn port(&self, session_id: &str) -> Option<u16> {
        self.0.lock().get(session_id).map(|open| open.port)
    }

    /// The viewer of a session, and what it shows.
    pub(crate) fn far_side(&self, session_id: &str) -> Option<(FarSide, Place)> {
        let ports = self.0.lock();
        let open = ports.get(session_id)?;
        Some((open.far_side.clone(), open.place.clone()))
    }

    /// Closes the port of a session and ends what is carried through it.
    pub(crate) fn close(&self, session_id: &str) {
        if let Some(open) = self.0.lock().remove(session_id) {
            open.far_side.closing().cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free_port() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    }

    #[test]
    fn a_port_is_bound_on_both_loopback_addresses_or_on_neither() {
        let port = free_port();
        let pair = PortPair::bind(Some(port)).unwrap();
        assert_eq!(pair.port(), port);
        for taken in ["127.0.0.1", "::1"] {
            let address = SocketAddr::new(taken.parse().unwrap(), port);
            assert!(TcpListener::bind(address).is_err(), "{address}");
        }
        drop(pair);
        let Ok(stranger) = TcpListener::bind(SocketAddr::new(Ipv6Addr::LOCALHOST.into(), port))
        else {
            println!("skipped: this machine has no ::1");
            return;
        };
        let refused = PortPair::bind(Some(port)).unwrap_err();
        assert_eq!(refused.code(), "LOCAL_PORT_TAKEN");
        assert!(TcpListener::bind(("127.0.0.1", port)).is_ok(), "half bound");
        drop(stranger);
    }

    #[test]
    fn without_a_wish_the_first_free_port_of_the_documented_range_is_taken() {
        let first = PortPair::bind(None).unwrap();
        let second = PortPair::bind(None).unwrap();
        assert!(USUAL_PORTS.contains(&first.port()) && first.port() < second.port());
    }
}
