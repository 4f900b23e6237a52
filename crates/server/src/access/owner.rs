//! Whose process holds the other end of a connection.
//!
//! Looked up once, when the connection is taken, in the kernel's tables of TCP sockets. The client's row is the one
//! whose local address is our peer's; a client that speaks IPv6 to an IPv4 listener stands in the IPv6 table. No row,
//! or a row without an inode (a closed socket shows as owner 0), proves nothing and is refused.

use crate::error::ApiError;

/// What is known about the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// A process of this user or of root.
    Ours,
    /// A process of another user.
    Other {
        /// Their user id.
        uid: u32,
    },
    /// The system knows no living socket there.
    Unknown,
    /// This system has no such table, so the question is not asked.
    #[cfg_attr(
        target_os = "linux",
        expect(dead_code, reason = "for the other systems")
    )]
    NotAsked,
}

impl Owner {
    pub(crate) fn check(self) -> Result<(), ApiError> {
        match self {
            Self::Ours | Self::NotAsked => Ok(()),
            Self::Other { .. } | Self::Unknown => Err(ApiError::forbidden(
                "PEER_REFUSED",
                "This server answers only to processes of the user who started it",
            )),
        }
    }

    #[cfg(unix)]
    fn of_uid(uid: u32) -> Self {
        let own = rustix::process::geteuid().as_raw();
        if uid == own || uid == 0 {
            Self::Ours
        } else {
            Self::Other { uid }
        }
    }
}

#[cfg(target_os = "linux")]
pub(crate) use linux::{owner_of_port_peer, owner_of_socket_peer};

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::File;
    use std::io::{BufRead, BufReader};
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

    use super::Owner;

    /// The owner of the client end of a loopback connection. Reads the tables: call it off the async threads.
    pub(crate) fn owner_of_port_peer(peer: SocketAddr, local: SocketAddr) -> Owner {
        for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
            let Ok(file) = File::open(table) else {
                continue;
            };
            if let Some(owner) = find_owner(BufReader::new(file), peer, local) {
                return owner;
            }
        }
        Owner::Unknown
    }

    /// The owner of the client end of a UNIX socket, as the kernel noted it at connect.
    pub(crate) fn owner_of_socket_peer(stream: &tokio::net::UnixStream) -> Owner {
        stream
            .peer_cred()
            .map_or(Owner::Unknown, |peer| Owner::of_uid(peer.uid()))
    }

    fn find_owner(table: impl BufRead, peer: SocketAddr, local: SocketAddr) -> Option<Owner> {
        table
            .lines()
            .skip(1)
            .map_while(Result::ok)
            .find_map(|line| {
                let row = Row::parse(&line)?;
                (same(row.own, peer) && same(row.remote, local)).then(|| {
                    if row.inode == 0 {
                        Owner::Unknown
                    } else {
                        Owner::of_uid(row.uid)
                    }
                })
            })
    }

    /// An IPv4 address and its form inside IPv6 are the same place.
    fn same(one: SocketAddr, other: SocketAddr) -> bool {
        one.port() == other.port() && one.ip().to_canonical() == other.ip().to_canonical()
    }

    struct Row {
        own: SocketAddr,
        remote: SocketAddr,
        uid: u32,
        inode: u64,
    }

    impl Row {
        /// `sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …`
        fn parse(line: &str) -> Option<Self> {
            let mut columns = line.split_ascii_whitespace();
            let own = address(columns.nth(1)?)?;
            let remote = address(columns.next()?)?;
            let uid = columns.nth(4)?.parse().ok()?;
            let inode = columns.nth(1)?.parse().ok()?;
            Some(Self {
                own,
                remote,
                uid,
                inode,
            })
        }
    }

    /// `0100007F:5B04`: the address in words of four bytes in the machine's own order, the port as a number.
    fn address(text: &str) -> Option<SocketAddr> {
        let (words, port) = text.split_once(':')?;
        let port = u16::from_str_radix(port, 16).ok()?;
        let word = |at: usize| u32::from_str_radix(words.get(at * 8..at * 8 + 8)?, 16).ok();
        let ip = match words.len() {
            8 => IpAddr::V4(Ipv4Addr::from(word(0)?.to_ne_bytes())),
            32 => {
                let mut bytes = [0; 16];
                for at in 0..4 {
                    bytes[at * 4..at * 4 + 4].copy_from_slice(&word(at)?.to_ne_bytes());
                }
                IpAddr::V6(Ipv6Addr::from(bytes))
            }
            _ => return None,
        };
        Some(SocketAddr::new(ip, port))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        const HEAD: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

        fn look_up(row: &str) -> Option<Owner> {
            let table = format!("{HEAD}{row}\n");
            find_owner(
                table.as_bytes(),
                "127.0.0.1:40000".parse().unwrap(),
                "127.0.0.1:23300".parse().unwrap(),
            )
        }

        #[test]
        fn the_row_of_the_client_end_tells_its_owner() {
            let row = "   0: 0100007F:9C40 0100007F:5B04 01 00000000:00000000 00:00000000 00000000  4242        0 77 1";
            assert_eq!(look_up(row), Some(Owner::Other { uid: 4242 }));
            let our_end = "   0: 0100007F:5B04 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  4242        0 77 1";
            assert_eq!(look_up(our_end), None);
        }

        #[test]
        fn a_closed_client_shows_as_owner_0_without_an_inode_and_is_unknown() {
            let row = "   0: 0100007F:9C40 0100007F:5B04 06 00000000:00000000 03:00000000 00000000     0        0 0 3";
            assert_eq!(look_up(row), Some(Owner::Unknown));
        }

        #[test]
        fn a_client_that_speaks_ipv6_to_an_ipv4_listener_is_found() {
            let row = "   0: 0000000000000000FFFF00000100007F:9C40 0000000000000000FFFF00000100007F:5B04 01 00000000:00000000 00:00000000 00000000  4242        0 77 1";
            assert_eq!(look_up(row), Some(Owner::Other { uid: 4242 }));
        }

        #[test]
        fn a_damaged_table_finds_nobody() {
            for row in ["", "garbage", "0: zz:1 zz:2", "0: 0100007F:9C40"] {
                assert_eq!(look_up(row), None, "{row}");
            }
        }
    }
}
