//! What goes wrong outside of us: a root that hangs, is full, read-only or closed; and the one body in which every failure is told.

#![cfg(target_os = "linux")]

use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::mount::{MountFlags, UnmountFlags, mount, mount_remount, unmount};
use serde_json::{Value, json};

use crate::support::{Answer, RawCall, TestServer, scratch};
use crate::transfer::{import, one_run_zip};

const ID: &str = "20250101_000000_aaaaaa";
/// Longer than anything takes on a busy machine.
const LONG: Duration = Duration::from_secs(30);

/// A file system that was mounted for a test. `None`, with a printed reason, where this process may not.
struct Mounted {
    folder: PathBuf,
    /// What keeps a file system in user space connected.
    server: Option<std::fs::File>,
}

impl Mounted {
    fn new(
        folder: &Path,
        kind: &str,
        options: &str,
        server: Option<std::fs::File>,
    ) -> Option<Self> {
        let options = std::ffi::CString::new(options).unwrap();
        let flags = MountFlags::empty();
        match mount(kind, folder, kind, flags, Some(options.as_c_str())) {
            Ok(()) => Some(Self {
                folder: folder.to_owned(),
                server,
            }),
            Err(error) => {
                println!("skipped: no file system can be mounted here ({error})");
                None
            }
        }
    }

    /// A small file system in memory.
    fn small(folder: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir_all(folder).unwrap();
        Self::new(folder, "tmpfs", &format!("size={size}"), None)
    }

    /// One that answers nobody, as a dead network mount does: its server is this process, which never answers.
    fn dead(folder: &Path) -> Option<Self> {
        let mut options = std::fs::File::options();
        let Ok(server) = options.read(true).write(true).open("/dev/fuse") else {
            println!("skipped: /dev/fuse cannot be opened");
            return None;
        };
        let fd = server.as_raw_fd();
        let options = format!("fd={fd},rootmode=40000,user_id=0,group_id=0");
        Self::new(folder, "fuse", &options, Some(server))
    }

    /// Fills it to the last page.
    fn fill(&self) -> PathBuf {
        let filler = self.folder.join("filler");
        let mut bytes = Vec::new();
        for chunk in [1 << 16, 1 << 12, 1 << 10, 1 << 6, 1] {
            loop {
                bytes.resize(bytes.len() + chunk, b'x');
                if std::fs::write(&filler, &bytes).is_err() {
                    bytes.truncate(bytes.len() - chunk);
                    break;
                }
            }
        }
        drop(std::fs::write(&filler, &bytes));
        filler
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // first the server, so that nobody waits for it any more
        self.server = None;
        unmount(&self.folder, UnmountFlags::DETACH).unwrap();
    }
}

