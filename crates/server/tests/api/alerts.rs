//! What a person is told of the runs that they watch, on files as the SDK writes them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use futures_util::StreamExt;
use runicorn_server::{Desktop, DesktopFuture, RunEvent, RunNotice, RunningRuns};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::recorded_run::{RUN, RecordedRun, losses};
use crate::support::{RECORDED_HOST, TestServer};

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A shell that only keeps what it was to show.
#[derive(Clone, Default)]
struct Shell(Arc<Mutex<Vec<RunNotice>>>);

impl Shell {
    fn shown(&self) -> Vec<RunNotice> {
        self.0.lock().unwrap().clone()
    }
}

impl Desktop for Shell {
    fn pick_folder(&self) -> DesktopFuture<Option<PathBuf>> {
        Box::pin(async { None })
    }

    fn notify(&self, notice: &RunNotice) {
        self.0.lock().unwrap().push(notice.clone());
    }

    fn runs(&self, _running: &RunningRuns) {}

    fn open_url(&self, _url: &str) -> DesktopFuture<Result<(), String>> {
        Box::pin(async { Ok(()) })
    }

    fn painted(&self) {}
}

async fn server_with(shell: &Shell) -> TestServer {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("root/runs")).unwrap();
    let desktop: Arc<dyn Desktop> = Arc::new(shell.clone());
    TestServer::start(folder, |config| config.desktop = Some(desktop)).await
}

/// Everything about every run.
fn everything() -> Value {
    json!({
        "id": "a", "enabled": true, "runs": {"kind": "all"}, "ended": true, "failed": true,
        "stalled_after_secs": null, "non_finite": true, "metrics": []
    })
}

