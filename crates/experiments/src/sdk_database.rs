//! The SDK's own SQLite files: `runicorn.db` (0.7) and `index/runicorn.db` (0.6).
//!
//! They are optional, may be busy, stale or damaged, and the files beside them are the truth. Reading opens them
//! read-only and leaves nothing behind. The few rows that a change of ours must touch, so that the real viewer agrees,
//! are written after the files, in one short transaction with a busy limit; what is refused waits in our state folder.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cap_std::fs::Dir;
use parking_lot::Mutex;
use rusqlite::{
    Connection, OpenFlags, OptionalExtension as _, Transaction, TransactionBehavior, params,
};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::journal::root_key;
use crate::run_dir::{RootDir, open_plain};

/// How long one transaction of ours waits for the SDK, in milliseconds.
const BUSY_LIMIT_MS: u64 = 400;
/// A database with an orphaned log is copied before reading, up to this size in bytes.
const COPY_LIMIT_BYTES: u64 = 512 << 20;
/// Longest waiting row file that is read back, in bytes.
const WAITING_LIMIT_BYTES: u64 = 64 << 20;

/// Which of the two files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `runicorn.db` with the table `experiments`.
    Experiments,
    /// `index/runicorn.db` with the table `runs`.
    Index,
}

impl Kind {
    /// Below the root.
    fn file(self) -> &'static str {
        match self {
            Self::Experiments => "runicorn.db",
            Self::Index => "index/runicorn.db",
        }
    }

    fn table(self) -> &'static str {
        match self {
            Self::Experiments => "experiments",
            Self::Index => "runs",
        }
    }

    fn key(self) -> &'static str {
        match self {
            Self::Experiments => "id",
            Self::Index => "run_id",
        }
    }
}

/// One change of rows that belongs to a change of files. All are idempotent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RowChange {
    /// The run went to the recycle bin (`run_dir` is where it lies now).
    Deleted {
        id: String,
        deleted_at: f64,
        reason: String,
        run_dir: String,
    },
    /// The run came back.
    Restored {
        id: String,
        run_dir: String,
        path: Option<String>,
    },
    /// The run lies elsewhere and has another path.
    Moved {
        id: String,
        run_dir: String,
        path: String,
    },
    /// A new alias, or none.
    Alias { id: String, alias: Option<String> },
    /// All tags of the run.
    Tags { id: String, tags: Vec<String> },
    /// The run is gone, with the assets that only it had. `index_too`: in the 0.6 file as well.
    Purged { id: String, index_too: bool },
    /// The run's process is gone; what had ended by itself stays.
    Failed {
        id: String,
        ended_at: f64,
        exit_reason: String,
    },
    /// The run was imported.
    Imported(Box<ImportedRow>),
}

/// A new row of `experiments`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ImportedRow {
    pub(crate) id: String,
    pub(crate) path: String,
    pub(crate) alias: Option<String>,
    pub(crate) created_at: f64,
    pub(crate) started_at: Option<f64>,
    pub(crate) ended_at: Option<f64>,
    pub(crate) status: String,
    pub(crate) pid: Option<i64>,
    pub(crate) platform: Option<String>,
    pub(crate) hostname: Option<String>,
    pub(crate) run_dir: String,
    pub(crate) workspace_root: Option<String>,
    pub(crate) best_metric_name: Option<String>,
    pub(crate) best_metric_value: Option<f64>,
    pub(crate) best_metric_step: Option<i64>,
    pub(crate) best_metric_mode: Option<String>,
    pub(crate) tags: Vec<String>,
}

/// One asset of a run as a database has it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AssetRow {
    pub(crate) asset_id: String,
    pub(crate) asset_type: String,
    pub(crate) name: Option<String>,
    pub(crate) archive_uri: Option<String>,
    pub(crate) fingerprint_kind: Option<String>,
    pub(crate) fingerprint: Option<String>,
    pub(crate) role: String,
    /// Other runs that link the same row.
    pub(crate) other_runs: Vec<String>,
}

