//! Small files of ours that nobody else may read: read with a limit, written by rename, one writer at a time.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::error::{RemoteError, RemoteResult};

/// How long a writer waits for another one.
const LOCK_LIMIT: Duration = Duration::from_secs(10);

/// The whole of a regular file, or `None` when there is none.
///
/// # Errors
/// When it is no regular file, longer than `limit_bytes`, or unreadable.
pub(crate) fn read(path: &Path, limit_bytes: u64) -> io::Result<Option<Vec<u8>>> {
    match std::fs::metadata(path) {
        Ok(about) if !about.is_file() => return Err(io::Error::other("not a regular file")),
        Ok(_) => {}
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(error),
    }
    let mut content = Vec::new();
    File::open(path)?
        .take(limit_bytes + 1)
        .read_to_end(&mut content)?;
    if content.len() as u64 > limit_bytes {
        return Err(io::Error::other(format!("larger than {limit_bytes} bytes")));
    }
    Ok(Some(content))
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Puts `content` in place of the file: mode 0600, synced, by rename, so that a reader sees the old or the new one.
///
/// # Errors
/// What the system says.
pub(crate) fn replace(path: &Path, content: &[u8]) -> RemoteResult<()> {
    let write = || -> io::Result<()> {
        let folder = folder_of(path)?;
        let mut file = tempfile::Builder::new()
            .prefix(".writing-")
            .tempfile_in(folder)?;
        file.write_all(content)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|source| failed(path, source))
}

/// Held while a file is read, changed and replaced.
pub(crate) struct Lock(#[expect(dead_code, reason = "the lock lives as long as the file")] File);

/// Waits for the right to change `path`: an OS lock on `<path>.lock`, so it holds between processes too.
///
/// # Errors
/// When the folder cannot be written or the other writer does not end.
pub(crate) fn lock(path: &Path) -> RemoteResult<Lock> {
    let lock_path = lock_path(path);
    let take = || -> io::Result<File> {
        folder_of(path)?;
        let file = open_private(&lock_path)?;
        let since = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(std::fs::TryLockError::Error(error)) => return Err(error),
                Err(std::fs::TryLockError::WouldBlock) if since.elapsed() > LOCK_LIMIT => {
                    return Err(io::Error::new(
                        io::ErrorKind::TimedOut,
                        "another process holds it",
                    ));
                }
                // There is no event for a freed file lock that can be awaited with a limit.
                Err(std::fs::TryLockError::WouldBlock) => {
                    std::thread::sleep(Duration::from_millis(15));
                }
            }
        }
    };
    take()
        .map(Lock)
        .map_err(|source| failed(&lock_path, source))
}

fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

/// The folder of a file, made (for us alone) when it is not there.
fn folder_of(path: &Path) -> io::Result<&Path> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .ok_or_else(|| io::Error::other("no folder to write into"))?;
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder)?;
    Ok(folder)
}

pub(crate) fn failed(path: &Path, source: io::Error) -> RemoteError {
    RemoteError::File {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_too_large_or_no_file_is_refused_and_an_absent_one_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/file");
        assert!(read(&path, 10).unwrap().is_none());
        replace(&path, b"12345").unwrap();
        assert_eq!(read(&path, 5).unwrap().unwrap(), b"12345");
        assert!(read(&path, 4).is_err());
        assert!(read(folder.path(), 10).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn what_is_written_is_readable_by_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/file");
        let held = lock(&path).unwrap();
        replace(&path, b"x").unwrap();
        drop(held);
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(&lock_path(&path)), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
    }
}
