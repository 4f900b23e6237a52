//! Writes into a storage root that survive being killed at any moment.
//!
//! A change is a short list of [`Step`]s. The list is written and synced into our state folder first; then the steps
//! take effect one by one, each by a rename (or an unlink), so a reader sees the old state or the new one, never half
//! of a file. The list is removed when all is done. At the next start an unfinished list is carried to its end; a step
//! whose ground has changed meanwhile is left alone.
//!
//! `<state>/journal/<root key>/<instance>/<number>.json`: each running process owns one instance folder and holds a lock
//! on its `owner.lock`, so several processes on one root never replay each other's unfinished work. All paths in steps
//! are relative to the root and are opened through a directory handle, so a step cannot leave the root.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::assets::sweep;
use crate::rename::rename_no_replace;
use crate::run_dir::RootDir;
use crate::sdk_database::{RowChange, RowQueue};

/// Folder inside a root that holds what is being imported or thrown away. Readers skip it; it is gone when idle.
pub(crate) const WORK_FOLDER: &str = ".runicorn-desktop";
/// Longest file that a [`Step::Replace`] may concern, in bytes.
const REPLACE_LIMIT_BYTES: u64 = 16 << 20;
/// Longest journal entry that is read back, in bytes.
const ENTRY_LIMIT_BYTES: u64 = 256 << 20;
const OWNER_LOCK: &str = "owner.lock";
const WRITE_LOCK: &str = "write.lock";

/// One effect on the root. Applying a step that already happened does nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
// not internally tagged: serde_json with `arbitrary_precision` cannot read a float back from that form
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// Give a small text file new content; `old` is what it holds now (`None`: it does not exist).
    Replace {
        path: String,
        old: Option<String>,
        new: String,
    },
    /// Move a file or folder; never over an existing one. Missing parents of `to` are made.
    Rename { from: String, to: String },
    /// Unlink one file.
    Remove { path: String },
    /// Take a file or a whole folder out of sight by one rename, then delete it.
    Discard { path: String },
    /// Remove a folder if it is empty.
    RemoveEmpty { path: String },
    /// Remove those of the named manifests and blobs that no run uses at this moment; looked up anew whenever it is carried out.
    Sweep {
        manifests: Vec<String>,
        blobs: Vec<String>,
    },
    /// Tell the SDK's databases. Files come first: this never fails, what a busy database refuses is tried again later.
    Rows { changes: Vec<RowChange> },
}

impl Step {
    /// Changes nothing; what follows is done only while a small text file holds this.
    pub(crate) fn unless_changed(path: String, text: String) -> Self {
        Self::Replace {
            path,
            old: Some(text.clone()),
            new: text,
        }
    }

    fn is_condition(&self) -> bool {
        matches!(self, Self::Replace { old: Some(old), new, .. } if old == new)
    }
}

#[derive(Serialize, Deserialize)]
struct Entry {
    version: u32,
    root: String,
    steps: Vec<Step>,
}

/// The journal of one root, owned by this process.
pub(crate) struct Journal {
    root: PathBuf,
    home: PathBuf,
    instance: String,
    _owner: File,
    next: AtomicU64,
    one_writer: Mutex<()>,
    rows: RowQueue,
    #[cfg(test)]
    pub(crate) actions_until_crash: std::sync::atomic::AtomicI64,
}

/// A change that has been announced in the journal and not yet taken effect.
pub(crate) struct Announced<'a> {
    journal: &'a Journal,
    number: u64,
}

impl Journal {
    /// Opens the journal of `root` below `state_dir`, finishing what dead processes left unfinished.
    pub(crate) fn open(root: &Path, state_dir: &Path) -> io::Result<Self> {
        let home = state_dir.join("journal").join(root_key(root));
        fs::create_dir_all(&home)?;
        let gate = lock_file(&home.join(WRITE_LOCK))?;
        let instance = instance_name();
        let dir = home.join(&instance);
        fs::create_dir(&dir)?;
        let owner = lock_file(&dir.join(OWNER_LOCK))?;
        let journal = Self {
            root: root.to_owned(),
            home,
            instance,
            _owner: owner,
            next: AtomicU64::new(1),
            one_writer: Mutex::new(()),
            rows: RowQueue::new(root, state_dir),
            #[cfg(test)]
            actions_until_crash: std::sync::atomic::AtomicI64::new(i64::MAX),
        };
        drop(gate);
        journal.recover_the_dead();
        Ok(journal)
    }

