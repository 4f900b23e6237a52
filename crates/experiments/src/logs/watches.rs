//! Watches of single folders, all through one handle of the system, which gives out few. Where a folder cannot be watched (a network
//! file system, no watches left) nobody is woken, so a follower also looks by itself now and then.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use parking_lot::Mutex;

type Wake = dyn Fn() + Send + Sync;

/// Folders that are watched.
#[derive(Default)]
pub struct FolderWatches {
    shared: Arc<Shared>,
    watcher: Arc<Mutex<Option<RecommendedWatcher>>>,
}

#[derive(Default)]
struct Shared {
    wakes: Mutex<HashMap<PathBuf, Vec<Weak<Wake>>>>,
}

/// A watch; ends when dropped.
pub struct FolderWatch {
    folder: PathBuf,
    /// Whether the system reports changes.
    works: bool,
    shared: Arc<Shared>,
    watcher: Weak<Mutex<Option<RecommendedWatcher>>>,
    wake: Option<Arc<Wake>>,
}

impl std::fmt::Debug for FolderWatches {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "FolderWatches({})",
            self.shared.wakes.lock().len()
        )
    }
}

impl std::fmt::Debug for FolderWatch {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "FolderWatch({}, {})",
            self.folder.display(),
            self.works
        )
    }
}

impl FolderWatches {
    /// Calls `wake` from another thread whenever something happens directly in `folder`.
    pub fn watch(&self, folder: &Path, wake: impl Fn() + Send + Sync + 'static) -> FolderWatch {
        let wake: Arc<Wake> = Arc::new(wake);
        let mut watcher = self.watcher.lock();
        if watcher.is_none() {
            *watcher = self.start();
        }
        let mut wakes = self.shared.wakes.lock();
        let known = wakes.entry(folder.to_owned()).or_default();
        let is_new = known.is_empty();
        known.push(Arc::downgrade(&wake));
        drop(wakes);
        let works = match watcher.as_mut() {
            Some(watcher) if is_new => watcher
                .watch(folder, RecursiveMode::NonRecursive)
                .inspect_err(
                    |error| tracing::debug!(folder = %folder.display(), %error, "not watched"),
                )
                .is_ok(),
            watcher => watcher.is_some(),
        };
        FolderWatch {
            folder: folder.to_owned(),
            works,
            shared: Arc::clone(&self.shared),
            watcher: Arc::downgrade(&self.watcher),
            wake: Some(wake),
        }
    }

    fn start(&self) -> Option<RecommendedWatcher> {
        let shared = Arc::downgrade(&self.shared);
        let handler = move |event: notify::Result<notify::Event>| {
            let Some(shared) = shared.upgrade() else {
                return;
            };
            match event {
                Ok(event) if event.kind.is_access() => (),
                Ok(event) if event.need_rescan() => shared.wake_all(),
                Ok(event) => event.paths.iter().for_each(|path| shared.wake(path)),
                Err(_) => shared.wake_all(),
            }
        };
        notify::recommended_watcher(handler)
            .inspect_err(|error| tracing::info!(%error, "folders are not watched"))
            .ok()
    }
}

impl Shared {
    fn wake(&self, path: &Path) {
        let wakes = self.wakes.lock();
        let folder = path.parent().unwrap_or(path);
        let waiting: Vec<_> = [folder, path]
            .iter()
            .filter_map(|folder| wakes.get(*folder))
            .flatten()
            .filter_map(Weak::upgrade)
            .collect();
        drop(wakes);
        for wake in waiting {
            wake();
        }
    }

    fn wake_all(&self) {
        let waiting: Vec<_> = self
            .wakes
            .lock()
            .values()
            .flatten()
            .filter_map(Weak::upgrade)
            .collect();
        for wake in waiting {
            wake();
        }
    }
}

impl FolderWatch {
    /// Whether the system reports changes here.
    pub fn works(&self) -> bool {
        self.works
    }
}

impl Drop for FolderWatch {
    fn drop(&mut self) {
        self.wake = None;
        let Some(watcher) = self.watcher.upgrade() else {
            return;
        };
        let mut watcher = watcher.lock();
        let mut wakes = self.shared.wakes.lock();
        let Some(known) = wakes.get_mut(&self.folder) else {
            return;
        };
        known.retain(|wake| wake.strong_count() > 0);
        if known.is_empty() {
            wakes.remove(&self.folder);
            drop(wakes);
            if let Some(Err(error)) = watcher
                .as_mut()
                .map(|watcher| watcher.unwatch(&self.folder))
            {
                tracing::trace!(%error, folder = %self.folder.display(), "was not watched any more");
            }
        }
    }
}
