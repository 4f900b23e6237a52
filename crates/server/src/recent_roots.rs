//! The storage roots that were shown before, kept in our state folder.

use std::path::{Path, PathBuf};

use parking_lot::Mutex;

use crate::state_file;

/// How many are kept.
const KEPT: usize = 10;
/// Ten paths are never larger.
const SIZE_LIMIT_BYTES: u64 = 1 << 20;

/// The list and its file.
pub(crate) struct RecentRoots {
    file: PathBuf,
    roots: Mutex<Vec<PathBuf>>,
}

impl RecentRoots {
    pub(crate) fn at(state_dir: &Path) -> Self {
        let file = state_dir.join("recent-roots.json");
        let roots = state_file::read(&file, SIZE_LIMIT_BYTES).unwrap_or_default();
        Self {
            file,
            roots: Mutex::new(roots),
        }
    }

    /// Latest first.
    pub(crate) fn list(&self) -> Vec<PathBuf> {
        self.roots.lock().clone()
    }

    /// Moves a root to the front, among those that other processes noted. That the list cannot be saved is no reason not to show the
    /// root.
    pub(crate) fn note(&self, root: &Path) {
        let mut roots = self.roots.lock();
        if roots.first().is_some_and(|first| first == root) {
            return;
        }
        let to_the_front = |roots: &mut Vec<PathBuf>| {
            roots.retain(|other| other != root);
            roots.insert(0, root.to_path_buf());
            roots.truncate(KEPT);
        };
        match state_file::change(&self.file, SIZE_LIMIT_BYTES, &*roots, to_the_front) {
            Ok(saved) => *roots = saved,
            Err(error) => {
                to_the_front(&mut roots);
                tracing::warn!(%error, file = %self.file.display(), "the list of recent roots is not saved");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_root_is_first_and_the_list_outlives_the_server() {
        let folder = tempfile::tempdir().unwrap();
        let recent = RecentRoots::at(folder.path());
        for root in ["/a", "/b", "/a"] {
            recent.note(Path::new(root));
        }
        for number in 0..20 {
            recent.note(&PathBuf::from(format!("/n{number}")));
        }
        recent.note(Path::new("/a"));
        let again = RecentRoots::at(folder.path()).list();
        assert_eq!(again.len(), KEPT);
        assert_eq!(again[..2], [PathBuf::from("/a"), PathBuf::from("/n19")]);
    }

    #[test]
    fn two_processes_keep_each_others_roots() {
        let folder = tempfile::tempdir().unwrap();
        let [one, other] = [(); 2].map(|()| RecentRoots::at(folder.path()));
        one.note(Path::new("/one"));
        other.note(Path::new("/other"));
        one.note(Path::new("/third"));
        let roots = RecentRoots::at(folder.path()).list();
        assert_eq!(roots, ["/third", "/other", "/one"].map(PathBuf::from));
    }

    #[test]
    fn a_damaged_list_is_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("recent-roots.json"), "[1, {").unwrap();
        assert!(RecentRoots::at(folder.path()).list().is_empty());
    }
}