    /// Whether any process left or has something unfinished for `root`. Looks into our own folder only.
    pub(crate) fn has_entries(root: &Path, state_dir: &Path) -> bool {
        let home = state_dir.join("journal").join(root_key(root));
        let instances = fs::read_dir(home).into_iter().flatten().flatten();
        let mut entries =
            instances.flat_map(|instance| fs::read_dir(instance.path()).into_iter().flatten());
        entries.any(|entry| {
            entry.is_ok_and(|entry| entry.path().extension().is_some_and(|kind| kind == "json"))
        })
    }

    /// Announces and carries out `steps`. On an error everything done so far is undone.
    pub(crate) fn apply(&self, steps: &[Step]) -> io::Result<()> {
        if steps.is_empty() {
            return Ok(());
        }
        let number = self.announce_as(steps)?;
        Announced {
            journal: self,
            number,
        }
        .finish(steps)
    }

    /// Announces what is to happen if this process dies before [`Announced::commit`].
    pub(crate) fn announce(&self, if_we_die: &[Step]) -> io::Result<Announced<'_>> {
        let number = self.announce_as(if_we_die)?;
        Ok(Announced {
            journal: self,
            number,
        })
    }

    /// A name, unique among all processes, for a folder below [`WORK_FOLDER`].
    pub(crate) fn work_path(&self, kind: &str) -> String {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        format!("{WORK_FOLDER}/{kind}/{}-{number}", self.instance)
    }

    /// The directory handle all steps work through.
    pub(crate) fn root_dir(&self) -> io::Result<Dir> {
        Dir::open_ambient_dir(&self.root, ambient_authority())
    }

    /// What the SDK's databases have not been told yet.
    pub(crate) fn rows(&self) -> &RowQueue {
        &self.rows
    }

    fn announce_as(&self, steps: &[Step]) -> io::Result<u64> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.write_entry(number, steps)?;
        Ok(number)
    }

    fn write_entry(&self, number: u64, steps: &[Step]) -> io::Result<()> {
        let entry = Entry {
            version: 1,
            root: self.root.to_string_lossy().into_owned(),
            steps: steps.to_vec(),
        };
        let text = serde_json::to_vec(&entry).map_err(io::Error::other)?;
        let dir = self.home.join(&self.instance);
        let half = dir.join(format!("{number:08}.half"));
        self.act()?;
        let mut file = File::create(&half)?;
        file.write_all(&text)
            .and_then(|()| file.sync_all())
            .inspect_err(|_| drop(fs::remove_file(&half)))?;
        self.act()?;
        fs::rename(&half, dir.join(format!("{number:08}.json")))?;
        sync_folder(&dir)
    }

    fn remove_entry(&self, number: u64) -> io::Result<()> {
        self.act()?;
        let dir = self.home.join(&self.instance);
        fs::remove_file(dir.join(format!("{number:08}.json")))?;
        sync_folder(&dir)
    }

    /// Every effect on a disk passes here, so that a test can stop the world before any of them.
    #[cfg(test)]
    fn act(&self) -> io::Result<()> {
        if self.actions_until_crash.fetch_sub(1, Ordering::SeqCst) <= 0 {
            return Err(io::Error::other("crashed on request"));
        }
        Ok(())
    }

    #[cfg(not(test))]
    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "the test build stops here"
    )]
    fn act(&self) -> io::Result<()> {
        Ok(())
    }

    #[cfg(test)]
    fn crashed(&self) -> bool {
        self.actions_until_crash.load(Ordering::SeqCst) < 0
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "the test build answers here")]
    fn crashed(&self) -> bool {
        false
    }

    /// Carries to their end the changes of processes that are dead, and says how many folders of theirs went. What cannot be done
    /// now, because the root is away or cannot be written, stays for the next call.
    pub(crate) fn recover_the_dead(&self) -> usize {
        let (Ok(_gate), Ok(instances)) = (
            lock_file(&self.home.join(WRITE_LOCK)),
            fs::read_dir(&self.home),
        ) else {
            return 0;
        };
        let mut recovered = 0;
        for instance in instances.flatten() {
            let name = instance.file_name().to_string_lossy().into_owned();
            if name == self.instance || !instance.path().is_dir() {
                continue;
            }
            let Ok(owner) = File::options()
                .create(true)
                .truncate(false)
                .write(true)
                .open(instance.path().join(OWNER_LOCK))
            else {
                continue;
            };
            if owner.try_lock().is_err() {
                continue; // alive
            }
            match self.recover(&instance.path(), &name) {
                Ok(()) => {
                    drop(fs::remove_dir_all(instance.path()));
                    recovered += 1;
                }
                Err(error) => {
                    tracing::warn!(%error, journal = %instance.path().display(), "unfinished changes wait until the root can be written");
                }
            }
        }
        recovered
    }

    fn recover(&self, folder: &Path, instance: &str) -> io::Result<()> {
        let mut entries: Vec<PathBuf> = fs::read_dir(folder)?
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|kind| kind == "json"))
            .collect();
        if entries.is_empty() {
            return Ok(());
        }
        entries.sort();
        let root = self.root_dir()?;
        for path in entries {
            let mut text = Vec::new();
            File::open(&path)?
                .take(ENTRY_LIMIT_BYTES)
                .read_to_end(&mut text)?;
            match serde_json::from_slice::<Entry>(&text) {
                Ok(entry) if Path::new(&entry.root) == self.root => {
                    let number = path
                        .file_stem()
                        .map(|stem| stem.to_string_lossy().into_owned())
                        .unwrap_or_default();
                    self.replay(&root, &format!("{instance}-{number}"), &entry.steps)?;
                }
                other => {
                    tracing::error!(error = ?other.err(), entry = %path.display(), "a journal entry is not ours or not readable; it is put aside");
                    fs::rename(
                        &path,
                        self.home.join(format!(
                            "{instance}-{}.put-aside",
                            path.file_name().unwrap_or_default().to_string_lossy()
                        )),
                    )?;
                    continue;
                }
            }
            fs::remove_file(&path)?;
        }
        tidy_work_folder(&root);
        sync_folder(folder)
    }

    /// Carries the steps of a dead process to their end. What no longer fits is skipped.
    fn replay(&self, root: &Dir, label: &str, steps: &[Step]) -> io::Result<()> {
        for (index, step) in steps.iter().enumerate() {
            let label = format!("{label}-{index}");
            if let Step::Replace { path, .. } = step {
                ignore_missing(root.remove_file(half_path(path, &label)))?;
            }
            match self.step(root, &label, step) {
                Ok(()) => {}
                Err(error) if step.is_condition() && error.kind() == io::ErrorKind::InvalidData => {
                    tracing::info!(%error, "an unfinished change is no longer wanted");
                    return Ok(());
                }
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::NotFound
                            | io::ErrorKind::AlreadyExists
                            | io::ErrorKind::InvalidData
                    ) =>
                {
                    tracing::warn!(%error, ?step, "an unfinished change no longer fits and is left out");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn step(&self, root: &Dir, label: &str, step: &Step) -> io::Result<()> {
        match step {
            Step::Replace { path, old, new } => {
                self.replace(root, label, path, old.as_deref(), new)
            }
            Step::Rename { from, to } => self.rename(root, from, to),
            Step::Remove { path } => {
                self.act()?;
                ignore_missing(root.remove_file(path))?;
                sync_parent(root, path)
            }
            Step::Discard { path } => self.discard(root, label, path),
            Step::Sweep { manifests, blobs } => {
                self.act()?;
                sweep(
                    &Arc::new(RootDir {
                        path: self.root.clone(),
                        dir: root.try_clone()?,
                    }),
                    manifests,
                    blobs,
                )
            }
            Step::Rows { changes } => {
                self.act()?;
                self.rows.tell(changes);
                Ok(())
            }
            Step::RemoveEmpty { path } => {
                self.act()?;
                match root.remove_dir(path) {
                    Err(error)
                        if !matches!(
                            error.kind(),
                            io::ErrorKind::NotFound
                                | io::ErrorKind::DirectoryNotEmpty
                                | io::ErrorKind::NotADirectory
                        ) =>
                    {
                        Err(error)
                    }
                    _ => Ok(()),
                }
            }
        }
    }

    fn replace(
        &self,
        root: &Dir,
        label: &str,
        path: &str,
        old: Option<&str>,
        new: &str,
    ) -> io::Result<()> {
        let now = read_text(root, path)?;
        if now.as_deref() == Some(new) {
            return Ok(());
        }
        if now.as_deref() != old {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{path} was changed by someone else"),
            ));
        }
        let half = half_path(path, label);
        self.act()?;
        let written = write_synced(root, &half, path, new);
        if written.is_err() {
            drop(root.remove_file(&half));
        }
        written?;
        self.act()?;
        root.rename(&half, root, path)?;
        sync_parent(root, path)
    }

    fn rename(&self, root: &Dir, from: &str, to: &str) -> io::Result<()> {
        if !exists(root, from)? && exists(root, to)? {
            return Ok(());
        }
        self.act()?;
        if let Some(parent) = parent_of(to) {
            root.create_dir_all(parent)?;
        }
        self.act()?;
        rename_no_replace(root, from, to)?;
        sync_parent(root, to)?;
        sync_parent(root, from)
    }

    fn discard(&self, root: &Dir, label: &str, path: &str) -> io::Result<()> {
        let trash = format!("{WORK_FOLDER}/trash/{label}");
        if exists(root, path)? {
            self.act()?;
            let trashed = root
                .create_dir_all(format!("{WORK_FOLDER}/trash"))
                .and_then(|()| self.act())
                .and_then(|()| rename_no_replace(root, path, &trash));
            match trashed {
                Ok(()) => sync_parent(root, path)?,
                // another file system below the root, or no room for the folder: the journal makes up for the missing rename
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::CrossesDevices
                            | io::ErrorKind::StorageFull
                            | io::ErrorKind::QuotaExceeded
                    ) =>
                {
                    remove_whole(root, path)?;
                }
                Err(error) => return Err(error),
            }
        }
        self.act()?;
        remove_whole(root, &trash)?;
        tidy_work_folder(root);
        Ok(())
    }

    fn undo(&self, root: &Dir, label: &str, step: &Step) -> io::Result<()> {
        match step {
            Step::Replace {
                path,
                old: Some(old),
                new,
            } => self.replace(root, label, path, Some(new), old),
            Step::Replace {
                path, old: None, ..
            } => ignore_missing(root.remove_file(path)),
            Step::Rename { from, to } => self.rename(root, to, from),
            Step::Remove { .. }
            | Step::Discard { .. }
            | Step::RemoveEmpty { .. }
            | Step::Sweep { .. }
            | Step::Rows { .. } => Ok(()),
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if self.crashed() {
            return;
        }
        let dir = self.home.join(&self.instance);
        let unfinished = fs::read_dir(&dir).map(|entries| {
            entries
                .flatten()
                .any(|entry| entry.path().extension().is_some_and(|kind| kind == "json"))
        });
        if matches!(unfinished, Ok(false)) {
            drop(fs::remove_dir_all(dir));
        }
    }
}

