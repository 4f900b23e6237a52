//! What can go wrong when a storage root is read or changed.
//!
//! [`StoreError`] is the one error of this crate. It says what happened in words a user can act on and knows nothing of HTTP;
//! the server turns each variant into a status and a code. A file that cannot be read as hoped is a [`ReadProblem`], because most
//! callers show what is left and go on.

use std::io;
use std::path::{Path, PathBuf};

/// Why an operation on a storage root failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No run of that id is in the list (soft-deleted ones count as missing unless they are asked for).
    #[error("Run not found: {id}")]
    RunNotFound {
        /// The id as it was asked for.
        id: String,
    },
    /// The id has not the form `YYYYMMDD_HHMMSS_xxxxxx`, or could never name a directory.
    #[error("Invalid run_id format: {id}")]
    InvalidRunId {
        /// The id as it was asked for.
        id: String,
    },
    /// A run path with `..`, an empty segment or a character that cannot stand in one.
    #[error("Invalid path {path:?}: {detail}")]
    InvalidPath {
        /// The path as it was given.
        path: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file is there but does not hold what it should.
    #[error("{}: {detail}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The storage root is missing, unreadable or does not answer.
    #[error("Storage root {} is not available: {detail}", root.display())]
    RootUnavailable {
        /// The root.
        root: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// Somebody else holds the lock, longer than we wait.
    #[error("{what} is in use by another program")]
    Busy {
        /// The file or the thing that is held.
        what: String,
    },
    /// More bytes, files or items than we take.
    #[error("{what} is larger than the limit of {limit}")]
    TooLarge {
        /// What was too large.
        what: String,
        /// The limit, in the unit that `what` implies.
        limit: u64,
    },
    /// The path would leave the storage root, or is something other than a plain file or folder.
    #[error("Unsafe path {}: {detail}", path.display())]
    Unsafe {
        /// The path as it was given.
        path: PathBuf,
        /// What is unsafe about it.
        detail: String,
    },
}

impl StoreError {
    /// Wraps an error of the operating system with the path it is about.
    pub fn io(path: impl AsRef<Path>, source: io::Error) -> Self {
        Self::Io {
            path: path.as_ref().to_owned(),
            source,
        }
    }

    /// The same as an error of the operating system, of the same kind, for those who add a path of their own.
    pub(crate) fn into_io(self) -> io::Error {
        match self {
            Self::Io { path, source } => {
                io::Error::new(source.kind(), format!("{}: {source}", path.display()))
            }
            other => io::Error::other(other),
        }
    }
}

/// Whether the file system did not answer (a network mount that is gone), so that the same may work later.
pub fn is_unreachable(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StaleNetworkFileHandle
            | io::ErrorKind::TimedOut
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown
            | io::ErrorKind::NotConnected
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

/// Why one file of a run gave no bytes.
#[derive(Debug, thiserror::Error)]
pub enum ReadProblem {
    /// There is no such file.
    #[error("the file is missing")]
    Missing,
    /// A folder, a pipe or a device stands where a file should be.
    #[error("not a plain file")]
    NotAFile,
    /// The file is larger than the reader takes.
    #[error("{bytes} bytes are more than the {limit_bytes} that are read")]
    TooLarge {
        /// Size of the file.
        bytes: u64,
        /// The limit.
        limit_bytes: u64,
    },
    /// The file lies outside the storage root, or a link leads there.
    #[error("the path leaves the storage root")]
    Outside,
    /// The operating system refused.
    #[error("{0}")]
    Io(#[source] io::Error),
}

impl From<io::Error> for ReadProblem {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::Missing,
            io::ErrorKind::PermissionDenied if error.raw_os_error().is_none() => Self::Outside,
            _ => Self::Io(error),
        }
    }
}
