//! The launch contract of `runicorn-viewer`: what it takes, says and ends with.
//!
//! Flags: [`crate::config::args::Args`]. When it listens it prints one line of JSON on stdout (and on `--ready-fd`), the
//! [`ReadyLine`]; nothing else is ever printed there. A viewer on a port also leaves a port file in the state folder.
//! It ends with 0 after SIGTERM, SIGINT or its idle timeout, and else with an [`ExitCode`] of its own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::access::is_loopback_address;
use crate::config::args::Args;
use crate::sdk_config::write_whole;

/// The line that tells a parent process where the viewer is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadyLine {
    /// Always true; tells the line from any other JSON.
    pub ready: bool,
    /// Our version.
    pub version: String,
    /// The process.
    pub pid: u32,
    /// `http://127.0.0.1:<port>`; absent on a UNIX socket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The port; absent on a UNIX socket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The UNIX socket; absent on a port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub socket: Option<PathBuf>,
    /// The storage root.
    pub storage: String,
}

/// How a viewer that could not start ends, so that its parent need not read words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// It failed in a way that has no number of its own.
    Failed = 1,
    /// The flags make no sense (the number that the flag parser uses).
    BadFlags = 2,
    /// The port or socket is taken.
    AddressTaken = 3,
    /// The address is not this machine's own, and there is no login to guard it.
    AddressRefused = 4,
    /// The socket's folder is open to other users, or the state folder cannot be used.
    FolderRefused = 5,
}

/// Why a viewer cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// Somebody else has the port.
    #[error("port {port} is taken; give another with --port, or --port 0 for any free one")]
    PortTaken {
        /// The wanted port.
        port: u16,
    },
    /// Another viewer answers on that socket.
    #[error("{} is taken by another viewer", path.display())]
    SocketTaken {
        /// The wanted socket.
        path: PathBuf,
    },
    /// `--host` names an address that others can reach.
    #[error(
        "--host {host} would let other machines in, and this version has no login to guard it: use 127.0.0.1, ::1 or \
         localhost, and reach it from elsewhere through an SSH tunnel"
    )]
    HostRefused {
        /// The wanted host.
        host: String,
    },
    /// The folder of the socket lets others in.
    #[error("{} is open to other users; a socket needs a folder of mode 0700", path.display())]
    FolderOpen {
        /// The folder.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot listen on {place}")]
    Listen {
        /// The address or path.
        place: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

impl LaunchError {
    /// The number to end with.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::PortTaken { .. } | Self::SocketTaken { .. } => ExitCode::AddressTaken,
            Self::HostRefused { .. } => ExitCode::AddressRefused,
            Self::FolderOpen { .. } => ExitCode::FolderRefused,
            Self::Listen { .. } => ExitCode::Failed,
        }
    }
}