impl Announced<'_> {
    /// Puts `steps` in the place of the announced ones and carries them out.
    pub(crate) fn commit(self, steps: &[Step]) -> io::Result<()> {
        self.journal.write_entry(self.number, steps)?;
        self.finish(steps)
    }

    /// Carries out the announced steps after all.
    pub(crate) fn abandon(self, announced: &[Step]) -> io::Result<()> {
        self.finish(announced)
    }

    fn finish(self, steps: &[Step]) -> io::Result<()> {
        let journal = self.journal;
        let outcome = self.carry_out(steps);
        if journal.crashed() {
            return outcome;
        }
        let removed = journal.remove_entry(self.number);
        outcome.and(removed)
    }

    fn carry_out(&self, steps: &[Step]) -> io::Result<()> {
        let journal = self.journal;
        let _one = journal.one_writer.lock();
        let _gate = lock_file(&journal.home.join(WRITE_LOCK))?;
        let root = journal.root_dir()?;
        let label = |index: usize| format!("{}-{:08}-{index}", journal.instance, self.number);
        for (index, step) in steps.iter().enumerate() {
            let Err(error) = journal.step(&root, &label(index), step) else {
                continue;
            };
            if !journal.crashed() {
                for (index, step) in steps.iter().enumerate().take(index).rev() {
                    if let Err(error) = journal.undo(&root, &label(index), step) {
                        tracing::error!(%error, ?step, "could not be undone");
                    }
                }
            }
            return Err(error);
        }
        Ok(())
    }
}

