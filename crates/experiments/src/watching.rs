//! Watches folders for changes, as many as the system lets us, and says which ones nobody watches.
//!
//! The system limits watches for each user, and network file systems report nothing that another machine does. So watching only saves
//! work: whatever is not watched is looked at again every two seconds while somebody is looking.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use parking_lot::Mutex;

use crate::run_dir::RootDir;

/// Whether folders are watched for changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Watch {
    /// Where the file system reports every change.
    #[default]
    WherePossible,
    /// Never: everything is looked at again, as on a network file system.
    Never,
}

/// Most folders that are watched.
const MOST_WATCHES: usize = 4096;

/// What was reported and not yet taken: directories below the root.
#[derive(Debug, Default)]
pub(crate) struct Reported {
    /// Directories in which, or to which, something happened.
    pub(crate) directories: HashSet<String>,
    /// Names that came, went or changed; a watch on one of them may have gone with it.
    pub(crate) named: HashSet<String>,
    /// Something was lost, or is not known in detail: everything must be looked at.
    pub(crate) everything: bool,
}

/// Most directories that are remembered one by one.
const MOST_REPORTED: usize = 20_000;

impl Reported {
    fn add(&mut self, directory: String) {
        if self.directories.len() >= MOST_REPORTED {
            self.everything = true;
            self.directories.clear();
            self.named.clear();
        } else if !self.everything {
            self.directories.insert(directory);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.directories.is_empty() && !self.everything
    }
}

/// Watches folders of one root.
#[derive(Debug)]
pub(crate) struct Watching {
    root: PathBuf,
    watcher: Option<RecommendedWatcher>,
    watched: HashSet<String>,
    budget: usize,
}

impl Watching {
    /// Prepares to watch a root. `report` is called from the watcher's thread after something was added to `reported`.
    pub(crate) fn new(
        root: &RootDir,
        wanted: Watch,
        reported: &Arc<Mutex<Reported>>,
        report: impl Fn() + Send + 'static,
    ) -> Self {
        let mut watching = Self {
            root: root.path.clone(),
            watcher: None,
            watched: HashSet::new(),
            budget: 0,
        };
        if wanted == Watch::Never || !reports_all_changes(&root.path) {
            return watching;
        }
        let base = root.path.clone();
        let reported = Arc::clone(reported);
        let handler = move |event: notify::Result<notify::Event>| {
            if note(&base, event, &mut reported.lock()) {
                report();
            }
        };
        match notify::recommended_watcher(handler) {
            Ok(watcher) => {
                watching.watcher = Some(watcher);
                watching.budget = budget();
            }
            Err(error) => tracing::info!(%error, "folders are not watched"),
        }
        watching
    }

    /// Whether another folder may be watched.
    pub(crate) fn has_room(&self) -> bool {
        self.watcher.is_some() && self.watched.len() < self.budget
    }

    /// Watches a folder below the root; true when changes in it will be reported from now on.
    pub(crate) fn watch(&mut self, directory: &str) -> bool {
        if self.watched.contains(directory) {
            return true;
        }
        if !self.has_room() {
            return false;
        }
        let Some(watcher) = &mut self.watcher else {
            return false;
        };
        let folder = self.root.join(directory);
        if !reports_all_changes(&folder) {
            return false; // another file system, mounted below the root
        }
        match watcher.watch(&folder, RecursiveMode::NonRecursive) {
            Ok(()) => {
                self.watched.insert(directory.to_owned());
                true
            }
            Err(error) => {
                if matches!(error.kind, notify::ErrorKind::MaxFilesWatch) {
                    self.budget = self.watched.len();
                }
                tracing::debug!(%error, directory, "not watched");
                false
            }
        }
    }

    /// Stops watching a folder.
    pub(crate) fn unwatch(&mut self, directory: &str) {
        if self.watched.remove(directory)
            && let Some(watcher) = &mut self.watcher
            && let Err(error) = watcher.unwatch(&self.root.join(directory))
        {
            tracing::trace!(%error, directory, "was not watched any more");
        }
    }