/// The address of `--host`; a remote-mode viewer listens on 127.0.0.1 whatever is said.
///
/// # Errors
/// [`LaunchError::HostRefused`] for every address that is not loopback, and for names other than `localhost`.
pub fn loopback_host(args: &Args) -> Result<IpAddr, LaunchError> {
    if args.remote_mode {
        return Ok(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    let refused = || LaunchError::HostRefused {
        host: args.host.clone(),
    };
    let bare = args.host.trim_start_matches('[').trim_end_matches(']');
    let address = match bare {
        name if name.eq_ignore_ascii_case("localhost") => IpAddr::V4(Ipv4Addr::LOCALHOST),
        "::1" => IpAddr::V6(Ipv6Addr::LOCALHOST),
        other => other.parse().ok().ok_or_else(refused)?,
    };
    if is_loopback_address(address) {
        Ok(address)
    } else {
        Err(refused())
    }
}

/// Binds the wanted port, or (when any will do) a free one in its place.
///
/// # Errors
/// [`LaunchError::PortTaken`] or what the system says.
pub fn bind_port(
    host: IpAddr,
    wanted: u16,
    any_will_do: bool,
) -> Result<std::net::TcpListener, LaunchError> {
    let bound = std::net::TcpListener::bind(SocketAddr::new(host, wanted));
    let bound = match bound {
        Err(error) if is_taken(&error) && any_will_do => {
            let free = portpicker::pick_unused_port().unwrap_or(0);
            std::net::TcpListener::bind(SocketAddr::new(host, free))
                .or_else(|_| std::net::TcpListener::bind(SocketAddr::new(host, 0)))
        }
        other => other,
    };
    let place = || SocketAddr::new(host, wanted).to_string();
    let listener = bound.map_err(|error| match error {
        error if is_taken(&error) => LaunchError::PortTaken { port: wanted },
        source => LaunchError::Listen {
            place: place(),
            source,
        },
    })?;
    listener
        .set_nonblocking(true)
        .map_err(|source| LaunchError::Listen {
            place: place(),
            source,
        })?;
    Ok(listener)
}

fn is_taken(error: &std::io::Error) -> bool {
    // Windows answers "denied" for ports that it keeps for itself.
    matches!(error.kind(), std::io::ErrorKind::AddrInUse)
        || (cfg!(windows) && error.kind() == std::io::ErrorKind::PermissionDenied)
}

/// Binds a UNIX socket in a folder that is closed to others; the folder is made when it is not there, and the socket
/// of a viewer that has died is replaced.
///
/// # Errors
/// [`LaunchError::FolderOpen`], [`LaunchError::SocketTaken`] or what the system says.
#[cfg(unix)]
pub fn bind_socket(path: &Path) -> Result<std::os::unix::net::UnixListener, LaunchError> {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt};
    use std::os::unix::net::{UnixListener, UnixStream};

    let failed = |source| LaunchError::Listen {
        place: path.display().to_string(),
        source,
    };
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(failed)?;
    let metadata = std::fs::metadata(folder).map_err(failed)?;
    let own = rustix::process::geteuid().as_raw();
    if metadata.mode() & 0o077 != 0 || metadata.uid() != own {
        return Err(LaunchError::FolderOpen {
            path: folder.to_path_buf(),
        });
    }
    if UnixStream::connect(path).is_ok() {
        return Err(LaunchError::SocketTaken {
            path: path.to_path_buf(),
        });
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    Ok(listener)
}

/// The file in the state folder that tells others (a second start, the page, scripts) where the server is. Removed on
/// drop, unless another server has written its own there since.
#[derive(Debug)]
pub struct PortFile {
    path: PathBuf,
    text: String,
}

impl PortFile {
    /// Writes `{"port", "pid"}`.
    ///
    /// # Errors
    /// When the state folder cannot be written; a server without a port file works all the same.
    pub fn write(state_dir: &Path, port: u16) -> std::io::Result<Self> {
        let path = state_dir.join("port.json");
        let text = format!("{{\"port\":{port},\"pid\":{}}}\n", std::process::id());
        write_whole(&path, text.as_bytes())?;
        Ok(Self { path, text })
    }
}

impl Drop for PortFile {
    fn drop(&mut self) {
        let is_ours = std::fs::read_to_string(&self.path).is_ok_and(|text| text == self.text);
        if is_ours && let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(%error, "the port file stays behind");
        }
    }
}

/// Writes to a file descriptor that the parent handed over, through its name under `/dev/fd` so that no ownership is
/// guessed.
///
/// # Errors
/// When there is no such open descriptor.
pub fn write_to_fd(fd: i32, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .open(format!("/dev/fd/{fd}"))?;
    file.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn host(flags: &[&str]) -> Result<IpAddr, LaunchError> {
        let line = std::iter::once(&"runicorn-viewer").chain(flags);
        loopback_host(&Args::try_parse_from(line).unwrap())
    }

    #[test]
    fn only_addresses_of_this_machine_are_listened_on() {
        for (given, address) in [
            ("127.0.0.1", "127.0.0.1"),
            ("localhost", "127.0.0.1"),
            ("::1", "::1"),
            ("[::1]", "::1"),
            ("127.3.2.1", "127.3.2.1"),
        ] {
            assert_eq!(
                host(&["--host", given]).unwrap(),
                address.parse::<IpAddr>().unwrap()
            );
        }
        for given in [
            "0.0.0.0",
            "::",
            "192.168.1.5",
            "example.org",
            "",
            "::ffff:10.0.0.1",
        ] {
            let refused = host(&["--host", given]).unwrap_err();
            assert_eq!(refused.exit_code(), ExitCode::AddressRefused, "{given}");
        }
        let far_side = host(&["--remote-mode", "--host", "0.0.0.0"]).unwrap();
        assert_eq!(far_side, IpAddr::V4(Ipv4Addr::LOCALHOST));
    }

    #[test]
    fn a_taken_port_is_an_error_when_it_was_asked_for_and_else_replaced_by_a_free_one() {
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let taken = std::net::TcpListener::bind((loopback, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let refused = bind_port(loopback, port, false).unwrap_err();
        assert_eq!(refused.exit_code(), ExitCode::AddressTaken);
        assert!(refused.to_string().contains(&port.to_string()));
        let other = bind_port(loopback, port, true).unwrap();
        assert_ne!(other.local_addr().unwrap().port(), port);
    }

    #[test]
    fn the_port_file_of_another_server_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let ours = PortFile::write(folder.path(), 1).unwrap();
        let file = folder.path().join("port.json");
        assert!(
            std::fs::read_to_string(&file)
                .unwrap()
                .contains("\"port\":1")
        );
        std::fs::write(&file, "{\"port\":2,\"pid\":0}\n").unwrap();
        drop(ours);
        assert!(file.exists());
        drop(PortFile::write(folder.path(), 1).unwrap());
        assert!(!file.exists());
    }
}
