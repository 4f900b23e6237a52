//! The app ended by `kill -9`: whatever it had begun on the far side ends by its lease, without a trace.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::far_side::own_viewer;
use super::sshd::{Sshd, is_root_or_skip, processes_of, program};
use crate::support::scratch;

const ROUNDS: u64 = 50;
/// The lease is 45 seconds; the rest is for a busy machine.
const PATIENCE: Duration = Duration::from_mins(4);

#[tokio::test]
async fn fifty_kills_of_the_app_leave_no_process_socket_or_file_on_the_far_side() {
    if !is_root_or_skip("a user whose processes can be told from all others") {
        return;
    }
    let sshd = Sshd::start();
    let home = home_of_a_user(&sshd);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let order = json!({
        "host": "127.0.0.1", "port": sshd.port(), "username": sshd.username(), "viewer": "bundled",
        "remote_root": sshd.home().join("runs here").display().to_string(),
    });
    for round in 0..ROUNDS {
        let app = App::start(home.path());
        let url = format!("{}/api/remote/viewer/start", app.url);
        let asked = client.post(url).json(&order).send();
        if round % 4 == 0 {
            let answer = asked.await.unwrap();
            assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
        } else {
            // At some moment of a start.
            let moment = Duration::from_millis(12 * round);
            drop(tokio::time::timeout(moment, asked).await);
        }
        drop(app);
    }
    let until = Instant::now() + PATIENCE;
    loop {
        let left = left_over(&sshd);
        if left.is_empty() {
            return;
        }
        assert!(Instant::now() < until, "{left:#?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Whose key the far side accepts and who knows its host key, with a viewer to push.
fn home_of_a_user(sshd: &Sshd) -> TempDir {
    let folder = scratch();
    let ssh_dir = folder.path().join(".ssh");
    fs::create_dir(&ssh_dir).unwrap();
    fs::copy(sshd.key(), ssh_dir.join("id_ed25519")).unwrap();
    fs::write(ssh_dir.join("known_hosts"), sshd.known_hosts()).unwrap();
    fs::create_dir(folder.path().join("viewers")).unwrap();
    let viewer = own_viewer(&folder.path().join("viewers/runicorn-viewer"));
    assert!(viewer.path.exists());
    folder
}

/// The headless app as a process of its own; dropping it is `kill -9`.
struct App {
    process: Child,
    url: String,
}

impl App {
    fn start(home: &Path) -> Self {
        let mut process = program(env!("CARGO_BIN_EXE_runicorn-viewer"))
            .args(["--port", "0", "--storage"])
            .arg(home.join("root"))
            .env_clear()
            .env("HOME", home)
            .env("PATH", "/usr/bin:/bin")
            .env("RUNICORN_VIEWERS", home.join("viewers"))
            .current_dir(home)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let url = ready["url"].as_str().unwrap().to_owned();
        Self { process, url }
    }
}

impl Drop for App {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Processes of the far user, and what lies where sessions and half-sent viewers do.
fn left_over(sshd: &Sshd) -> Vec<String> {
    let commands = processes_of(sshd.uid()).into_iter().map(|pid| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        format!("{pid} {}", String::from_utf8_lossy(&line))
    });
    let place = sshd.home().join(".cache/runicorn-desktop");
    let sessions = entries(&place.join("sessions"));
    let half_sent = entries(&place.join("viewers")).into_iter().filter(|path| {
        let name = path.file_name().unwrap_or_default();
        name.as_encoded_bytes().starts_with(b".")
    });
    let files = sessions.into_iter().chain(half_sent);
    commands
        .chain(files.map(|path| path.display().to_string()))
        .collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}
