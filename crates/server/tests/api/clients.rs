//! The real Python clients and the real SDK against our server.
//!
//! `RUNICORN_PYTHONS` names a folder with `rn6/bin/python` (runicorn 0.6.0) and `rn7/bin/python` (0.7.2), both with requests
//! and pandas; `cargo xtask test` makes one. Without it these tests say that they are skipped.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio_tungstenite::tungstenite::Message;

use crate::support::TestServer;

/// Longer than a client takes on a busy machine; reached only when something is lost.
const PATIENCE: Duration = Duration::from_mins(1);
const POINTS: u64 = 300;
/// What the SDK waits after each step, so that the answers come while it writes.
const STEP_MILLIS: u64 = 5;

/// An interpreter that has this version of runicorn.
fn python(name: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("RUNICORN_PYTHONS") else {
        println!("skipped: RUNICORN_PYTHONS names no folder of interpreters");
        return None;
    };
    let interpreter = Path::new(&folder).join(name).join("bin/python");
    assert!(interpreter.exists(), "{} is missing", interpreter.display());
    Some(interpreter)
}

fn script(interpreter: &Path, name: &str, home: &Path) -> Command {
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/clients")
        .join(name);
    #[expect(
        clippy::disallowed_methods,
        reason = "a real client, waited for by its test"
    )]
    let mut command = Command::new(interpreter);
    command
        .env_clear()
        .env("HOME", home)
        .env("PATH", "/usr/bin:/bin")
        .current_dir(home)
        .arg("-I")
        .arg(script)
        .kill_on_drop(true);
    command
}

async fn runs_through(interpreter: &str, name: &str) {
    let Some(interpreter) = python(interpreter) else {
        return;
    };
    let server = TestServer::on("runicorn-0.6.0").await;
    let scratch = server.home().join("scratch");
    std::fs::create_dir_all(&scratch).unwrap();
    let output = script(&interpreter, name, &server.home())
        .arg(server.url(""))
        .arg(&scratch)
        .output()
        .await
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[tokio::test]
async fn the_client_of_runicorn_0_7_2_works_unchanged() {
    runs_through("rn7", "client_0_7_2.py").await;
}

#[tokio::test]
async fn every_method_of_the_0_6_0_client_but_the_remote_ones_works() {
    runs_through("rn6", "client_0_6_0.py").await;
}

#[tokio::test]
async fn every_point_and_line_that_the_0_6_0_sdk_logs_arrives_live() {
    arrives_live("rn6").await;
}

#[tokio::test]
async fn every_point_and_line_that_the_0_7_2_sdk_logs_arrives_live() {
    arrives_live("rn7").await;
}

async fn arrives_live(interpreter: &str) {
    let Some(interpreter) = python(interpreter) else {
        return;
    };
    let server = TestServer::empty().await;
    let run = "20250601_120000_abcdef";
    let (mut training, stderr) = start_training(&interpreter, &server, run).await;
    let is_running = || training.try_wait().unwrap().is_none();
    let all = async {
        tokio::join!(
            follow_points(&server, run, is_running),
            follow_lines(&server, run)
        )
    };
    let Ok((followed, lines)) = tokio::time::timeout(PATIENCE, all).await else {
        training.kill().await.unwrap();
        panic!(
            "not everything arrived: {}",
            std::fs::read_to_string(stderr).unwrap_or_default()
        );
    };
    let Followed {
        points,
        deltas,
        while_running,
    } = followed;
    assert!(deltas >= 3, "only {deltas} answers brought new points");
    assert!(
        while_running >= POINTS / 2,
        "the SDK had ended when point {while_running} came"
    );
    let expected: BTreeMap<u64, f64> = (1..=POINTS).map(|step| (step, step as f64 * 0.5)).collect();
    assert_eq!(points, expected);
    let texts: Vec<String> = lines
        .iter()
        .map(|line| line[line.find("line ").unwrap()..].to_owned())
        .collect();
    assert_eq!(
        texts,
        (1..=POINTS)
            .map(|step| format!("line {step}"))
            .collect::<Vec<_>>()
    );
    assert!(training.wait().await.unwrap().success());
    let table = server.get(&format!("/api/runs/{run}/metrics")).await.json();
    assert_eq!(table["total"], POINTS);
}

/// Starts the SDK and returns when it has logged its first point.
async fn start_training(interpreter: &Path, server: &TestServer, run: &str) -> (Child, PathBuf) {
    let stderr = server.home().join("training.log");
    let mut training = script(interpreter, "sdk_writes.py", &server.home())
        .arg(server.root())
        .args([POINTS.to_string(), run.to_owned(), STEP_MILLIS.to_string()])
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(&stderr).unwrap())
        .spawn()
        .unwrap();
    let mut steps = BufReader::new(training.stdout.take().unwrap()).lines();
    let first = tokio::time::timeout(PATIENCE, steps.next_line())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        first.as_deref(),
        Some("1"),
        "{}",
        std::fs::read_to_string(&stderr).unwrap()
    );
    // Nobody may block the training by not reading what it prints.
    tokio::spawn(async move { while let Ok(Some(_)) = steps.next_line().await {} });
    (training, stderr)
}