fn make_run(root: &Path, directory: &str) -> PathBuf {
    let run = root.join(directory);
    std::fs::create_dir_all(&run).unwrap();
    std::fs::write(run.join("meta.json"), r#"{"created_at": 1.0}"#).unwrap();
    std::fs::write(run.join("status.json"), r#"{"status": "finished"}"#).unwrap();
    run
}

/// A server on a root with one run in `runs/deep`.
async fn with_one_run() -> TestServer {
    let folder = scratch();
    make_run(&folder.path().join("root"), &format!("runs/deep/{ID}"));
    let server = TestServer::start(folder, |_| {}).await;
    assert_eq!(server.get(&run_url()).await.status, 200);
    server
}

fn run_url() -> String {
    format!("/api/runs/{ID}")
}

async fn rename(server: &TestServer, alias: &str) -> Answer {
    let body = json!({"alias": alias});
    server.call("PATCH", &run_url(), Some(body)).await
}

/// Status, code, and all four members of the one error body, which says something in each.
fn assert_failure(answer: &Answer, status: u16, code: &str) {
    let body = answer.json();
    assert_eq!(
        (answer.status, body["code"].as_str()),
        (status, Some(code)),
        "{body}"
    );
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let mut members: Vec<&str> = body
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    members.sort_unstable();
    let mut expected = vec!["code", "detail", "details", "error"];
    if status == 429 {
        expected.push("retry_after");
    }
    assert_eq!(members, expected, "{body}");
    for member in ["error", "details"] {
        assert!(
            body[member].as_str().is_some_and(|text| !text.is_empty()),
            "{body}"
        );
    }
    match &body["detail"] {
        Value::String(sentence) => assert!(!sentence.is_empty()),
        Value::Array(problems) => assert!(problems[0]["loc"].is_array(), "{body}"),
        other => assert!(other.is_object(), "{body}"),
    }
    let is_upper_snake = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    assert!(code.chars().all(is_upper_snake), "{code}");
}

async fn storage(server: &TestServer) -> Value {
    server.get("/api/run-list").await.json()["storage"].clone()
}

/// Asks until the root is in this state.
async fn until_storage_is(server: &TestServer, state: &str) {
    let started = Instant::now();
    while storage(server).await["state"] != state {
        assert!(started.elapsed() < LONG, "{}", storage(server).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_failure_has_the_four_members_of_the_one_body() {
    let folder = scratch();
    let config = folder.path().join("home/.config/runicorn");
    std::fs::create_dir_all(&config).unwrap();
    std::fs::create_dir_all(folder.path().join("root/runs")).unwrap();
    let rules = json!({"endpoints": {"/api/paths": {"max_requests": 1}}, "settings": {"enable_rate_limiting": true}});
    std::fs::write(config.join("rate_limits.json"), rules.to_string()).unwrap();
    let server = TestServer::start(folder, |_| {}).await;
    let json_call = |method: &str, path: &str, body: &str| {
        RawCall::new(method, path)
            .header("content-type", "application/json")
            .body(body.as_bytes().to_vec())
    };
    let huge = " ".repeat((8 << 20) + 1);
    let rename = format!("/api/runs/{ID}");
    for (call, status, code) in [
        (RawCall::new("GET", "/api/nothing"), 404, "NOT_FOUND"),
        (RawCall::new("GET", &rename), 404, "RUN_NOT_FOUND"),
        (
            RawCall::new("DELETE", "/api/health"),
            405,
            "METHOD_NOT_ALLOWED",
        ),
        (RawCall::new("POST", "/nothing"), 405, "METHOD_NOT_ALLOWED"),
        (RawCall::new("GET", "/api/unified/status"), 410, "GONE"),
        (
            RawCall::new("DELETE", "/api/runs/x/permanent"),
            400,
            "INVALID_RUN_ID",
        ),
        (
            json_call("POST", "/api/runs/soft-delete", "{}"),
            400,
            "RUN_IDS_REQUIRED",
        ),
        (
            json_call("POST", "/api/v2/experiments/batch-delete", "{}"),
            400,
            "EXP_IDS_REQUIRED",
        ),
        (
            json_call("POST", "/api/config/user_root_dir", r#"{"path": "x"}"#),
            400,
            "PATH_NOT_ABSOLUTE",
        ),
        (
            json_call("POST", "/api/config/column-widths", "{}"),
            422,
            "VALIDATION_FAILED",
        ),
        (
            json_call("POST", "/api/config/column-widths", "{cut"),
            422,
            "VALIDATION_FAILED",
        ),
        (
            json_call("POST", "/api/config/column-widths", &huge),
            413,
            "TOO_LARGE",
        ),
        (
            RawCall::new("GET", "/api/v2/experiments?page=0"),
            422,
            "VALIDATION_FAILED",
        ),
        (
            RawCall::new("GET", "/api/health").header("host", "evil.example"),
            403,
            "HOST_REFUSED",
        ),
        (
            RawCall::new("GET", "/api/health").header("origin", "null"),
            403,
            "ORIGIN_REFUSED",
        ),
        (
            RawCall::new("POST", "/api/import/archive"),
            422,
            "FILE_REQUIRED",
        ),
    ] {
        assert_failure(&server.send(call).await, status, code);
    }
    assert_failure(
        &import(&server, b"no archive".to_vec()).await,
        400,
        "BAD_ARCHIVE",
    );
    assert_eq!(server.get("/api/paths").await.status, 200);
    assert_failure(&server.get("/api/paths").await, 429, "RATE_LIMITED");
    std::fs::rename(server.root(), server.home().join("away")).unwrap();
    until_storage_is(&server, "missing").await;
    assert_failure(&server.get(&rename).await, 503, "STORAGE_UNAVAILABLE");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_starts_on_a_root_that_hangs_and_shows_its_runs_when_it_answers() {
    let folder = scratch();
    let root = folder.path().join("root");
    make_run(&root, &format!("runs/deep/{ID}"));
    let Some(mount) = Mounted::dead(&root) else {
        return;
    };
    let server = TestServer::start(folder, |_| {}).await;
    assert_eq!(server.get("/api/health").await.status, 200);
    until_storage_is(&server, "stale").await;
    assert_failure(&server.get(&run_url()).await, 503, "STORAGE_UNAVAILABLE");
    drop(mount);
    until_storage_is(&server, "ok").await;
    assert_eq!(server.get(&run_url()).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_root_that_stops_answering_ends_no_request_in_silence_and_is_used_again_when_it_answers()
{
    let server = with_one_run().await;
    // the folder of the run hangs first, so that the request is caught while it reads
    let Some(deep) = Mounted::dead(&server.root().join("runs/deep")) else {
        return;
    };
    let caught = async {
        let started = Instant::now();
        (server.get(&run_url()).await, started.elapsed())
    };
    let then_all = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        Mounted::dead(&server.root()).unwrap()
    };
    let ((answer, took), root) = tokio::join!(caught, then_all);
    assert_failure(&answer, 503, "STORAGE_UNAVAILABLE");
    assert!(took < LONG, "{took:?}");
    until_storage_is(&server, "stale").await;
    let list = server.get("/api/run-list").await.json();
    assert_eq!(list["rows"].as_array().unwrap().len(), 1, "known runs stay");
    for path in [run_url(), format!("{}/metrics", run_url())] {
        assert_failure(&server.get(&path).await, 503, "STORAGE_UNAVAILABLE");
    }
    assert_failure(&rename(&server, "x").await, 503, "STORAGE_UNAVAILABLE");
    drop(root);
    drop(deep);
    until_storage_is(&server, "ok").await;
    assert_eq!(rename(&server, "x").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_live_page_is_told_that_the_root_stopped_answering() {
    use futures_util::StreamExt;
    let server = with_one_run().await;
    let mut live = server.socket("/api/live").await;
    let Some(_deep) = Mounted::dead(&server.root().join("runs/deep")) else {
        return;
    };
    let _root = Mounted::dead(&server.root()).unwrap();
    let told = async {
        loop {
            let frame = live.next().await.unwrap().unwrap();
            let frame: Value = serde_json::from_str(frame.to_text().unwrap()).unwrap();
            if frame["type"] == "storage" && frame["state"] == "stale" {
                break;
            }
        }
    };
    tokio::time::timeout(LONG, told).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_is_not_held_up_by_a_root_that_hangs() {
    let server = with_one_run().await;
    let Some(_deep) = Mounted::dead(&server.root().join("runs/deep")) else {
        return;
    };
    let url = server.url(&run_url());
    let hanging = tokio::spawn(async move { reqwest::get(url).await.map(drop) });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let stopped = tokio::time::timeout(LONG / 2, server.server().shutdown()).await;
    assert!(stopped.is_ok(), "the shutdown waits for the root");
    hanging.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_said_by_every_change_and_leaves_the_root_as_it_was() {
    let folder = scratch();
    let root = folder.path().join("root");
    let Some(mount) = Mounted::small(&root, "512k") else {
        return;
    };
    let run = make_run(&root, &format!("runs/deep/{ID}"));
    let meta = std::fs::read(run.join("meta.json")).unwrap();
    let server = TestServer::start(folder, |_| {}).await;
    let filler = mount.fill();
    assert_failure(&rename(&server, &"y".repeat(9000)).await, 507, "DISK_FULL");
    let archive = one_run_zip("20250102_000000_bbbbbb");
    assert_failure(&import(&server, archive.clone()).await, 507, "DISK_FULL");
    let deleted = server
        .post("/api/runs/soft-delete", json!({"run_ids": [ID]}))
        .await
        .json();
    assert_eq!(deleted["deleted_count"], 0, "{deleted}");
    assert_eq!(std::fs::read(run.join("meta.json")).unwrap(), meta);
    let names = |folder: &Path| -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names(&run), ["meta.json", "status.json"]);
    assert_eq!(names(&root), ["filler", "runs"], "no staged import stays");
    assert_eq!(server.get(&run_url()).await.status, 200);
    std::fs::remove_file(filler).unwrap();
    assert_eq!(rename(&server, "y").await.status, 200);
    assert_eq!(import(&server, archive).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_state_folder_is_said_and_nothing_is_begun_that_could_not_be_undone() {
    let folder = scratch();
    let state = folder.path().join("home/runicorn-desktop/state");
    let Some(mount) = Mounted::small(&state, "512k") else {
        return;
    };
    let run = make_run(&folder.path().join("root"), &format!("runs/deep/{ID}"));
    let meta = std::fs::read(run.join("meta.json")).unwrap();
    let server = TestServer::start(folder, |_| {}).await;
    let dismiss = async |alert: &str| {
        let body = json!({"alert_id": alert});
        server
            .post("/api/config/dismissed-alerts/dismiss", body)
            .await
    };
    assert_eq!(dismiss("first").await.status, 200);
    let filler = mount.fill();
    assert_failure(&rename(&server, "y").await, 507, "DISK_FULL");
    let archive = one_run_zip("20250102_000000_bbbbbb");
    assert_failure(&import(&server, archive).await, 507, "DISK_FULL");
    assert_failure(&dismiss("second").await, 507, "DISK_FULL");
    let deleted = server
        .post("/api/runs/soft-delete", json!({"run_ids": [ID]}))
        .await
        .json();
    assert_eq!(deleted["deleted_count"], 0, "{deleted}");
    assert_eq!(std::fs::read(run.join("meta.json")).unwrap(), meta);
    assert!(!run.join(".deleted").exists());
    std::fs::remove_file(filler).unwrap();
    assert_eq!(rename(&server, "y").await.status, 200);
    assert_eq!(dismiss("third").await.status, 200);
    let server = server.restart().await;
    let dismissed = server.get("/api/config/dismissed-alerts").await.json();
    assert_eq!(dismissed["dismissed_alerts"], json!(["first", "third"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_cache_folder_costs_speed_and_nothing_else() {
    let folder = scratch();
    let Some(mount) = Mounted::small(&folder.path().join("home/runicorn-desktop/cache"), "256k")
    else {
        return;
    };
    mount.fill();
    let run = make_run(&folder.path().join("root"), &format!("runs/deep/{ID}"));
    let line = |step: u32| {
        let data = json!({"loss": 0.5, "global_step": step, "time": 1.5});
        json!({"ts": 1.5, "type": "metrics", "data": data}).to_string() + "\n"
    };
    let lines: Vec<String> = (0..50_000).map(line).collect();
    std::fs::write(run.join("events.jsonl"), lines.concat()).unwrap();
    let server = TestServer::start(folder, |_| {}).await;
    let started = Instant::now();
    while !storage(&server).await["detail"]
        .as_str()
        .is_some_and(|detail| detail.contains("kept in memory only"))
    {
        assert!(started.elapsed() < LONG, "{}", storage(&server).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let table = server.get(&format!("{}/metrics_step", run_url())).await;
    assert_eq!(table.json()["total"], 50_000);
    let server = server.restart().await;
    let table = server.get(&format!("{}/metrics_step", run_url())).await;
    assert_eq!(table.json()["total"], 50_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_root_is_shown_and_refuses_every_change_as_read_only() {
    let folder = scratch();
    let root = folder.path().join("root");
    let Some(_mount) = Mounted::small(&root, "4m") else {
        return;
    };
    make_run(&root, &format!("runs/deep/{ID}"));
    let server = TestServer::start(folder, |_| {}).await;
    until_storage_is(&server, "ok").await;
    mount_remount(&root, MountFlags::RDONLY, "").unwrap();
    until_storage_is(&server, "read_only").await;
    assert!(
        storage(&server).await["detail"]
            .as_str()
            .unwrap()
            .contains("cannot be written")
    );
    assert_eq!(server.get(&run_url()).await.status, 200);
    assert_failure(&rename(&server, "x").await, 409, "READ_ONLY");
    let archive = one_run_zip("20250102_000000_bbbbbb");
    assert_failure(&import(&server, archive).await, 409, "READ_ONLY");
    mount_remount(&root, MountFlags::empty(), "").unwrap();
    until_storage_is(&server, "ok").await;
    assert_eq!(rename(&server, "x").await.status, 200);
}

/// Runs the test of that name once more as an ordinary user, when this process is the administrator, whom no permission stops; true
/// when that was done.
fn was_run_as_an_ordinary_user(test: &str) -> bool {
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_may_not_be_changed_is_a_403_and_stays_as_it_is() {
    let name = "faults::a_run_that_may_not_be_changed_is_a_403_and_stays_as_it_is";
    if was_run_as_an_ordinary_user(name) {
        return;
    }
    let server = with_one_run().await;
    let run = server.root().join("runs/deep").join(ID);
    let set = |mode| {
        std::fs::set_permissions(&run, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    set(0o500);
    let before = std::fs::read(run.join("meta.json")).unwrap();
    let refused = rename(&server, "x").await;
    let after = std::fs::read(run.join("meta.json")).unwrap();
    set(0o700);
    assert_failure(&refused, 403, "PERMISSION_DENIED");
    assert_eq!(after, before);
    assert_eq!(rename(&server, "x").await.status, 200);
}