    /// The folders that are watched.
    pub(crate) fn watched(&self) -> &HashSet<String> {
        &self.watched
    }
}

/// Notes what an event says; true when somebody should look.
fn note(base: &Path, event: notify::Result<notify::Event>, reported: &mut Reported) -> bool {
    let event = match event {
        Ok(event) if is_change(event.kind) => event,
        Ok(_) => return false,
        Err(error) => {
            tracing::debug!(%error, "a watch failed");
            reported.everything = true;
            return true;
        }
    };
    if event.need_rescan() {
        reported.everything = true;
    }
    for path in &event.paths {
        let Ok(below) = path.strip_prefix(base) else {
            continue;
        };
        let Some(below) = below.to_str() else {
            continue;
        };
        let below = below.replace(std::path::MAIN_SEPARATOR, "/");
        if let Some((parent, name)) = below.rsplit_once('/') {
            if crate::layout::is_lock_or_temporary(name) {
                continue;
            }
            reported.add(parent.to_owned());
        }
        if !matches!(
            event.kind,
            EventKind::Modify(ModifyKind::Data(_)) | EventKind::Access(_)
        ) {
            reported.named.insert(below.clone());
        }
        reported.add(below);
    }
    !reported.is_empty()
}

fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => false,
        _ => true,
    }
}

/// Whether a folder lies on a file system that only this machine changes. Anything not known to be such a one may be shared.
#[cfg(target_os = "linux")]
fn reports_all_changes(folder: &Path) -> bool {
    // Magic numbers, mostly from linux/magic.h.
    const LOCAL: [u32; 14] = [
        0xEF53,      // ext2, ext3, ext4
        0x5846_5342, // xfs
        0x9123_683E, // btrfs
        0xF2F5_2010, // f2fs
        0xCA45_1A4E, // bcachefs
        0x2FC1_2FC1, // zfs
        0x0102_1994, // tmpfs
        0x8584_58F6, // ramfs
        0x794C_7630, // overlayfs
        0x3153_464A, // jfs
        0x5265_4973, // reiserfs
        0x7366_746E, // ntfs3
        0x2011_BAB0, // exfat
        0x4D44,      // vfat
    ];
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the numbers have 32 bits"
    )]
    rustix::fs::statfs(folder).is_ok_and(|about| LOCAL.contains(&(about.f_type as u32)))
}

#[cfg(not(target_os = "linux"))]
fn reports_all_changes(_folder: &Path) -> bool {
    true
}

/// A quarter of what one user may watch, so that editors and the rest of the desktop keep theirs.
#[cfg(target_os = "linux")]
fn budget() -> usize {
    let limit = std::fs::read_to_string("/proc/sys/fs/inotify/max_user_watches");
    let limit = limit
        .ok()
        .and_then(|text| text.trim().parse::<usize>().ok());
    (limit.unwrap_or(8192) / 4).min(MOST_WATCHES)
}

#[cfg(not(target_os = "linux"))]
fn budget() -> usize {
    MOST_WATCHES
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_change_in_a_watched_folder_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap();
        std::fs::create_dir_all(path.join("runs/a")).unwrap();
        let root = RootDir::open(&path).unwrap();
        let reported = Arc::new(Mutex::new(Reported::default()));
        let (sender, receiver) = mpsc::channel();
        let mut watching = Watching::new(&root, Watch::WherePossible, &reported, move || {
            sender.send(()).unwrap_or_default();
        });
        if !watching.watch("runs/a") {
            eprintln!("skipped: this file system reports no changes");
            return;
        }
        std::fs::write(path.join("runs/a/meta.json"), "{}").unwrap();
        receiver.recv_timeout(Duration::from_secs(20)).unwrap();
        assert!(reported.lock().directories.contains("runs/a"));
        watching.unwatch("runs/a");
        assert!(watching.watched().is_empty());
    }

    #[test]
    fn reading_and_locking_are_no_changes() {
        let mut reported = Reported::default();
        let event = |kind, path: &str| Ok(notify::Event::new(kind).add_path(PathBuf::from(path)));
        let opened = EventKind::Access(AccessKind::Open(AccessMode::Read));
        let created = EventKind::Create(notify::event::CreateKind::File);
        assert!(!note(
            Path::new("/r"),
            event(opened, "/r/runs/a"),
            &mut reported
        ));
        assert!(!note(
            Path::new("/r"),
            event(created, "/r/runs/a/status.json.lock"),
            &mut reported
        ));
        assert!(note(
            Path::new("/r"),
            event(created, "/r/runs/a/status.json"),
            &mut reported
        ));
    }

    #[test]
    fn a_flood_of_changes_asks_for_a_look_at_everything() {
        let mut reported = Reported::default();
        for at in 0..=MOST_REPORTED {
            reported.add(at.to_string());
        }
        assert!(reported.everything && reported.directories.is_empty());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_system_that_is_not_known_to_be_local_is_not_watched() {
        assert!(reports_all_changes(Path::new("/dev/shm")), "tmpfs");
        assert!(!reports_all_changes(Path::new("/proc")));
        assert!(!reports_all_changes(Path::new("/nothing/here")));
    }
}
