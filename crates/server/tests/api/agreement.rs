//! What we changed, the real viewer 0.7.2 sees too: at once while it runs on the same root, and after it was started again.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::programs::{Program, python_with};
use crate::support::TestServer;

/// Longer than the real viewer takes to start.
const PATIENCE: Duration = Duration::from_secs(40);

/// Starts the real viewer and waits until it answers.
async fn real_viewer(python: &Path, root: &Path, home: &Path) -> (Program, String) {
    let port = TcpListener::bind("127.0.0.1:0")
        .and_then(|free| free.local_addr())
        .unwrap()
        .port();
    let (root, port) = (root.display().to_string(), port.to_string());
    let arguments = [
        "-m",
        "runicorn",
        "viewer",
        "--storage",
        &root,
        "--port",
        &port,
        "--log-level",
        "ERROR",
    ];
    let viewer = Program::start(python, &arguments, home);
    let url = format!("http://127.0.0.1:{port}");
    let started = Instant::now();
    while reqwest::get(format!("{url}/api/health")).await.is_err() {
        assert!(
            started.elapsed() < PATIENCE,
            "the real viewer does not start"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    (viewer, url)
}

/// What both must say about each item of a list; tags are a set in the real viewer's database.
fn view(items: &Value, members: &[&str]) -> BTreeSet<String> {
    let items = items.as_array().unwrap().iter();
    items
        .map(|item| {
            let mut seen: Vec<Value> = members.iter().map(|name| item[name].clone()).collect();
            if let Some(tags) = item["tags"].as_array() {
                let tags: BTreeSet<&str> = tags.iter().filter_map(Value::as_str).collect();
                seen.push(json!(tags));
            }
            Value::Array(seen).to_string()
        })
        .collect()
}

async fn agree(server: &TestServer, real: &str, when: &str) {
    let theirs = |path: &str| {
        let url = format!("{real}{path}");
        async move {
            reqwest::get(url)
                .await
                .unwrap()
                .json::<Value>()
                .await
                .unwrap()
        }
    };
    let members = ["id", "path", "alias", "run_dir"];
    let ours = server.get("/api/runs").await.json();
    assert_eq!(
        view(&ours, &members),
        view(&theirs("/api/runs").await, &members),
        "the runs, {when}"
    );
    let members = ["id", "path", "alias", "run_dir", "delete_reason"];
    let ours = server.get("/api/recycle-bin").await.json();
    assert_eq!(
        view(&ours["deleted_runs"], &members),
        view(&theirs("/api/recycle-bin").await["deleted_runs"], &members),
        "the recycle bin, {when}"
    );
}

#[tokio::test]
async fn the_real_viewer_agrees_with_everything_we_changed() {
    let Some(python) = python_with("rn7", "the agreement with the real viewer") else {
        return;
    };
    let server = TestServer::on("runicorn-0.7.2").await;
    let home = server.home().join("of-the-real-viewer");
    std::fs::create_dir_all(&home).unwrap();
    let (viewer, real) = real_viewer(&python, &server.root(), &home).await;
    agree(&server, &real, "before any change").await;

    let changes = [
        (
            "PATCH",
            "/api/runs/20250114_153045_a1b2c3",
            json!({"alias": "ours 新", "tags": ["b", "a"]}),
        ),
        (
            "POST",
            "/api/runs/soft-delete",
            json!({"run_ids": ["20250115_090000_b00b1e", "20250116_101112_c0ffee"]}),
        ),
        (
            "POST",
            "/api/recycle-bin/restore",
            json!({"run_ids": ["20250115_090000_b00b1e", "20250119_080000_de1e7e"]}),
        ),
        (
            "POST",
            "/api/runs/move",
            json!({"run_ids": ["20250117_000001_d15ea5"], "target_path": "moved/here"}),
        ),
        (
            "POST",
            "/api/paths/soft-delete",
            json!({"path": "cv/detection"}),
        ),
        (
            "POST",
            "/api/runs/permanent-delete",
            json!({"run_ids": ["20250120_111111_0a0b0c"]}),
        ),
        // still running on another machine: marked where it is
        (
            "POST",
            "/api/runs/soft-delete",
            json!({"run_ids": ["20250118_140000_fa4a0a"]}),
        ),
    ];
    for (method, path, body) in changes {
        let answer = server.call(method, path, Some(body)).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        agree(&server, &real, &format!("after {path}")).await;
    }
    let answer = crate::transfer::import(
        &server,
        crate::transfer::one_run_zip("20240101_000000_abc123"),
    )
    .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    agree(&server, &real, "after an import").await;

    viewer.kill();
    let (viewer, real) = real_viewer(&python, &server.root(), &home).await;
    agree(&server, &real, "after the real viewer was started again").await;
    let answer = server
        .post("/api/recycle-bin/empty", json!({"confirm": true}))
        .await;
    assert_eq!(answer.status, 200);
    agree(&server, &real, "after the recycle bin was emptied").await;
    viewer.kill();
}
