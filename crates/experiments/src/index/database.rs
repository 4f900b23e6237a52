//! The index database: what was known of a root when the app last ran, in the cache folder.
//!
//! Everything in it can be read again from the root, so nothing here is an error to anybody else: a file that is damaged, of another
//! version or of another root is thrown away and begun anew, and when it cannot be written the index lives in memory and says why.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, Row, Statement, TransactionBehavior, params};

use super::catalog::{Catalog, Entry};
use super::discover::{Child, Folder, FoundRun};
use super::record::RunStamps;
use super::stamp::Stamp;
use crate::run::{Layout, RunId, RunPath, RunRow, StatusReason};

/// Raised with every change of the schema or of what its values mean.
const VERSION: i64 = 1;
/// Another instance on the same cache is waited for this long.
const BUSY: Duration = Duration::from_secs(2);

/// The index database of one root.
#[derive(Debug)]
pub(crate) struct IndexDatabase {
    path: PathBuf,
    root: String,
    connection: Option<Connection>,
    problem: Option<String>,
}

impl IndexDatabase {
    /// Opens or begins the database of a root.
    pub(crate) fn open(cache_dir: &Path, root: &Path) -> Self {
        let root = root.to_string_lossy().into_owned();
        let name = format!("{:016x}.db", xxhash_rust::xxh3::xxh3_64(root.as_bytes()));
        let mut database = Self {
            path: cache_dir.join("index").join(name),
            root,
            connection: None,
            problem: None,
        };
        database.reopen();
        database
    }

    /// Why nothing is kept, if so.
    pub(crate) fn problem(&self) -> Option<String> {
        self.problem.clone()
    }

    fn reopen(&mut self) {
        self.connection = None;
        let opened = self.try_open().or_else(|error| {
            if is_damage(&error) {
                tracing::info!(%error, path = %self.path.display(), "the run index is begun anew");
                self.remove();
                return self.try_open();
            }
            Err(error)
        });
        match opened {
            Ok(connection) => {
                self.connection = Some(connection);
                self.problem = None;
            }
            Err(error) => self.complain(&error),
        }
    }

    fn complain(&mut self, error: &rusqlite::Error) {
        let what = match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => "the disk is full".to_owned(),
            _ => error.to_string(),
        };
        tracing::warn!(%error, path = %self.path.display(), "the run index is not kept");
        self.problem = Some(format!("The run index is kept in memory only: {what}"));
    }

    fn remove(&self) {
        for suffix in ["", "-journal", "-wal", "-shm"] {
            let mut name = self.path.clone().into_os_string();
            name.push(suffix);
            if let Err(error) = std::fs::remove_file(&name)
                && error.kind() != std::io::ErrorKind::NotFound
            {
                tracing::warn!(%error, path = %self.path.display(), "a damaged index cannot be removed");
            }
        }
    }

    fn try_open(&self) -> rusqlite::Result<Connection> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder)
                .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        }
        let mut connection = Connection::open(&self.path)?;
        connection.busy_timeout(BUSY)?;
        connection.execute_batch("PRAGMA synchronous = NORMAL; PRAGMA trusted_schema = OFF;")?;
        let write = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version: i64 = write.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        let tables: i64 =
            write.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        if version == 0 && tables == 0 {
            write.execute_batch(include_str!("schema.sql"))?;
            write.execute("INSERT INTO about VALUES ('root', ?1)", [&self.root])?;
            write.pragma_update(None, "user_version", VERSION)?;
        }
        let root: String =
            write.query_row("SELECT value FROM about WHERE name = 'root'", [], |row| {
                row.get(0)
            })?;
        if root != self.root || (version != VERSION && version != 0) {
            return Err(rusqlite::Error::InvalidQuery);
        }
        write.commit()?;
        Ok(connection)
    }

    /// Fills an empty catalog with what was known last time.
    pub(crate) fn load(&mut self, catalog: &mut Catalog) {
        let Some(connection) = &self.connection else {
            return;
        };
        let loaded =
            load_folders(connection, catalog).and_then(|()| load_runs(connection, catalog));
        if let Err(error) = loaded {
            tracing::info!(%error, "the run index cannot be read and is begun anew");
            *catalog = Catalog::default();
            self.connection = None;
            self.remove();
            self.reopen();
        }
    }

    /// Writes what changed. What cannot be written now is tried again the next time.
    pub(crate) fn save(&mut self, catalog: &mut Catalog) {
        if self.connection.is_none() {
            self.reopen();
            catalog.unsaved.extend(catalog.entries.keys().cloned());
        }
        let Some(connection) = &mut self.connection else {
            return;
        };
        match write(connection, catalog) {
            Ok(saved) => {
                catalog.unsaved = saved;
                self.problem = None;
            }
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                tracing::debug!(%error, "another instance is writing the run index");
            }
            Err(error) => {
                self.complain(&error);
                if error.sqlite_error_code() != Some(ErrorCode::DiskFull) {
                    self.connection = None;
                }
            }
        }
    }
}

