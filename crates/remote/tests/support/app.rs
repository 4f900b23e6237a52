//! An app on this side, and what it leaves on the far side.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use runicorn_remote::secrets::MemoryStore;
use runicorn_remote::{
    Connector, Remote, RemoteConfig, RemoteResult, SessionInfo, SessionStatus, StartViewer, Target,
    Times, ViewerBuild, ViewerWish,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::local::Local;
use super::relay::Relay;
use super::sshd::{Sshd, processes_of, program, run};

/// Far more than anything takes on a slow machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// One app of one user.
pub(crate) struct App {
    pub(crate) remote: Remote,
    local: Local,
}

/// Times that make a test short; the lease is longer than any hiccup of a slow machine.
pub(crate) fn times() -> Times {
    Times {
        beat: Duration::from_millis(250),
        lease: Duration::from_secs(30),
        grace: Duration::from_secs(3),
        back_off: vec![Duration::from_millis(100), Duration::from_millis(400)],
        ..Times::default()
    }
}

/// As [`times`], for tests that wait for the end of a lease.
pub(crate) fn short_lease() -> Times {
    Times {
        lease: Duration::from_secs(4),
        ..times()
    }
}

impl App {
    /// An app whose user knows these servers, and that carries our viewer.
    pub(crate) fn knowing(servers: &[&Sshd], viewer: &ViewerBuild) -> Self {
        Self::with(servers, times(), vec![viewer.clone()])
    }

    /// With times and viewers of its own.
    pub(crate) fn with(servers: &[&Sshd], times: Times, viewer_builds: Vec<ViewerBuild>) -> Self {
        let local = Local::knowing(servers);
        let remote = Remote::new(RemoteConfig {
            dialer: local.config(),
            secrets: Arc::new(MemoryStore::new("a test".to_owned())),
            viewer_builds,
            sdk_config_dir: None,
            times,
        });
        Self { remote, local }
    }

    /// Where a server is when a relay stands before it.
    pub(crate) fn behind(&self, relay: &Relay, sshd: &Sshd) -> Target {
        self.local.know(&sshd.known_hosts_at(relay.port()));
        Target::new(sshd.username(), "127.0.0.1", relay.port()).unwrap()
    }

    /// Starts a viewer.
    pub(crate) async fn start(&self, request: StartViewer) -> RemoteResult<SessionInfo> {
        self.remote.start_viewer(request).await
    }

    /// Waits until a session is as wanted.
    pub(crate) async fn wait_for(
        &self,
        id: &str,
        what: &str,
        is_so: impl Fn(&SessionInfo) -> bool,
    ) -> SessionInfo {
        let mut events = self.remote.events();
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                let info = self.remote.session(id).unwrap();
                if is_so(&info) {
                    return info;
                }
                // Whatever the event is, or how many were missed.
                drop(tokio::time::timeout(Duration::from_millis(200), events.recv()).await);
            }
        });
        waited
            .await
            .unwrap_or_else(|_| panic!("not {what}: {:?}", self.remote.session(id)))
    }

    /// Waits until it works.
    pub(crate) async fn wait_for_running(&self, id: &str) -> SessionInfo {
        self.wait_for(id, "running", |info| info.status == SessionStatus::Running)
            .await
    }

    /// What the viewer of a session answers.
    pub(crate) async fn health(&self, id: &str) -> String {
        let port = self.remote.session(id).unwrap().remote_port;
        ask(&self.remote.connector(id).unwrap(), port, "/api/health").await
    }
}

/// What is wanted on a server, with our own viewer.
pub(crate) fn bundled(sshd: &Sshd) -> StartViewer {
    StartViewer {
        target: sshd.target(),
        credentials: sshd.credentials(),
        remote_root: root(sshd).display().to_string(),
        environment: None,
        viewer: ViewerWish::Bundled,
        remote_port: None,
    }
}

/// What is wanted on a server, with a Python viewer.
pub(crate) fn python(sshd: &Sshd, interpreter: &Path) -> StartViewer {
    StartViewer {
        environment: Some(interpreter.display().to_string()),
        viewer: ViewerWish::Python,
        ..bundled(sshd)
    }
}

/// A storage root that everybody can write.
pub(crate) fn root(sshd: &Sshd) -> PathBuf {
    let root = sshd.folder().join("it's a root");
    fs::create_dir_all(&root).unwrap();
    fs::set_permissions(&root, fs::Permissions::from_mode(0o777)).unwrap();
    root
}

