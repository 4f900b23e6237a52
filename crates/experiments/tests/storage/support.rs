//! Roots made for a test.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use runicorn_experiments::{ProcessTable, RunList, RunStore, StoreConfig, Watch};
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
        Self::in_folder(tempfile::tempdir().unwrap())
    }

    /// An empty root in memory where the system has such a place, for tests with many files.
    pub(crate) fn in_memory() -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        Self::in_folder(folder.unwrap())
    }

    fn in_folder(folder: TempDir) -> Self {
        let root = Self { folder };
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
            ..StoreConfig::default()
        }
    }

    pub(crate) fn store(&self) -> Arc<RunStore> {
        self.store_watching(Watch::WherePossible)
    }

    pub(crate) fn store_watching(&self, watch: Watch) -> Arc<RunStore> {
        let config = StoreConfig {
            watch,
            ..self.config()
        };
        let store = RunStore::open(config).unwrap();
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

/// Runs the test of that name once more as an ordinary user, when this process is the administrator, whom no permission stops; true
/// when that was done and the caller has nothing left to do.
#[cfg(target_os = "linux")]
pub(crate) fn was_run_as_an_ordinary_user(test: &str) -> bool {
    use std::os::fd::AsRawFd;
    if !rustix::process::geteuid().is_root() {
        return false;
    }
    // reached through this handle, because the folder of the program may be closed to others
    let program = std::fs::File::open(std::env::current_exe().unwrap()).unwrap();
    rustix::io::fcntl_setfd(&program, rustix::io::FdFlags::empty()).unwrap();
    #[expect(
        clippy::disallowed_methods,
        reason = "this very program under another user, waited for here"
    )]
    let mut command = std::process::Command::new("setpriv");
    let output = command
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(format!("/proc/self/fd/{}", program.as_raw_fd()))
        .args(["--exact", test, "--nocapture"])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .current_dir("/")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
    assert!(said.contains("1 passed"), "{said}");
    true
}

/// A folder that answers nobody, as one of a dead network mount does: a file system in user space whose server is this process, which
/// never answers. Everything that waits for it fails when this is dropped.
#[cfg(target_os = "linux")]
pub(crate) struct DeadMount {
    folder: PathBuf,
    server: Option<std::fs::File>,
}

#[cfg(target_os = "linux")]
impl DeadMount {
    /// Mounts over a folder; `None`, with a printed reason, where this process may not.
    pub(crate) fn over(folder: &Path) -> Option<Self> {
        use std::os::fd::AsRawFd;
        let device = std::fs::File::options()
            .read(true)
            .write(true)
            .open("/dev/fuse");
        let mounted = device
            .map_err(|error| error.to_string())
            .and_then(|server| {
                let options = format!(
                    "fd={},rootmode=40000,user_id=0,group_id=0",
                    server.as_raw_fd()
                );
                let options = std::ffi::CString::new(options).unwrap();
                let flags = rustix::mount::MountFlags::empty();
                rustix::mount::mount("dead", folder, "fuse", flags, Some(options.as_c_str()))
                    .map(|()| server)
                    .map_err(|error| error.to_string())
            });
        match mounted {
            Ok(server) => Some(Self {
                folder: folder.to_owned(),
                server: Some(server),
            }),
            Err(error) => {
                println!("skipped: no file system can be mounted here ({error})");
                None
            }
        }
    }

    /// Fails all who wait, and those who come later, with "not connected".
    pub(crate) fn disconnect(&mut self) {
        self.server = None;
    }
}

#[cfg(target_os = "linux")]
impl Drop for DeadMount {
    fn drop(&mut self) {
        self.disconnect();
        rustix::mount::unmount(&self.folder, rustix::mount::UnmountFlags::DETACH).unwrap();
    }
}
