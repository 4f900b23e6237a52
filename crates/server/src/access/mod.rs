//! Who may talk to us. Asked for every request of every listener, before routing, whatever its method or route.
//!
//! Three questions. *Who holds the other end?* On Linux the peer's socket is looked up in the kernel's tables when the
//! connection is taken: another user's process (root apart) is refused, so that listening on 127.0.0.1 means "only me"
//! on a shared machine. *Which name was called?* `Host` must be a loopback name with the port of the listener that took
//! the connection; anything else is a rebound DNS name. *Which page calls?* An `Origin` must be ours or configured;
//! requests without one (curl, Python) come from no page and need nothing.
//!
//! A later listener (a forwarded port) is only another [`Door`] in front of the same questions.

mod owner;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Request, header};

pub(crate) use owner::Owner;
#[cfg(target_os = "linux")]
pub(crate) use owner::{owner_of_port_peer, owner_of_socket_peer};

use crate::error::ApiError;

/// The way a connection came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// A loopback port: the address that the connection reached.
    Port(SocketAddr),
    /// A UNIX socket in a folder that is closed to others.
    Socket,
}

/// One connection: its door and who holds its other end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    pub(crate) door: Door,
    pub(crate) owner: Owner,
}

/// The rules, as configured.
#[derive(Clone, Debug, Default)]
pub(crate) struct Access {
    allowed_origins: Vec<String>,
}

impl Access {
    pub(crate) fn new(allowed_origins: Vec<String>) -> Self {
        Self { allowed_origins }
    }

    /// Lets a request in, or says why not.
    pub(crate) fn admit<B>(&self, caller: &Caller, request: &Request<B>) -> Result<(), ApiError> {
        caller.owner.check()?;
        check_host(caller.door, request)?;
        self.check_origin(caller.door, request.headers())
    }

    /// The origin to name in a CORS answer: the request's own, which [`Self::admit`] has let in.
    pub(crate) fn cors_origin(headers: &HeaderMap) -> Option<HeaderValue> {
        headers.get(header::ORIGIN).cloned()
    }

    fn check_origin(&self, door: Door, headers: &HeaderMap) -> Result<(), ApiError> {
        for origin in headers.get_all(header::ORIGIN) {
            let admitted = origin.to_str().is_ok_and(|origin| {
                self.allowed_origins
                    .iter()
                    .any(|allowed| allowed.eq_ignore_ascii_case(origin))
                    || is_our_origin(origin, door)
            });
            if !admitted {
                return Err(ApiError::forbidden(
                    "ORIGIN_REFUSED",
                    "Pages of this origin may not call this server",
                ));
            }
        }
        Ok(())
    }
}

fn check_host<B>(door: Door, request: &Request<B>) -> Result<(), ApiError> {
    let refused = || {
        ApiError::forbidden(
            "HOST_REFUSED",
            "This server answers only to loopback names with its own port",
        )
    };
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = hosts.next().ok_or_else(refused)?;
    if hosts.next().is_some() {
        return Err(refused());
    }
    let host = host.to_str().ok().ok_or_else(refused)?;
    let absolute = request.uri().authority().map(Authority::as_str);
    let all_ours = std::iter::once(host)
        .chain(absolute)
        .all(|name| is_our_name(name, door));
    if all_ours { Ok(()) } else { Err(refused()) }
}

/// A loopback name with the door's port. A socket has no port of its own: whatever carries it here (a tunnel) has
/// one, so any is taken.
fn is_our_name(name: &str, door: Door) -> bool {
    let Ok(authority) = name.parse::<Authority>() else {
        return false;
    };
    if authority.as_str().contains('@') || !is_loopback_name(authority.host()) {
        return false;
    }
    match door {
        Door::Port(address) => authority.port_u16().unwrap_or(80) == address.port(),
        Door::Socket => true,
    }
}

fn is_our_origin(origin: &str, door: Door) -> bool {
    let name = origin.strip_prefix("http://");
    name.is_some_and(|name| !name.contains('/') && is_our_name(name, door))
}

fn is_loopback_name(host: &str) -> bool {
    if host.eq_ignore_ascii_case("localhost") {
        return true;
    }
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    match bare {
        Some(v6) => v6.parse() == Ok(std::net::Ipv6Addr::LOCALHOST),
        None => host.parse().is_ok_and(|v4: Ipv4Addr| v4.is_loopback()),
    }
}

/// True for the addresses that reach nobody but this machine.
pub fn is_loopback_address(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port_door() -> Door {
        Door::Port("127.0.0.1:23300".parse().unwrap())
    }

    fn code(headers: &[(&str, &str)], uri: &str, door: Door) -> &'static str {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let caller = Caller {
            door,
            owner: Owner::Ours,
        };
        let access = Access::new(vec!["https://lab.example".to_owned()]);
        match access.admit(&caller, &request.body(()).unwrap()) {
            Ok(()) => "in",
            Err(error) => error.code(),
        }
    }

    #[test]
    fn only_loopback_names_with_our_port_are_answered() {
        for host in [
            "127.0.0.1:23300",
            "localhost:23300",
            "LOCALHOST:23300",
            "[::1]:23300",
            "127.9.9.9:23300",
        ] {
            assert_eq!(code(&[("host", host)], "/", port_door()), "in", "{host}");
        }
        for host in [
            "evil.example:23300",
            "localhost",
            "localhost:23301",
            "127.0.0.1.evil.example:23300",
            "0.0.0.0:23300",
            "user@localhost:23300",
            "localhost:23300@evil.example",
            "[::ffff:1.2.3.4]:23300",
            "",
        ] {
            assert_eq!(
                code(&[("host", host)], "/", port_door()),
                "HOST_REFUSED",
                "{host}"
            );
        }
        assert_eq!(code(&[], "/", port_door()), "HOST_REFUSED");
        let two = [("host", "localhost:23300"), ("host", "evil.example")];
        assert_eq!(code(&two, "/", port_door()), "HOST_REFUSED");
        assert_eq!(
            code(
                &[("host", "localhost:23300")],
                "http://evil.example/",
                port_door()
            ),
            "HOST_REFUSED"
        );
    }

    #[test]
    fn only_our_own_pages_and_configured_ones_may_call() {
        let with = |origin| {
            code(
                &[("host", "localhost:23300"), ("origin", origin)],
                "/",
                port_door(),
            )
        };
        for origin in [
            "http://localhost:23300",
            "http://127.0.0.1:23300",
            "http://[::1]:23300",
            "https://lab.example",
        ] {
            assert_eq!(with(origin), "in", "{origin}");
        }
        for origin in [
            "null",
            "http://localhost:5173",
            "https://localhost:23300",
            "http://localhost",
            "https://evil.example",
            "https://lab.example.evil",
            "http://localhost:23300/x",
            "http://localhost:23300@evil.example",
            "tauri://localhost",
            "",
        ] {
            assert_eq!(with(origin), "ORIGIN_REFUSED", "{origin}");
        }
    }

    #[test]
    fn behind_a_socket_the_port_is_the_tunnels_but_the_names_stay_loopback() {
        assert_eq!(
            code(&[("host", "localhost:40000")], "/", Door::Socket),
            "in"
        );
        assert_eq!(
            code(&[("host", "evil.example:40000")], "/", Door::Socket),
            "HOST_REFUSED"
        );
        let page = [
            ("host", "localhost:40000"),
            ("origin", "https://evil.example"),
        ];
        assert_eq!(code(&page, "/", Door::Socket), "ORIGIN_REFUSED");
    }
}