/// What came while the SDK wrote.
struct Followed {
    points: BTreeMap<u64, f64>,
    /// How many answers held new points and nothing else.
    deltas: usize,
    /// The last point that had come while the SDK was still at work.
    while_running: u64,
}

/// Asks for new points whenever the live socket says that the run grew.
async fn follow_points(
    server: &TestServer,
    run: &str,
    mut is_running: impl FnMut() -> bool,
) -> Followed {
    let mut live = server.socket("/api/live").await;
    live.send(Message::text(json!({"watch": [run]}).to_string()))
        .await
        .unwrap();
    let mut points = BTreeMap::new();
    let (mut deltas, mut while_running) = (0, 0);
    let mut cursor = Value::Null;
    loop {
        let question = json!({"runs": [run], "metrics": ["acc"], "x": "step", "width_px": 8192, "cursor": cursor});
        let answer = server.post("/api/series", question).await.json();
        cursor = answer["cursor"].clone();
        let count_before = points.len();
        if answer["delta"] == false {
            points.clear();
        }
        if let Some(series) = answer["series"].get(0) {
            let numbers = |name: &str| {
                series[name]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|number| number.as_f64().unwrap())
            };
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "steps are small and positive"
            )]
            points.extend(numbers("x").map(|x| x as u64).zip(numbers("y")));
        }
        deltas += usize::from(answer["delta"] == true && points.len() > count_before);
        if is_running() {
            while_running = points.keys().next_back().copied().unwrap_or(0);
        }
        if points.contains_key(&POINTS) {
            return Followed {
                points,
                deltas,
                while_running,
            };
        }
        loop {
            let frame = live.next().await.unwrap().unwrap();
            let Message::Text(frame) = frame else {
                continue;
            };
            let frame: Value = serde_json::from_str(&frame).unwrap();
            if frame["type"] == "run" || frame["type"] == "runs" {
                break;
            }
        }
    }
}

/// Follows the log from its first line.
async fn follow_lines(server: &TestServer, run: &str) -> Vec<String> {
    let mut follower = server
        .socket(&format!("/api/log-follow/{run}?from=0"))
        .await;
    let mut lines = Vec::new();
    let last = format!("line {POINTS}");
    while !lines
        .last()
        .is_some_and(|line: &String| line.ends_with(&last))
    {
        let Message::Text(frame) = follower.next().await.unwrap().unwrap() else {
            continue;
        };
        let frame: Value = serde_json::from_str(&frame).unwrap();
        assert_ne!(frame["reset"], true);
        let new = frame["lines"].as_array().into_iter().flatten();
        lines.extend(new.map(|line| line.as_str().unwrap().to_owned()));
    }
    lines
}
