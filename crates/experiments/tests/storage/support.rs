//! Roots made for a test.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use runicorn_experiments::{ProcessTable, RunList, RunStore, StoreConfig};
use tempfile::TempDir;

/// Longer than anything takes on a busy machine.
pub(crate) const LONG: Duration = Duration::from_secs(30);
/// The name of this machine in the tests.
pub(crate) const HOST: &str = "fixture-host";

/// A root in a temporary folder, with our own folders beside it.
pub(crate) struct Root {
    pub(crate) folder: TempDir,
}

impl Root {
    pub(crate) fn empty() -> Self {
        let root = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        std::fs::create_dir_all(root.path().join("runs")).unwrap();
        root
    }

    /// A copy of a recorded root.
    pub(crate) fn of(fixture: &str) -> Self {
        let root = Self::empty();
        let from = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../fixtures")
            .join(fixture);
        copy(&from, &root.path());
        root
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    /// Writes a file below the root.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let file = self.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, content).unwrap();
    }

    /// A finished run with a few members.
    pub(crate) fn run(&self, directory: &str, created_at: u32) {
        self.write(
            &format!("{directory}/meta.json"),
            format!(r#"{{"created_at": {created_at}.5, "pid": 7, "hostname": "there"}}"#),
        );
        self.write(
            &format!("{directory}/status.json"),
            r#"{"status": "finished", "started_at": 1.0}"#,
        );
    }

    pub(crate) fn config(&self) -> StoreConfig {
        StoreConfig {
            root: self.path(),
            cache_dir: self.cache(),
            state_dir: self.folder.path().join("state"),
            host_name: Some(HOST.to_owned()),
            processes: Some(Arc::new(OnlyInit)),
        }
    }

    pub(crate) fn store(&self) -> Arc<RunStore> {
        let store = RunStore::open(self.config()).unwrap();
        assert!(store.complete_list(LONG).is_complete());
        store
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A machine on which only process 1 lives, and always has.
#[derive(Debug)]
struct OnlyInit;

impl ProcessTable for OnlyInit {
    fn started_at(&self, pid: u32) -> Option<f64> {
        (pid == 1).then_some(0.0)
    }
}

/// The ids of a list, in its order.
pub(crate) fn ids(list: &RunList) -> Vec<String> {
    list.rows().map(|row| row.id.to_string()).collect()
}

/// Asks until the answer is as wanted.
pub(crate) fn until<T: fmt::Debug>(
    what: &str,
    mut ask: impl FnMut() -> T,
    wanted: impl Fn(&T) -> bool,
) -> T {
    let started = Instant::now();
    loop {
        let answer = ask();
        if wanted(&answer) {
            return answer;
        }
        assert!(
            started.elapsed() < LONG,
            "{what} did not come about: {answer:?}"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

impl Root {
    /// Every file below the root with its content, by name.
    pub(crate) fn listing(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        let mut folders = vec![self.path()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    files.push((path.clone(), Vec::new()));
                    folders.push(path);
                } else {
                    files.push((path.clone(), std::fs::read(&path).unwrap()));
                }
            }
        }
        files.sort();
        files
    }
}