/// The answer to a GET, whole. A viewer on a port wants to be called by it.
pub(crate) async fn ask(connector: &Connector, port: u16, path: &str) -> String {
    let mut stream = connector.connect().await.unwrap();
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// Waits until something is so.
pub(crate) async fn eventually<T>(what: &str, mut look: impl FnMut() -> Result<(), T>)
where
    T: std::fmt::Debug,
{
    let until = tokio::time::Instant::now() + PATIENCE;
    loop {
        match look() {
            Ok(()) => return,
            Err(seen) if tokio::time::Instant::now() > until => panic!("not {what}: {seen:?}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Waits until nothing of our sessions is left on a server: no process, no socket, no file.
pub(crate) async fn nothing_left(sshd: &Sshd) {
    eventually("empty", || {
        let left = left_over(sshd);
        if left.is_empty() { Ok(()) } else { Err(left) }
    })
    .await;
}

/// Processes of the far side that are not those of a login, and files of sessions.
pub(crate) fn left_over(sshd: &Sshd) -> Vec<String> {
    let mut left: Vec<String> = far_processes(sshd)
        .into_iter()
        .map(|(pid, line)| format!("{pid} {}", line.chars().take(200).collect::<String>()))
        .collect();
    for place in places(sshd) {
        for entry in fs::read_dir(place.join("sessions"))
            .into_iter()
            .flatten()
            .flatten()
        {
            left.push(entry.path().display().to_string());
        }
        let parts = fs::read_dir(place.join("viewers"))
            .into_iter()
            .flatten()
            .flatten();
        left.extend(
            parts
                .filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b"."))
                .map(|entry| entry.path().display().to_string()),
        );
    }
    left
}

/// Every folder where something of ours may lie.
fn places(sshd: &Sshd) -> Vec<PathBuf> {
    let shared = format!("runicorn-desktop-{}", sshd.uid());
    vec![
        sshd.home().join(".cache/runicorn-desktop"),
        sshd.home().join(".local/state/runicorn-desktop"),
        Path::new("/tmp").join(&shared),
        Path::new("/var/tmp").join(&shared),
        Path::new("/dev/shm").join(&shared),
    ]
}

/// Removes what a test put into folders that all users share.
pub(crate) fn clear_shared_places(sshd: &Sshd) {
    for place in places(sshd).into_iter().skip(2) {
        fs::remove_dir_all(place).unwrap_or_default();
    }
}

/// Number and command line of the processes that were started over there.
pub(crate) fn far_processes(sshd: &Sshd) -> Vec<(u32, String)> {
    let home = format!("HOME={}", sshd.home().display());
    processes_of(sshd.uid())
        .into_iter()
        .filter_map(|pid| {
            // Those that are just ending have neither.
            let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
            let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
            let is_ours = environment
                .split(|byte| *byte == 0)
                .any(|entry| entry == home.as_bytes());
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            (is_ours && !line.is_empty()).then_some((pid, line))
        })
        .collect()
}

/// The viewer processes of the far side.
pub(crate) fn viewers(sshd: &Sshd) -> Vec<u32> {
    far_processes(sshd)
        .into_iter()
        .filter(|(_, line)| {
            (line.contains("--remote-mode") && !line.contains("runicorn-desktop-keeper"))
                && !line.starts_with("/bin/sh")
        })
        .map(|(pid, _)| pid)
        .collect()
}

/// The debug build of our viewer, small enough to be sent in a test. Packed once for each build.
pub(crate) fn packed_viewer(test: &str) -> Option<ViewerBuild> {
    let program_path = viewer_program();
    if !program_path.exists() {
        println!(
            "skipped: {test} needs {} (cargo build -p runicorn-server)",
            program_path.display()
        );
        return None;
    }
    let of = fs::metadata(&program_path).unwrap();
    let stamp = of.modified().unwrap().duration_since(std::time::UNIX_EPOCH);
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    fs::create_dir_all(&folder).unwrap();
    let packed = folder.join(format!(
        "viewer-{}-{}.gz",
        of.len(),
        stamp.unwrap().as_nanos()
    ));
    let lock = fs::File::create(folder.join("viewer.lock")).unwrap();
    lock.lock().unwrap();
    if !packed.exists() {
        let plain = folder.join("viewer.stripped");
        run(program("strip").arg("-o").arg(&plain).arg(&program_path));
        let output = program("gzip").arg("-1c").arg(&plain).output().unwrap();
        assert!(output.status.success());
        let part = folder.join("viewer.part");
        fs::write(&part, output.stdout).unwrap();
        fs::rename(part, &packed).unwrap();
    }
    Some(ViewerBuild {
        platform: format!("{}-linux", std::env::consts::ARCH),
        path: packed,
        is_gzip: true,
    })
}

/// `runicorn-viewer`, built before these tests: `RUNICORN_VIEWER`, or beside them.
fn viewer_program() -> PathBuf {
    let beside = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .unwrap()
        .join("debug/runicorn-viewer");
    std::env::var_os("RUNICORN_VIEWER").map_or(beside, PathBuf::from)
}

/// The interpreter that has the real Runicorn of a version (`rn6`, `rn7`); says what is skipped without one.
pub(crate) fn python_with(version: &str, test: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("RUNICORN_PYTHONS") else {
        println!("skipped: {test} needs RUNICORN_PYTHONS, a folder with {version}/bin/python");
        return None;
    };
    let python = PathBuf::from(folder).join(version).join("bin/python");
    assert!(python.exists(), "{} is missing", python.display());
    Some(python)
}
