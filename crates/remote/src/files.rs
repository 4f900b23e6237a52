//! Folders of the far side, by SFTP.
//!
//! A folder may hold a hundred thousand entries: it is read in batches with several requests on the way, sorted once, and
//! handed out in pages. The sorted listing stays for a minute, so that the pages of one visit fit together; the first page
//! always reads anew. Names that are no UTF-8 are shown with replacement characters.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use russh_sftp::client::RawSftpSession;
use russh_sftp::client::error::Error;
use russh_sftp::protocol::{FileAttributes, Status, StatusCode};

use crate::connection::Connection;
use crate::error::{RemoteError, RemoteResult};
use crate::info::{FolderEntry, FolderPage};
use crate::script::cleaned;

/// More entries than this are no folder to look at.
const MOST_ENTRIES: usize = 500_000;
const MOST_NAME_BYTES: usize = 64 << 20;
/// Requests for more entries that are on the way at once: a server sends a hundred in each answer.
const REQUESTS: usize = 16;
const LIMIT: Duration = Duration::from_mins(1);
const REQUEST_SECS: u64 = 30;
/// How long, and how many, listings are kept for their next pages.
const KEPT_FOR: Duration = Duration::from_mins(1);
const KEPT_FOLDERS: usize = 4;

const FOLDER: u32 = 0o040_000;
const KIND: u32 = 0o170_000;

/// An open file session and where it begins: the home.
pub(crate) struct Session {
    sftp: RawSftpSession,
    home: String,
}

/// Listings that somebody pages through, the latest last.
#[derive(Default)]
pub(crate) struct Folders(Vec<(String, Instant, Arc<Vec<FolderEntry>>)>);

impl Folders {
    fn get(&self, path: &str) -> Option<Arc<Vec<FolderEntry>>> {
        let (_, _, entries) = self
            .0
            .iter()
            .find(|(kept, read_at, _)| kept == path && read_at.elapsed() < KEPT_FOR)?;
        Some(Arc::clone(entries))
    }

    fn keep(&mut self, path: &str, entries: &Arc<Vec<FolderEntry>>) {
        self.0
            .retain(|(kept, read_at, _)| kept != path && read_at.elapsed() < KEPT_FOR);
        let is_too_much = |folders: &Self| {
            let held: usize = folders.0.iter().map(|(_, _, entries)| entries.len()).sum();
            folders.0.len() >= KEPT_FOLDERS || held + entries.len() > MOST_ENTRIES
        };
        while !self.0.is_empty() && is_too_much(self) {
            self.0.remove(0);
        }
        self.0
            .push((path.to_owned(), Instant::now(), Arc::clone(entries)));
    }
}

/// A part of a folder: folders first, then by name; links are not followed. `~`, `~/x` and relative paths are those of the
/// home.
///
/// # Errors
/// [`RemoteError::Path`] with the documented words, [`RemoteError::Forbidden`] without SFTP, [`RemoteError::Timeout`].
pub async fn list(
    connection: &Connection,
    path: &str,
    offset: usize,
    limit: usize,
) -> RemoteResult<FolderPage> {
    let kept = |path: &str| match offset {
        0 => None,
        _ => connection.kept().folders.lock().get(path),
    };
    let kept = &kept;
    let look = |session: Arc<Session>| async move {
        let path = expanded(path, &session.home);
        let entries = match kept(&path) {
            Some(entries) => entries,
            None => Arc::new(read(&session.sftp, &path).await?),
        };
        Ok((path, entries))
    };
    let (path, entries) = with_session(connection, path, look).await?;
    if entries.len() > limit && offset == 0 {
        connection.kept().folders.lock().keep(&path, &entries);
    }
    Ok(page(path, &entries, offset, limit))
}

/// Whether something is there, and whether it is a folder; links are followed, `~` is not expanded. What may not be looked
/// at is not there.
///
/// # Errors
/// As [`list`].
pub async fn exists(connection: &Connection, path: &str) -> RemoteResult<(bool, bool)> {
    if path.is_empty() {
        return Ok((false, false));
    }
    let look = |session: Arc<Session>| async move {
        match session.sftp.stat(path).await {
            Ok(found) => Ok((true, is_folder(&found.attrs))),
            Err(Error::Status(status))
                if matches!(
                    status.status_code,
                    StatusCode::NoSuchFile | StatusCode::PermissionDenied
                ) =>
            {
                Ok((false, false))
            }
            Err(error) => Err(error),
        }
    };
    with_session(connection, path, look).await
}

fn page(path: String, entries: &[FolderEntry], offset: usize, limit: usize) -> FolderPage {
    let total = entries.len();
    let from = offset.min(total);
    let to = from.saturating_add(limit).min(total);
    FolderPage {
        path,
        entries: entries[from..to].to_vec(),
        total,
        next_offset: (to < total && to > from).then_some(to),
    }
}

fn expanded(path: &str, home: &str) -> String {
    let below_home = |rest: &str| format!("{}/{rest}", home.trim_end_matches('/'));
    match path {
        "" | "~" => home.to_owned(),
        absolute if absolute.starts_with('/') => absolute.to_owned(),
        relative => below_home(relative.strip_prefix("~/").unwrap_or(relative)),
    }
}