/// The text of a small file, `None` if it does not exist. `InvalidData` when it is too long or not UTF-8.
pub(crate) fn read_text(root: &Dir, path: &str) -> io::Result<Option<String>> {
    let file = match root.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(REPLACE_LIMIT_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > REPLACE_LIMIT_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("{path} is too long to be rewritten"),
        ));
    }
    String::from_utf8(bytes)
        .map(Some)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("{path}: {error}")))
}

/// True if something (a dangling link too) stands at `path`.
pub(crate) fn exists(root: &Dir, path: &str) -> io::Result<bool> {
    match root.symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

pub(crate) fn parent_of(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(parent, _)| parent)
}

fn write_synced(root: &Dir, half: &str, beside: &str, text: &str) -> io::Result<()> {
    let mut file = root.open_with(
        half,
        OpenOptions::new().write(true).create(true).truncate(true),
    )?;
    if let Ok(metadata) = root.symlink_metadata(beside) {
        file.set_permissions(metadata.permissions())?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Where the new content of `path` is written before it takes its place.
fn half_path(path: &str, label: &str) -> String {
    match path.rsplit_once('/') {
        Some((parent, name)) => format!("{parent}/.{name}.{label}.tmp"),
        None => format!(".{path}.{label}.tmp"),
    }
}

fn remove_whole(root: &Dir, path: &str) -> io::Result<()> {
    match root.symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => ignore_missing(root.remove_dir_all(path)),
        Ok(_) => ignore_missing(root.remove_file(path)),
        Err(error) => ignore_missing(Err(error)),
    }
}

/// Removes the empty folders of [`WORK_FOLDER`]; what is still in use stays.
fn tidy_work_folder(root: &Dir) {
    for folder in [
        format!("{WORK_FOLDER}/trash"),
        format!("{WORK_FOLDER}/import"),
        WORK_FOLDER.to_owned(),
    ] {
        drop(root.remove_dir(folder));
    }
}

fn ignore_missing(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn sync_parent(root: &Dir, path: &str) -> io::Result<()> {
    let parent = parent_of(path).unwrap_or(".");
    if !cfg!(unix) {
        return Ok(());
    }
    // a directory handle of cap-std may be one that cannot be synced; `.` opened as a file can
    match root.open_dir(parent).and_then(|dir| dir.open(".")) {
        Ok(dir) => sync_handle(&dir.into_std()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        sync_handle(&File::open(path)?)
    } else {
        Ok(())
    }
}

/// Syncs a directory. Some network file systems refuse; the rename stands all the same.
fn sync_handle(dir: &File) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    match dir.sync_all() {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
            ) =>
        {
            Ok(())
        }
        other => other,
    }
}

/// Opens and exclusively locks a file, waiting for it. The lock goes with the handle.
pub(crate) fn lock_file(path: &Path) -> io::Result<File> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)?;
    file.lock()?;
    Ok(file)
}

/// A short stable name for a root, used as folder name.
pub(crate) fn root_key(root: &Path) -> String {
    format!(
        "{:016x}",
        xxhash_rust::xxh3::xxh3_64(root.as_os_str().as_encoded_bytes())
    )
}

fn instance_name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let nanos = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |age| age.as_nanos());
    format!(
        "{}-{nanos:x}-{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    )
}

#[cfg(test)]
mod tests;