/// A database opened for reading; a copy lives as long as this.
pub(crate) struct Reading {
    connection: Connection,
    kind: Kind,
    _copy: Option<TempDir>,
}

/// True if the root has a 0.7 `experiments` table.
pub(crate) fn has_experiments(root: &Path, state_dir: &Path) -> bool {
    Reading::open(root, Kind::Experiments, state_dir).is_some()
}

impl Reading {
    /// Opens one of the files if it is there, readable and has its table.
    pub(crate) fn open(root: &Path, kind: Kind, scratch: &Path) -> Option<Self> {
        let (connection, copy) = open_for_reading(root, kind, scratch)
            .inspect_err(
                |error| tracing::debug!(%error, root = %root.display(), "database not used"),
            )
            .ok()??;
        let known = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1";
        connection
            .query_row(known, [kind.table()], |_| Ok(()))
            .optional()
            .ok()??;
        Some(Self {
            connection,
            kind,
            _copy: copy,
        })
    }

    /// The assets of a run; `None` when the database does not know the run or cannot say.
    pub(crate) fn assets(&self, run: &str) -> Option<Vec<AssetRow>> {
        let known = format!(
            "SELECT 1 FROM {} WHERE {} = ?1",
            self.kind.table(),
            self.kind.key()
        );
        self.connection
            .query_row(&known, [run], |_| Ok(()))
            .optional()
            .ok()??;
        self.asset_rows(run)
            .inspect_err(|error| tracing::debug!(%error, "asset rows not used"))
            .ok()
    }

    fn asset_rows(&self, run: &str) -> rusqlite::Result<Vec<AssetRow>> {
        let mut others = self.connection.prepare("SELECT DISTINCT run_id FROM run_assets WHERE asset_id = ?1 AND run_id <> ?2 ORDER BY run_id")?;
        let mut own = self.connection.prepare(
            "SELECT a.asset_id, a.asset_type, a.name, a.archive_uri, a.fingerprint_kind, CAST(a.fingerprint AS TEXT), r.role
             FROM run_assets r JOIN assets a ON a.asset_id = r.asset_id WHERE r.run_id = ?1 ORDER BY r.created_at, r.rowid",
        )?;
        let rows = own.query_map([run], |row| {
            Ok(AssetRow {
                asset_id: row.get(0)?,
                asset_type: row.get(1)?,
                name: row.get(2)?,
                archive_uri: row.get(3)?,
                fingerprint_kind: row.get(4)?,
                fingerprint: row.get(5)?,
                role: row.get(6)?,
                other_runs: Vec::new(),
            })
        })?;
        rows.map(|row| {
            let mut row = row?;
            row.other_runs = others
                .query_map(params![row.asset_id, run], |other| other.get(0))?
                .collect::<Result<_, _>>()?;
            Ok(row)
        })
        .collect()
    }
}

/// A connection, and the copy that it reads, if it reads one.
type Opened = (Connection, Option<TempDir>);

/// A database file that SQLite may be shown.
struct Database {
    root: RootDir,
    name: &'static str,
    bytes: u64,
    /// Size of the write-ahead log beside it.
    log_bytes: u64,
    /// Whether the index of that log is there, which a reader of a live database needs.
    has_log_index: bool,
}

impl Database {
    /// Looks for a file of the root. It, and whatever SQLite opens beside it, must be plain files: a pipe would be waited for, and a
    /// link would lead out of the root.
    fn find(root: &Path, kind: Kind) -> io::Result<Option<Self>> {
        // SQLite refuses links anywhere in a path, and the way to the root is the user's own
        let path = if cfg!(unix) {
            root.canonicalize()?
        } else {
            root.to_owned()
        };
        let root = RootDir::open(&path)?;
        let name = kind.file();
        let Some(bytes) = plain_bytes(&root.dir, name)? else {
            return Ok(None);
        };
        let beside = |suffix: &str| plain_bytes(&root.dir, &format!("{name}{suffix}"));
        beside("-journal")?;
        Ok(Some(Self {
            log_bytes: beside("-wal")?.unwrap_or(0),
            has_log_index: beside("-shm")?.is_some(),
            root,
            name,
            bytes,
        }))
    }