/// Does something over the session that is open, or over a new one: at once, or when the open one turns out to be broken.
async fn with_session<T, W>(
    connection: &Connection,
    path: &str,
    work: impl Fn(Arc<Session>) -> W,
) -> RemoteResult<T>
where
    W: Future<Output = Result<T, Error>>,
{
    loop {
        let (session, is_new) = session(connection).await?;
        let in_time = tokio::time::timeout(LIMIT, work(Arc::clone(&session)));
        let Ok(done) = connection.unless_ended(in_time).await? else {
            forget(connection).await;
            return Err(late(connection));
        };
        match done {
            Ok(done) => return Ok(done),
            Err(Error::Status(status)) => return Err(refused(path, &status)),
            Err(error) => {
                forget(connection).await;
                if matches!(error, Error::Timeout) {
                    return Err(late(connection));
                }
                if is_new {
                    return Err(RemoteError::Path {
                        path: path.to_owned(),
                        detail: cleaned(&error.to_string(), 200),
                    });
                }
                tracing::debug!(%error, "a file session is opened again");
            }
        }
    }
}

async fn session(connection: &Connection) -> RemoteResult<(Arc<Session>, bool)> {
    let mut kept = connection.kept().files.lock().await;
    if let Some(session) = kept.as_ref() {
        return Ok((Arc::clone(session), false));
    }
    let sftp = RawSftpSession::new(connection.sftp_stream().await?);
    sftp.set_timeout(REQUEST_SECS);
    let begin = async {
        sftp.init().await?;
        sftp.realpath(".").await
    };
    let home = connection.unless_ended(begin).await?;
    let home = home.map_err(|error| RemoteError::Forbidden {
        host: connection.target().host.clone(),
        what: "file access (SFTP)",
        detail: cleaned(&error.to_string(), 200),
    })?;
    let home = home.files.first();
    let home = home.map_or("/", |file| file.filename.as_str()).to_owned();
    let session = Arc::new(Session { sftp, home });
    *kept = Some(Arc::clone(&session));
    Ok((session, true))
}

fn late(connection: &Connection) -> RemoteError {
    RemoteError::Timeout {
        host: connection.target().host.clone(),
        phase: crate::Phase::Checking,
        limit: LIMIT,
    }
}

/// A session that went wrong is not asked again.
async fn forget(connection: &Connection) {
    connection.kept().files.lock().await.take();
}

/// The documented words for a status.
fn refused(path: &str, status: &Status) -> RemoteError {
    let detail = match status.status_code {
        StatusCode::NoSuchFile => "[Errno 2] No such file".to_owned(),
        StatusCode::PermissionDenied => "[Errno 13] Permission denied".to_owned(),
        _ => cleaned(&status.error_message, 200),
    };
    RemoteError::Path {
        path: path.to_owned(),
        detail,
    }
}

async fn read(sftp: &RawSftpSession, path: &str) -> Result<Vec<FolderEntry>, Error> {
    let handle = sftp.opendir(path).await?.handle;
    let read = read_all(sftp, &handle).await;
    // Who does not let go of a folder is not asked for reasons.
    if let Err(error) = sftp.close(handle).await {
        tracing::debug!(%error, "a folder was not closed");
    }
    let mut entries = read?;
    entries.sort_unstable_by(|one, other| {
        other
            .is_dir
            .cmp(&one.is_dir)
            .then_with(|| one.name.cmp(&other.name))
    });
    Ok(entries)
}

/// Everything in an open folder, unless that is too much.
async fn read_all(sftp: &RawSftpSession, handle: &str) -> Result<Vec<FolderEntry>, Error> {
    let mut entries = Vec::new();
    let mut name_bytes = 0;
    // A small folder is one answer and the end: two requests do for the start.
    let mut asked: FuturesUnordered<_> = (0..2).map(|_| sftp.readdir(handle)).collect();
    let mut is_over = false;
    while let Some(answer) = asked.next().await {
        match answer {
            Ok(batch) => {
                for file in batch.files {
                    name_bytes += file.filename.len();
                    entries.extend(entry(file.filename, &file.longname, &file.attrs));
                }
                if entries.len() > MOST_ENTRIES || name_bytes > MOST_NAME_BYTES {
                    return Err(Error::Status(Status {
                        id: 0,
                        status_code: StatusCode::Failure,
                        error_message: format!("the folder has more than {MOST_ENTRIES} entries"),
                        language_tag: String::new(),
                    }));
                }
            }
            Err(Error::Status(status)) if status.status_code == StatusCode::Eof => is_over = true,
            Err(error) => return Err(error),
        }
        while !is_over && asked.len() < REQUESTS {
            asked.push(sftp.readdir(handle));
        }
    }
    Ok(entries)
}

fn entry(name: String, long_name: &str, attributes: &FileAttributes) -> Option<FolderEntry> {
    if name == "." || name == ".." || name.is_empty() {
        return None;
    }
    let is_dir = match attributes.permissions {
        Some(_) => is_folder(attributes),
        None => long_name.starts_with('d'),
    };
    Some(FolderEntry {
        name,
        is_dir,
        size_bytes: if is_dir {
            0
        } else {
            attributes.size.unwrap_or_default()
        },
        modified_secs: attributes.mtime.map_or(0, i64::from),
    })
}

fn is_folder(attributes: &FileAttributes) -> bool {
    attributes
        .permissions
        .is_some_and(|mode| mode & KIND == FOLDER)
}

#[cfg(test)]
mod tests;