/// Whether the file is of no use, rather than the disk or its neighbours.
fn is_damage(error: &rusqlite::Error) -> bool {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt | ErrorCode::Unknown) => true,
        Some(_) => false,
        None => !matches!(error, rusqlite::Error::ToSqlConversionFailure(_)),
    }
}

fn load_folders(connection: &Connection, catalog: &mut Catalog) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("SELECT directory, stamp, children FROM folders")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let stamp: Vec<u8> = row.get(1)?;
        let children: String = row.get(2)?;
        let Some(stamp) = Stamp::from_bytes(&stamp) else {
            continue;
        };
        let child = |line: &str| {
            let is_link = line.starts_with('@');
            line.get(1..).map(|name| Child {
                name: name.to_owned(),
                is_link,
            })
        };
        let folder = Folder {
            stamp,
            children: children.split('\0').filter_map(child).collect(),
            ..Folder::default()
        };
        catalog.folders.insert(row.get(0)?, folder);
    }
    Ok(())
}

const COLUMNS: &str = "directory, layout, stamps, path, deleted, meta_path, alias, tags, pid, hostname, has_meta, created_at, \
     created_is_guess, started_at, ended_at, status, status_reason, best_name, best_value, best_step, best_mode, assets_count, \
     last_write_at, problem";

fn load_runs(connection: &Connection, catalog: &mut Catalog) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(&format!("SELECT {COLUMNS} FROM runs"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let Some(entry) = entry(row)? else { continue };
        let directory = entry.row.directory.clone();
        catalog.order.push(FoundRun {
            directory: directory.clone(),
            layout: entry.row.layout,
        });
        catalog.entries.insert(directory, entry);
    }
    Ok(())
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Option<Entry>> {
    let directory: String = row.get(0)?;
    let stamps: Vec<u8> = row.get(2)?;
    let id = directory.rsplit('/').next().map(RunId::new);
    let (Some(Ok(id)), Some(layout), Some(stamps), Some(reason)) = (
        id,
        layout(row.get(1)?),
        RunStamps::from_bytes(&stamps),
        reason(row.get(16)?),
    ) else {
        return Ok(None);
    };
    let path: String = row.get(3)?;
    let tags: String = row.get(7)?;
    let mut found = RunRow::empty(id, RunPath::from_directory(&path), &directory, layout);
    found.deleted = row.get(4)?;
    found.meta_path = row.get(5)?;
    found.alias = row.get(6)?;
    found.tags = serde_json::from_str(&tags).unwrap_or_default();
    found.pid = row.get(8)?;
    found.hostname = row.get(9)?;
    found.has_meta = row.get(10)?;
    found.created_at = row.get(11)?;
    found.created_at_is_guess = row.get(12)?;
    found.started_at = row.get(13)?;
    found.ended_at = row.get(14)?;
    found.recorded_status = row.get(15)?;
    found.recorded_reason = reason;
    found.best_metric_name = row.get(17)?;
    found.best_metric_value = row.get(18)?;
    found.best_metric_step = row.get(19)?;
    found.best_metric_mode = row.get(20)?;
    found.assets_count = row.get::<_, i64>(21)?.unsigned_abs();
    found.last_write_at = row.get(22)?;
    found.problem = row.get(23)?;
    found.status.clone_from(&found.recorded_status);
    found.reason = reason;
    Ok(Some(Entry {
        stamps,
        row: std::sync::Arc::new(found),
        dirty: false,
        racy: false,
        watched: false,
    }))
}

const LAYOUTS: [Layout; 3] = [Layout::Current, Layout::Legacy, Layout::Recycled];
const REASONS: [StatusReason; 3] = [
    StatusReason::StatusWord,
    StatusReason::MissingStatus,
    StatusReason::TornStatus,
];

fn layout(number: i64) -> Option<Layout> {
    LAYOUTS.get(usize::try_from(number).ok()?).copied()
}

fn reason(number: i64) -> Option<StatusReason> {
    REASONS.get(usize::try_from(number).ok()?).copied()
}

fn number<T: PartialEq>(all: &[T], one: &T) -> i64 {
    let at = all.iter().position(|known| known == one);
    at.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1)
}