    fn path(&self) -> PathBuf {
        self.root.path.join(self.name)
    }

    fn open(&self, suffix: &str) -> io::Result<File> {
        open_plain(&self.root.dir, Path::new(&format!("{}{suffix}", self.name)))
    }

    /// Copies the file and its log.
    fn copy_to(&self, copied: &Path) -> io::Result<()> {
        for suffix in ["", "-wal"] {
            let mut from = self.open(suffix)?.take(COPY_LIMIT_BYTES);
            let mut to = File::create(with_suffix(copied, suffix))?;
            io::copy(&mut from, &mut to)?;
        }
        Ok(())
    }
}

/// Size of a plain file; `None` when nothing is there.
fn plain_bytes(dir: &Dir, name: &str) -> io::Result<Option<u64>> {
    match dir.symlink_metadata(name) {
        Ok(metadata) if metadata.is_file() => Ok(Some(metadata.len())),
        Ok(_) => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{name} is not a plain file"),
        )),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Opens without ever creating a file beside the database.
fn open_for_reading(
    root: &Path,
    kind: Kind,
    scratch: &Path,
) -> Result<Option<Opened>, Box<dyn std::error::Error>> {
    let Some(database) = Database::find(root, kind)? else {
        return Ok(None);
    };
    let path = database.path();
    let mut header = [0_u8; 20];
    if database.open("")?.read_exact(&mut header).is_err()
        || !header.starts_with(b"SQLite format 3\0")
    {
        return Ok(None);
    }
    let write_ahead = header[18] == 2 || header[19] == 2;
    if !write_ahead {
        return Ok(Some((
            connect(&path, false).or_else(|_| connect(&path, true))?,
            None,
        )));
    }
    if database.log_bytes == 0 {
        return Ok(Some((connect(&path, true)?, None)));
    }
    if database.has_log_index
        && let Ok(connection) = connect(&path, false)
    {
        return Ok(Some((connection, None)));
    }
    if database.bytes + database.log_bytes > COPY_LIMIT_BYTES {
        return Ok(None);
    }
    fs::create_dir_all(scratch)?;
    let copy = tempfile::tempdir_in(scratch)?;
    let copied = copy.path().join("copy.db");
    database.copy_to(&copied)?;
    let connection = Connection::open_with_flags(
        &copied,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))?;
    Ok(Some((connection, Some(copy))))
}

fn connect(path: &Path, immutable: bool) -> rusqlite::Result<Connection> {
    let uri = format!(
        "file:{}?mode=ro{}",
        uri_path(path),
        if immutable { "&immutable=1" } else { "" }
    );
    let connection = Connection::open_with_flags(
        uri,
        OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_URI
            | OpenFlags::SQLITE_OPEN_NOFOLLOW
            | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(Duration::from_millis(BUSY_LIMIT_MS))?;
    connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))?;
    Ok(connection)
}

