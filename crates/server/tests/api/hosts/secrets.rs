//! Secrets go in and never come out: not in an answer, not in a log, not in a file.

use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::far_side::Hosts;
use super::sshd::SshdOptions;
use crate::support::answer;

const SECRETS: [&str; 4] = [
    "hush7q-pw-Tr0ub4dor",
    "hush7q-phrase-Xq7",
    "hush7q-key-text-9Zk",
    "hush7q-answer-55aa",
];

/// Everything that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn expect_none(place: &str, text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} in {place}: {text}");
    }
}

fn all_files(folder: &Path, check: &mut dyn FnMut(&Path, &[u8])) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            all_files(&path, check);
        } else if let Ok(bytes) = std::fs::read(&path) {
            check(&path, &bytes);
        }
    }
}

#[tokio::test]
async fn no_secret_is_in_any_answer_log_or_file() {
    let log = Log::default();
    let writer = log.clone();
    // Of all threads, and of the crates that log in the older way.
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .init();
    let hosts = Hosts::with(&SshdOptions::default(), |_| {}).await;
    let [password, passphrase, key, reply] = SECRETS;
    let secrets = json!({"password": password, "passphrase": passphrase, "private_key": key});
    let with = |more: Value| {
        let mut body = secrets.clone();
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    let place = hosts.place();
    let saved = with(json!({"kind": "server", "id": "s1", "host": "h", "username": "u"}));
    let calls = [
        ("POST", "/api/remote/connect", with(place.clone())),
        ("POST", "/api/remote/connect", with(json!({}))),
        ("POST", "/api/remote/connect", with(json!({"host": 5}))),
        ("POST", "/api/remote/connect", json!([secrets])),
        (
            "POST",
            "/api/remote/connect",
            json!({"host": "h", "username": "u", "password": [password]}),
        ),
        (
            "POST",
            "/api/remote/connect/answer",
            json!({"prompt_id": "none", "answers": [reply]}),
        ),
        (
            "POST",
            "/api/remote/connect/answer",
            json!({"answers": [reply, {"x": reply}]}),
        ),
        (
            "POST",
            "/api/remote/connect/answer",
            json!({"prompt_id": "none", "answers": reply}),
        ),
        ("POST", "/api/remote/viewer/start", with(json!({}))),
        (
            "POST",
            "/api/remote/viewer/start",
            with(json!({"remote_root": "", "viewer": "what"})),
        ),
        ("POST", "/api/remote/connections/saved", json!([saved])),
        ("POST", "/api/remote/connections/saved", secrets.clone()),
        (
            "POST",
            "/api/remote/connections/saved",
            json!([secrets, password]),
        ),
        ("GET", "/api/remote/connections/saved", Value::Null),
        (
            "POST",
            "/api/config/ssh_connections",
            with(json!({"host": "h", "username": "u", "remember_password": true})),
        ),
        ("POST", "/api/config/ssh_connections", json!([secrets])),
        ("GET", "/api/config/ssh_connections", Value::Null),
        (
            "GET",
            "/api/config/ssh_connections/h:22@u/details",
            Value::Null,
        ),
        ("GET", "/api/hosts", Value::Null),
        ("GET", "/api/remote/status", Value::Null),
        ("GET", "/api/diagnostics/sources", Value::Null),
    ];
    for known in [false, true] {
        if known {
            hosts.know();
        }
        for (method, path, body) in &calls {
            let body = Some(body.clone()).filter(|body| !body.is_null());
            let answer = hosts.server.call(method, path, body).await;
            expect_none(path, &answer.text());
        }
        let text = hosts
            .server
            .request("POST", "/api/remote/connect")
            .body(secrets.to_string());
        expect_none("a body that is no JSON", &answer(text).await.text());
    }
    let logged = log.0.lock().unwrap().clone();
    let logged = String::from_utf8_lossy(&logged).into_owned();
    assert!(!logged.is_empty());
    expect_none("the log", &logged);
    for folder in [
        hosts.server.home(),
        hosts.server.root(),
        hosts.sshd.home().to_owned(),
    ] {
        all_files(&folder, &mut |path, bytes| {
            expect_none(&path.display().to_string(), &String::from_utf8_lossy(bytes));
        });
    }
}