/// Writes what changed; gives back what must be written again, because it may have changed since it was looked at.
fn write(
    connection: &mut Connection,
    catalog: &Catalog,
) -> rusqlite::Result<std::collections::HashSet<String>> {
    let mut later = std::collections::HashSet::new();
    let write = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    {
        let marks = vec!["?"; 24].join(",");
        let mut put = write.prepare(&format!(
            "INSERT OR REPLACE INTO runs ({COLUMNS}) VALUES ({marks})"
        ))?;
        let mut remove = write.prepare("DELETE FROM runs WHERE directory = ?1")?;
        for directory in &catalog.unsaved {
            match catalog.entries.get(directory) {
                Some(entry) if entry.racy => {
                    remove.execute([directory])?;
                    later.insert(directory.clone());
                }
                Some(entry) => put_run(&mut put, entry)?,
                None => {
                    remove.execute([directory])?;
                }
            }
        }
        write.execute("DELETE FROM folders", [])?;
        let mut put = write.prepare("INSERT INTO folders VALUES (?1, ?2, ?3)")?;
        for (directory, folder) in catalog.folders.iter().filter(|(_, folder)| !folder.dirty) {
            let child =
                |child: &Child| format!("{}{}", if child.is_link { '@' } else { '/' }, child.name);
            let children: Vec<String> = folder.children.iter().map(child).collect();
            put.execute(params![
                directory,
                folder.stamp.to_bytes(),
                children.join("\0")
            ])?;
        }
    }
    write.commit()?;
    Ok(later)
}

fn put_run(put: &mut Statement<'_>, entry: &Entry) -> rusqlite::Result<()> {
    let row = &entry.row;
    put.execute(params![
        row.directory,
        number(&LAYOUTS, &row.layout),
        entry.stamps.to_bytes(),
        row.path.as_str(),
        row.deleted,
        row.meta_path,
        row.alias,
        serde_json::to_string(&row.tags).unwrap_or_default(),
        row.pid,
        row.hostname,
        row.has_meta,
        row.created_at,
        row.created_at_is_guess,
        row.started_at,
        row.ended_at,
        row.recorded_status,
        number(&REASONS, &row.recorded_reason),
        row.best_metric_name,
        row.best_metric_value,
        row.best_metric_step,
        row.best_metric_mode,
        i64::try_from(row.assets_count).unwrap_or(i64::MAX),
        row.last_write_at,
        row.problem,
    ])?;
    Ok(())
}