async fn set(server: &TestServer, rules: Value) {
    let answer = server
        .call("PUT", "/api/alert-rules", Some(json!({"rules": rules})))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

async fn alerts(server: &TestServer) -> Value {
    server.get("/api/alerts").await.json()
}

/// Waits until so many events are listed; `[run, event]` of each, oldest first.
async fn told(server: &TestServer, count: usize) -> Vec<[String; 2]> {
    let end = Instant::now() + PATIENCE;
    loop {
        let answer = alerts(server).await;
        let events = answer["events"].as_array().unwrap();
        if events.len() >= count {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let pairs = events
                .iter()
                .rev()
                .map(|event| [text(&event["run"]), text(&event["event"])]);
            return pairs.collect();
        }
        assert!(Instant::now() < end, "{answer}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn pair(run: &str, event: &str) -> [String; 2] {
    [run.to_owned(), event.to_owned()]
}

fn status(run: &RecordedRun, word: &str) {
    let text = json!({"status": word, "started_at": 1.0, "ended_at": 2.0}).to_string();
    std::fs::write(run.file("status.json"), text).unwrap();
}

/// A run beside the recorded one.
fn other_run(root: &Path, path: &str, id: &str, tags: &[&str], alias: &str) -> PathBuf {
    let directory = root.join("runs").join(path).join(id);
    std::fs::create_dir_all(&directory).unwrap();
    let meta = json!({"id": id, "path": path, "created_at": 1.0, "hostname": RECORDED_HOST, "pid": std::process::id(), "tags": tags, "alias": alias});
    std::fs::write(directory.join("meta.json"), meta.to_string()).unwrap();
    write_status(&directory, "running");
    directory
}

fn write_status(directory: &Path, word: &str) {
    let text = json!({"status": word, "started_at": 1.0}).to_string();
    std::fs::write(directory.join("status.json"), text).unwrap();
}

#[tokio::test]
async fn a_watched_run_that_finishes_is_told_to_page_and_desktop_by_its_name_alone() {
    let shell = Shell::default();
    let server = server_with(&shell).await;
    let run = other_run(&server.root(), "cv/net", "one", &[], "my run");
    set(&server, json!([everything()])).await;
    write_status(&run, "finished");
    assert_eq!(told(&server, 1).await, [pair("one", "ended")]);
    let answer = alerts(&server).await;
    let event = &answer["events"][0];
    assert_eq!(
        (
            event["name"].as_str(),
            event["path"].as_str(),
            event["status"].as_str()
        ),
        (Some("my run"), Some("cv/net"), Some("finished"))
    );
    assert_eq!(
        (event["here"].as_bool(), answer["newest"].as_u64()),
        (Some(true), Some(1))
    );
    let notice = RunNotice {
        run: "one".to_owned(),
        name: "my run".to_owned(),
        event: RunEvent::Ended,
        status: Some("finished".to_owned()),
        metric: None,
        silent_secs: None,
    };
    assert_eq!(shell.shown(), [notice]);
}

#[tokio::test]
async fn a_run_that_fails_and_one_whose_process_is_gone_have_both_failed() {
    let shell = Shell::default();
    let server = server_with(&shell).await;
    let run = RecordedRun::new(&server, "running");
    set(&server, json!([everything()])).await;
    status(&run, "failed");
    assert_eq!(told(&server, 1).await, [pair(RUN, "failed")]);
    let other = other_run(&server.root(), "", "lost", &[], "");
    server.get("/api/run-list").await;
    let meta =
        json!({"id": "lost", "created_at": 1.0, "hostname": RECORDED_HOST, "pid": 7_000_000});
    std::fs::write(other.join("meta.json"), meta.to_string()).unwrap();
    assert_eq!(told(&server, 2).await[1], pair("lost", "failed"));
    assert_eq!(
        shell.shown()[1].name,
        "lost",
        "a run without an alias goes by its id"
    );
}

#[tokio::test]
async fn a_run_that_writes_nothing_for_the_time_of_the_rule_has_stalled() {
    let server = TestServer::empty().await;
    let run = RecordedRun::new(&server, "running");
    run.log(&losses(0..3));
    let mut rule = everything();
    rule["stalled_after_secs"] = json!(2.0);
    set(&server, json!([rule])).await;
    assert_eq!(told(&server, 1).await, [pair(RUN, "stalled")]);
    let last_write = std::fs::metadata(run.file("events.jsonl"))
        .unwrap()
        .modified()
        .unwrap();
    let answer = alerts(&server).await;
    let at = SystemTime::UNIX_EPOCH
        + Duration::from_secs_f64(answer["events"][0]["at"].as_f64().unwrap());
    let silence = at.duration_since(last_write).unwrap();
    assert!(silence >= Duration::from_secs(2), "{silence:?}");
    // It goes on, stalls again and ends: of that only the end is new.
    run.log(&losses(3..4));
    status(&run, "interrupted");
    assert_eq!(told(&server, 2).await[1], pair(RUN, "ended"));
}

#[tokio::test]
async fn a_run_that_was_silent_before_anybody_watched_is_nothing_new() {
    let server = TestServer::empty().await;
    let run = RecordedRun::new(&server, "running");
    let long_ago = SystemTime::now() - Duration::from_hours(1);
    for name in ["meta.json", "status.json"] {
        let file = std::fs::File::options()
            .append(true)
            .open(run.file(name))
            .unwrap();
        file.set_modified(long_ago).unwrap();
    }
    let mut rule = everything();
    rule["stalled_after_secs"] = json!(5.0);
    set(&server, json!([rule])).await;
    let other = other_run(&server.root(), "", "other", &[], "");
    assert_eq!(told(&server, 1).await, [pair("other", "stalled")]);
    write_status(&other, "finished");
    assert_eq!(told(&server, 2).await[1], pair("other", "ended"));
}

#[tokio::test]
async fn a_line_with_nan_in_any_metric_is_told_once_however_many_follow() {
    let shell = Shell::default();
    let server = server_with(&shell).await;
    let run = RecordedRun::new(&server, "running");
    run.log(&losses(0..5));
    set(&server, json!([everything()])).await;
    run.log(&["{\"loss\": NaN, \"acc\": 0.5, \"global_step\": 5}".to_owned()]);
    assert_eq!(told(&server, 1).await, [pair(RUN, "non_finite")]);
    assert_eq!(
        alerts(&server).await["events"][0]["metrics"],
        json!(["loss"])
    );
    assert_eq!(shell.shown()[0].metric.as_deref(), Some("loss"));
    run.log(&["{\"loss\": NaN, \"acc\": Infinity, \"global_step\": 6}".to_owned()]);
    status(&run, "finished");
    assert_eq!(
        told(&server, 2).await,
        [pair(RUN, "non_finite"), pair(RUN, "ended")]
    );
    assert_eq!(shell.shown().len(), 2);
}

#[tokio::test]
async fn of_a_rule_with_names_only_these_metrics_count_and_what_was_nan_before_does_not() {
    let server = TestServer::empty().await;
    let run = RecordedRun::new(&server, "running");
    run.log(&["{\"loss\": NaN, \"acc\": 1, \"global_step\": 0}".to_owned()]);
    let mut rule = everything();
    rule["metrics"] = json!(["acc", "loss"]);
    set(&server, json!([rule])).await;
    run.log(&["{\"loss\": 1, \"acc\": 1, \"other\": NaN, \"global_step\": 1}".to_owned()]);
    run.log(&["{\"loss\": 1, \"acc\": -Infinity, \"global_step\": 2}".to_owned()]);
    assert_eq!(told(&server, 1).await, [pair(RUN, "non_finite")]);
    assert_eq!(
        alerts(&server).await["events"][0]["metrics"],
        json!(["acc"])
    );
}

#[tokio::test]
async fn only_runs_of_the_rule_and_events_of_the_rule_are_told() {
    let server = TestServer::empty().await;
    let root = server.root();
    let runs = [
        other_run(&root, "cv/net", "in_folder", &[], ""),
        other_run(&root, "nlp", "tagged", &["best"], ""),
        other_run(&root, "nlp", "chosen", &[], ""),
        other_run(&root, "nlp", "nobody", &[], ""),
    ];
    let rule = |runs: Value| json!({"id": "x", "enabled": true, "runs": runs, "ended": false, "failed": true, "stalled_after_secs": null, "non_finite": false});
    let mut off = everything();
    off["enabled"] = json!(false);
    let rules = json!([
        rule(json!({"kind": "folder", "path": "cv"})),
        rule(json!({"kind": "tag", "tag": "best"})),
        rule(json!({"kind": "chosen", "ids": ["chosen"]})),
        off,
    ]);
    set(&server, rules).await;
    write_status(&runs[3], "failed");
    write_status(&runs[0], "finished");
    for (at, run) in [(1, 1), (2, 2)] {
        write_status(&runs[run], "failed");
        told(&server, at).await;
    }
    assert_eq!(
        told(&server, 2).await,
        [pair("tagged", "failed"), pair("chosen", "failed")]
    );
}

#[tokio::test]
async fn a_run_that_begins_while_runs_are_watched_is_watched_from_its_first_line() {
    let server = TestServer::empty().await;
    set(&server, json!([everything()])).await;
    let directory = server.root().join("runs/new");
    std::fs::create_dir_all(&directory).unwrap();
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_secs_f64();
    let meta = json!({"id": "new", "created_at": now, "hostname": RECORDED_HOST, "pid": std::process::id()});
    std::fs::write(
        directory.join("events.jsonl"),
        "{\"ts\": 1, \"type\": \"metrics\", \"data\": {\"loss\": NaN, \"global_step\": 1}}\n",
    )
    .unwrap();
    let status = json!({"status": "failed", "started_at": now, "ended_at": now});
    std::fs::write(directory.join("status.json"), status.to_string()).unwrap();
    std::fs::write(directory.join("meta.json"), meta.to_string()).unwrap();
    let both = told(&server, 2).await;
    assert_eq!(both, [pair("new", "non_finite"), pair("new", "failed")]);
}

#[tokio::test]
async fn a_restart_tells_what_happened_meanwhile_and_nothing_twice() {
    let server = TestServer::empty().await;
    let run = RecordedRun::new(&server, "running");
    run.log(&losses(0..3));
    set(&server, json!([everything()])).await;
    run.log(&["{\"loss\": NaN, \"global_step\": 3}".to_owned()]);
    told(&server, 1).await;
    let other = other_run(&server.root(), "", "other", &[], "");
    // Known to the list, so the thread has it too as soon as it took up the change.
    let mut server = server;
    loop {
        let kept = server
            .home()
            .join("runicorn-desktop/state/alert-events.json");
        if std::fs::read_to_string(kept).unwrap().contains("\"other\"") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server = server.restart().await;
    server.server().shutdown().await;
    run.log(&["{\"loss\": NaN, \"global_step\": 4}".to_owned()]);
    write_status(&other, "failed");
    let server = server.restart().await;
    assert_eq!(
        told(&server, 2).await,
        [pair(RUN, "non_finite"), pair("other", "failed")]
    );
    assert_eq!(alerts(&server).await["newest"], 2);
    status(&run, "finished");
    let all = told(&server.restart().await, 3).await;
    assert_eq!(all[2], pair(RUN, "ended"));
}

#[tokio::test]
async fn hostile_files_and_names_neither_stop_the_watch_nor_reach_a_notification_whole() {
    let shell = Shell::default();
    let server = server_with(&shell).await;
    let long = "x".repeat(5000);
    let alias = format!("<b>\u{1b}[31m\n{long}");
    let run = other_run(&server.root(), "", "bad", &[], &alias);
    set(&server, json!([everything()])).await;
    let deep = "[".repeat(100_000);
    let metric = format!("a\\n\\u0000{long}");
    let mut lines = vec![0xff, 0xfe, b'\n'];
    lines.extend(format!("{deep}\n{{\"ts\": 1, \"type\": \"metrics\", \"data\": 5}}\n").bytes());
    lines.extend(format!("{{\"ts\": 1, \"type\": \"metrics\", \"data\": {{\"{metric}\": -Infinity, \"global_step\": 1}}}}\n").bytes());
    std::fs::write(run.join("events.jsonl"), lines).unwrap();
    assert_eq!(told(&server, 1).await, [pair("bad", "non_finite")]);
    let notice = &shell.shown()[0];
    for text in [&notice.name, notice.metric.as_ref().unwrap()] {
        assert!(
            text.chars().count() <= 80 && !text.contains(char::is_control),
            "{text:?}"
        );
    }
    std::fs::write(run.join("status.json"), "[\"cut").unwrap();
    std::fs::remove_dir_all(&run).unwrap();
    let other = other_run(&server.root(), "", "good", &[], "");
    server.get("/api/run-list").await;
    set(&server, json!([everything()])).await;
    write_status(&other, "finished");
    assert_eq!(told(&server, 2).await[1], pair("good", "ended"));
}

#[tokio::test]
async fn damaged_state_files_mean_no_rules_and_no_history() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("root/runs")).unwrap();
    let state = folder.path().join("home/runicorn-desktop/state");
    std::fs::create_dir_all(&state).unwrap();
    std::fs::write(state.join("alert-rules.json"), "{\"rules\": [{\"id\": 5}").unwrap();
    std::fs::write(state.join("alert-events.json"), vec![b'['; 200_000]).unwrap();
    let server = TestServer::start(folder, |_| {}).await;
    assert_eq!(
        server.get("/api/alert-rules").await.json(),
        json!({"rules": []})
    );
    assert_eq!(
        alerts(&server).await,
        json!({"events": [], "newest": 0, "seen": 0})
    );
    set(&server, json!([everything()])).await;
    assert_eq!(
        server.get("/api/alert-rules").await.json()["rules"][0],
        everything()
    );
}

#[tokio::test]
async fn rules_that_say_nothing_sensible_are_refused_and_the_old_ones_stand() {
    let server = TestServer::empty().await;
    set(&server, json!([everything()])).await;
    let with = |name: &str, value: Value| {
        let mut rule = everything();
        rule[name] = value;
        json!({"rules": [rule]})
    };
    for bad in [
        json!({}),
        json!({"rules": 5}),
        with("runs", json!({"kind": "secret"})),
        with("stalled_after_secs", json!(0.01)),
        with("stalled_after_secs", json!(-1e300)),
        with("unknown", json!(1)),
        json!({"rules": vec![everything(); 101]}),
    ] {
        let answer = server
            .call("PUT", "/api/alert-rules", Some(bad.clone()))
            .await;
        assert_eq!(answer.status, 422, "{bad}");
    }
    assert_eq!(
        server.get("/api/alert-rules").await.json()["rules"],
        json!([everything()])
    );
}

#[tokio::test]
async fn a_window_hears_of_events_and_remembers_what_was_looked_at() {
    let server = TestServer::empty().await;
    let run = RecordedRun::new(&server, "running");
    let mut socket = server.socket("/api/live").await;
    set(&server, json!([everything()])).await;
    status(&run, "finished");
    loop {
        let Some(Ok(Message::Text(text))) = socket.next().await else {
            panic!("the socket ended");
        };
        let frame: Value = serde_json::from_str(&text).unwrap();
        if frame["type"] == "alerts" {
            assert_eq!(frame["newest"], 1);
            break;
        }
    }
    assert_eq!(alerts(&server).await["seen"], 0);
    let seen = server.post("/api/alerts/seen", json!({"up_to": 900})).await;
    assert_eq!(seen.json(), json!({"seen": 1}));
    assert_eq!(
        server.get("/api/alerts?after=1").await.json()["events"],
        json!([])
    );
    assert_eq!(server.get("/api/alerts?limit=0").await.json()["newest"], 1);
    assert_eq!(server.get("/api/alerts?limit=201").await.status, 422);
}