fn uri_path(path: &Path) -> String {
    path.to_string_lossy()
        .replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23")
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Row changes in order: applied at once, or kept in the state folder until the database lets them in.
pub(crate) struct RowQueue {
    root: PathBuf,
    dir: PathBuf,
    one: Mutex<()>,
}

impl RowQueue {
    pub(crate) fn new(root: &Path, state_dir: &Path) -> Self {
        Self {
            root: root.to_owned(),
            dir: state_dir.join("sdk-rows").join(root_key(root)),
            one: Mutex::new(()),
        }
    }

    /// Applies `changes` after whatever waits; what cannot be applied now waits.
    pub(crate) fn tell(&self, changes: &[RowChange]) {
        let _one = self.one.lock();
        let waiting = self.waiting_files();
        if waiting.is_empty() && self.apply(changes).is_ok() {
            return;
        }
        if let Err(error) = self.keep(changes) {
            tracing::error!(%error, "the SDK's database was busy and the change could not be kept for later");
        }
    }

    /// True if something waits to be applied.
    pub(crate) fn has_waiting(&self) -> bool {
        !self.waiting_files().is_empty()
    }

    /// Tries once to apply all that waits; true when nothing is left.
    pub(crate) fn retry(&self) -> bool {
        let _one = self.one.lock();
        for file in self.waiting_files() {
            let Ok(changes) = read_waiting(&file) else {
                tracing::error!(file = %file.display(), "waiting rows are not readable; they are put aside");
                if fs::rename(&file, file.with_extension("put-aside")).is_err() {
                    return false;
                }
                continue;
            };
            if let Err(error) = self.apply(&changes) {
                tracing::debug!(%error, "the SDK's database is still busy");
                return false;
            }
            if let Err(error) = fs::remove_file(&file) {
                tracing::warn!(%error, "waiting rows will be applied again");
                return false;
            }
        }
        true
    }

    fn waiting_files(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = fs::read_dir(&self.dir)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|kind| kind == "json"))
            .collect();
        files.sort();
        files
    }

    fn keep(&self, changes: &[RowChange]) -> io::Result<()> {
        fs::create_dir_all(&self.dir)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.dir)?;
        file.write_all(&serde_json::to_vec(changes)?)?;
        file.as_file().sync_all()?;
        let nanos = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |age| age.as_nanos());
        let mut number = nanos;
        loop {
            match file.persist_noclobber(self.dir.join(format!("{number:032}.json"))) {
                Ok(_) => return Ok(()),
                Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                    file = error.file;
                    number += 1;
                }
                Err(error) => return Err(error.error),
            }
        }
    }

    fn apply(&self, changes: &[RowChange]) -> Result<(), Box<dyn std::error::Error>> {
        let index_too = changes.iter().any(|change| {
            matches!(
                change,
                RowChange::Purged {
                    index_too: true,
                    ..
                }
            )
        });
        for kind in [Kind::Experiments, Kind::Index] {
            if kind == Kind::Index && !index_too {
                continue;
            }
            let path = match Database::find(&self.root, kind) {
                Ok(Some(database)) => database.path(),
                Ok(None) => continue,
                Err(error) if is_no_database(&error) => {
                    tracing::warn!(%error, "the SDK's database was not told");
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            match apply_to(&path, kind, changes) {
                Err(error) if is_busy(&error) => return Err(error.into()),
                // a damaged or foreign file: the files are the truth, there is nothing to tell
                Err(error) => {
                    tracing::warn!(%error, path = %path.display(), "the SDK's database was not told");
                }
                Ok(()) => {}
            }
        }
        Ok(())
    }
}

fn read_waiting(path: &Path) -> io::Result<Vec<RowChange>> {
    let mut text = Vec::new();
    File::open(path)?
        .take(WAITING_LIMIT_BYTES)
        .read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

/// Something else stands in its place, or a link that leads out of the root. Any other error is one of the root, which may pass.
fn is_no_database(error: &io::Error) -> bool {
    let leads_out =
        error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_none();
    error.kind() == io::ErrorKind::InvalidInput || leads_out
}

fn is_busy(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked, DiskFull, ReadOnly, SystemIoFailure};
    matches!(
        error.sqlite_error_code(),
        Some(DatabaseBusy | DatabaseLocked | DiskFull | ReadOnly | SystemIoFailure)
    )
}

fn apply_to(path: &Path, kind: Kind, changes: &[RowChange]) -> rusqlite::Result<()> {
    let mut connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_NOFOLLOW
            | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(Duration::from_millis(BUSY_LIMIT_MS))?;
    connection.pragma_update(None, "foreign_keys", true)?;
    let known = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1";
    if connection
        .query_row(known, [kind.table()], |_| Ok(()))
        .optional()?
        .is_none()
    {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for change in changes {
        apply_one(&transaction, kind, change)?;
    }
    transaction.commit()
}

fn apply_one(to: &Transaction<'_>, kind: Kind, change: &RowChange) -> rusqlite::Result<()> {
    let now = now_secs();
    match change {
        RowChange::Purged { id, .. } => return purge(to, kind, id),
        _ if kind == Kind::Index => return Ok(()),
        RowChange::Deleted { id, deleted_at, reason, run_dir } => to.execute(
            "UPDATE experiments SET deleted_at = ?2, delete_reason = ?3, run_dir = ?4, updated_at = ?5 WHERE id = ?1",
            params![id, deleted_at, reason, run_dir, now],
        )?,
        RowChange::Restored { id, run_dir, path } => to.execute(
            "UPDATE experiments SET deleted_at = NULL, delete_reason = NULL, run_dir = ?2, path = COALESCE(?3, path), updated_at = ?4 WHERE id = ?1",
            params![id, run_dir, path, now],
        )?,
        RowChange::Moved { id, run_dir, path } => {
            to.execute("UPDATE experiments SET run_dir = ?2, path = ?3, updated_at = ?4 WHERE id = ?1", params![id, run_dir, path, now])?
        }
        RowChange::Alias { id, alias } => to.execute("UPDATE experiments SET alias = ?2, updated_at = ?3 WHERE id = ?1", params![id, alias, now])?,
        RowChange::Tags { id, tags } => return set_tags(to, id, tags),
        RowChange::Failed { id, ended_at, exit_reason } => {
            to.execute("UPDATE experiments SET status = 'failed', ended_at = ?2, exit_reason = ?3, updated_at = ?4 WHERE id = ?1 AND status = 'running'", params![id, ended_at, exit_reason, now])?
        }
        RowChange::Imported(row) => return insert(to, row),
    };
    Ok(())
}

fn set_tags(to: &Transaction<'_>, id: &str, tags: &[String]) -> rusqlite::Result<()> {
    to.execute("DELETE FROM experiment_tags WHERE experiment_id = ?1", [id])?;
    for tag in tags {
        to.execute("INSERT OR IGNORE INTO experiment_tags (experiment_id, tag) SELECT ?1, ?2 WHERE EXISTS (SELECT 1 FROM experiments WHERE id = ?1)", params![id, tag])?;
    }
    Ok(())
}

fn insert(to: &Transaction<'_>, row: &ImportedRow) -> rusqlite::Result<()> {
    let duration = row
        .started_at
        .zip(row.ended_at)
        .map(|(start, end)| end - start);
    to.execute(
        "INSERT OR IGNORE INTO experiments (id, path, alias, created_at, updated_at, started_at, ended_at, status, pid, platform, hostname, run_dir,
           workspace_root, best_metric_name, best_metric_value, best_metric_step, best_metric_mode, duration_seconds)
         VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
        params![
            row.id,
            row.path,
            row.alias,
            row.created_at,
            row.started_at,
            row.ended_at,
            status_for_database(&row.status),
            row.pid,
            row.platform,
            row.hostname,
            row.run_dir,
            row.workspace_root,
            row.best_metric_name,
            row.best_metric_value,
            row.best_metric_step,
            row.best_metric_mode,
            duration
        ],
    )?;
    set_tags(to, &row.id, &row.tags)
}

/// The four words that the column admits, as SDK 0.7 maps them.
fn status_for_database(word: &str) -> &'static str {
    match word.to_lowercase().as_str() {
        "running" => "running",
        "failed" | "error" | "crashed" => "failed",
        "interrupted" | "killed" | "cancelled" | "aborted" => "interrupted",
        _ => "finished",
    }
}

fn purge(to: &Transaction<'_>, kind: Kind, id: &str) -> rusqlite::Result<()> {
    let only_here = "SELECT asset_id FROM run_assets WHERE run_id = ?1 AND asset_id NOT IN (SELECT asset_id FROM run_assets WHERE run_id <> ?1)";
    let orphans: Vec<String> = to
        .prepare(only_here)?
        .query_map([id], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    to.execute("DELETE FROM run_assets WHERE run_id = ?1", [id])?;
    to.execute(
        &format!("DELETE FROM {} WHERE {} = ?1", kind.table(), kind.key()),
        [id],
    )?;
    for asset in orphans {
        to.execute("DELETE FROM assets WHERE asset_id = ?1", [asset])?;
    }
    Ok(())
}

fn now_secs() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |age| age.as_secs_f64())
}
