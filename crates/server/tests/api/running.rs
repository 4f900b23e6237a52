//! What the desktop's tray hears of the runs that are running, on files as the SDK writes them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use runicorn_server::{Desktop, DesktopFuture, RunNotice, RunningRuns};
use serde_json::json;
use tokio::sync::watch;

use crate::support::{RECORDED_HOST, TestServer};

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A shell that keeps what it heard last.
struct Shell(watch::Sender<RunningRuns>);

impl Desktop for Shell {
    fn pick_folder(&self) -> DesktopFuture<Option<PathBuf>> {
        Box::pin(async { None })
    }

    fn notify(&self, _notice: &RunNotice) {}

    fn runs(&self, running: &RunningRuns) {
        self.0.send_replace(running.clone());
    }

    fn open_url(&self, _url: &str) -> DesktopFuture<Result<(), String>> {
        Box::pin(async { Ok(()) })
    }

    fn painted(&self) {}
}

/// A server on an empty root, and what its shell hears.
async fn server() -> (TestServer, watch::Receiver<RunningRuns>) {
    let (shell, heard) = watch::channel(RunningRuns::default());
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("root/runs")).unwrap();
    let desktop: Arc<dyn Desktop> = Arc::new(Shell(shell));
    let server = TestServer::start(folder, |config| config.desktop = Some(desktop)).await;
    (server, heard)
}

fn begin(root: &Path, id: &str, alias: &str, created_at: f64) {
    let directory = root.join("runs/net").join(id);
    std::fs::create_dir_all(&directory).unwrap();
    let meta = json!({"id": id, "path": "net", "created_at": created_at, "hostname": RECORDED_HOST, "pid": std::process::id(), "alias": alias});
    std::fs::write(directory.join("meta.json"), meta.to_string()).unwrap();
    say(root, id, "running");
}

fn say(root: &Path, id: &str, status: &str) {
    let file = root.join("runs/net").join(id).join("status.json");
    let text = json!({"status": status, "started_at": 1.0}).to_string();
    std::fs::write(file, text).unwrap();
}

/// Waits until so many run, and gives what was heard.
async fn count(heard: &mut watch::Receiver<RunningRuns>, count: usize) -> RunningRuns {
    let waiting = heard.wait_for(|running| running.count == count);
    let told = tokio::time::timeout(PATIENCE, waiting).await;
    told.expect("it was never told").unwrap().clone()
}

#[tokio::test]
async fn the_desktop_hears_of_runs_that_begin_end_and_fail_without_asking() {
    let (server, mut heard) = server().await;
    begin(&server.root(), "one", "first\u{7}\n of all", 1.0);
    let now = count(&mut heard, 1).await;
    assert_eq!(now.newest[0].id, "one");
    assert_eq!(now.newest[0].name, "first   of all");
    begin(&server.root(), "two", "", 2.0);
    let now = count(&mut heard, 2).await;
    let names: Vec<_> = now.newest.iter().map(|run| run.name.as_str()).collect();
    assert_eq!((names, now.failed), (vec!["two", "first   of all"], 0));
    say(&server.root(), "one", "finished");
    assert_eq!(count(&mut heard, 1).await.failed, 0);
    say(&server.root(), "two", "failed");
    let now = count(&mut heard, 0).await;
    assert_eq!((now.newest.len(), now.failed), (0, 1));
}

#[tokio::test]
async fn of_many_runs_the_five_newest_are_named() {
    let (server, mut heard) = server().await;
    for at in 0..7 {
        begin(&server.root(), &format!("run{at}"), "", f64::from(at));
    }
    let now = count(&mut heard, 7).await;
    let ids: Vec<_> = now.newest.iter().map(|run| run.id.as_str()).collect();
    assert_eq!(ids, ["run6", "run5", "run4", "run3", "run2"]);
}

#[tokio::test]
async fn another_root_brings_its_own_runs_and_none_of_the_last_one_has_failed() {
    let (server, mut heard) = server().await;
    begin(&server.root(), "one", "", 1.0);
    count(&mut heard, 1).await;
    let other = server.home().join("other");
    begin(&other, "one", "", 1.0);
    begin(&other, "two", "", 2.0);
    say(&other, "one", "failed");
    begin(&other, "three", "", 3.0);
    let answer = server
        .post("/api/config/user_root_dir", json!({ "path": other }))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(count(&mut heard, 2).await.failed, 0);
}

#[tokio::test]
async fn sample_runs_are_not_counted() {
    let (server, mut heard) = server().await;
    begin(&server.root(), "one", "", 1.0);
    count(&mut heard, 1).await;
    assert_eq!(server.post("/api/samples", json!({})).await.status, 200);
    count(&mut heard, 0).await;
    assert_eq!(
        server.call("DELETE", "/api/samples", None).await.status,
        200
    );
    assert_eq!(count(&mut heard, 1).await.newest[0].id, "one");
}
