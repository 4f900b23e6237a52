//! The recorded session of the real server with a real SSH server, request by request, against ours on a real one.
//!
//! Names, ports and keys of the recording are replaced by those of here. Each member of a recorded answer must be in ours with
//! the same value; what differs on purpose stands in `flow_differences`, and a row there that explains nothing fails.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::far_side::{Hosts, recorded_home, site_packages};
use super::flow_differences::DIFFERENCES;
use super::sshd::{SshdOptions, is_root_or_skip};
use crate::parity::compare::{Mismatch, Volatile, compare};
use crate::programs::python_with;
use crate::support::{Answer, answer, fixtures};

#[tokio::test]
async fn the_recorded_session_of_runicorn_0_6_0() {
    replay("0.6.0", "rn6").await;
}

#[tokio::test]
async fn the_recorded_session_of_runicorn_0_7_2() {
    replay("0.7.2", "rn7").await;
}

/// The names of the recording and those of here.
struct Names(Vec<(String, String)>);

impl Names {
    fn ours(&self, recorded: &Value) -> Value {
        let mut text = recorded.to_string();
        for (theirs, ours) in &self.0 {
            text = text.replace(theirs, ours);
        }
        serde_json::from_str(&text).unwrap()
    }

    fn also(&mut self, theirs: &Value, ours: &Value) {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        self.0.insert(0, (text(theirs), text(ours)));
    }
}

/// Type, key and fingerprint of a public key file.
fn key_and_fingerprint(public: &str) -> (String, String) {
    let key = public.split_whitespace().nth(1).unwrap().to_owned();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), public).unwrap();
    let told = super::sshd::output(
        super::sshd::program("ssh-keygen")
            .args(["-l", "-f"])
            .arg(file.path()),
    );
    (key, told.split_whitespace().nth(1).unwrap().to_owned())
}

fn packages(environment: &str) -> Option<PathBuf> {
    let python = python_with(environment, "the recorded session")?;
    Some(site_packages(python.parent().unwrap().parent().unwrap()))
}

async fn replay(version: &str, environment: &str) {
    if !is_root_or_skip("a far side with a login shell of its own") {
        return;
    }
    let Some(packages) = packages(environment) else {
        return;
    };
    let options = SshdOptions {
        shell: Some("/bin/bash".into()),
        ..SshdOptions::default()
    };
    let mut hosts = Hosts::with(&options, |home| recorded_home(home, &packages)).await;
    let file = fixtures().join(format!("runicorn-{version}/remote/flow.json"));
    let steps: Vec<Value> = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let mut names = names_of(&hosts);
    let mut faults = Vec::new();
    let mut used = BTreeSet::new();
    for (number, step) in steps.iter().enumerate() {
        let name = format!("{number:02} {}", line_of(step));
        prepare(step, &mut hosts, &mut names).await;
        let Some((expected, found)) = perform(step, &hosts, &mut names).await else {
            continue;
        };
        for mismatch in differences(&names.ours(&expected), &found) {
            let row = DIFFERENCES.iter().position(|row| {
                row.is_about(version, &name) && row.explains(&mismatch, &found["status"])
            });
            match row {
                Some(row) => drop(used.insert(row)),
                None => faults.push(format!("  {version}/{name} {mismatch}")),
            }
        }
    }
    for (number, row) in DIFFERENCES.iter().enumerate() {
        let is_about = steps
            .iter()
            .enumerate()
            .any(|(at, step)| row.is_about(version, &format!("{at:02} {}", line_of(step))));
        if is_about && !used.contains(&number) {
            let (recordings, at) = (row.recordings, row.at);
            faults.push(format!(
                "  a row explains nothing in {version}: {recordings} {at}"
            ));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn line_of(step: &Value) -> String {
    let request = step.get("request").or_else(|| step.get("through_tunnel"));
    request.map_or_else(
        || "the recorded server's own commands".to_owned(),
        |request| {
            let way = if step.get("request").is_some() {
                ""
            } else {
                "tunnel "
            };
            let text = |name: &str| request[name].as_str().unwrap().to_owned();
            format!("{way}{} {}", text("method"), text("path"))
        },
    )
}

fn names_of(hosts: &Hosts) -> Names {
    let port = hosts.sshd.port();
    let pairs = [
        (
            "/home/mluser".to_owned(),
            hosts.sshd.home().display().to_string(),
        ),
        ("mluser".to_owned(), hosts.sshd.username().to_owned()),
        (":2222".to_owned(), format!(":{port}")),
    ];
    let mut names = Names(pairs.to_vec());
    let (key, fingerprint) = presented(hosts);
    names.also(&json!(RECORDED_KEY), &json!(key));
    names.also(&json!(RECORDED_FINGERPRINT), &json!(fingerprint));
    names
}

/// Members that are others each time, or on each machine; they must be of the same kind.
const OF_ONE_RUN: [&str; 8] = [
    "localPort",
    "remotePort",
    "remotePid",
    "startedAt",
    "uptimeSeconds",
    "suggestedRemotePort",
    "python_version",
    "pythonVersion",
];

const RECORDED_KEY: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIP39UO8RhQ363Re9HrEwKV0UvCQV6mPWxHsENxzKVkwG";
const RECORDED_FINGERPRINT: &str = "SHA256:2x/rWVtVSJhBqi2epcSfAdGkXx6GcTilnVMfjAi5wng";

fn presented(hosts: &Hosts) -> (String, String) {
    let public = hosts.sshd.host_key("ed25519").with_extension("pub");
    key_and_fingerprint(&std::fs::read_to_string(public).unwrap())
}

/// What was done to the machine between two requests.
async fn prepare(step: &Value, hosts: &mut Hosts, names: &mut Names) {
    let note = step["note"].as_str().unwrap_or_default();
    if note.starts_with("another key is stored") {
        let stored = presented(hosts);
        hosts.sshd.change_host_key("ed25519");
        let shown = presented(hosts);
        let expected = &step["body"]["detail"]["host_key"];
        let recorded_stored = expected["expected_public_key"].as_str().unwrap();
        let recorded_stored = recorded_stored.split(' ').nth(1).unwrap();
        names
            .0
            .retain(|(theirs, _)| theirs != RECORDED_KEY && theirs != RECORDED_FINGERPRINT);
        names.also(&json!(RECORDED_KEY), &json!(shown.0));
        names.also(&json!(RECORDED_FINGERPRINT), &json!(shown.1));
        names.also(&json!(recorded_stored), &json!(stored.0));
        names.also(&expected["expected_fingerprint_sha256"], &json!(stored.1));
    }
    if note.starts_with("remote viewer was killed") {
        let path = names.ours(&step["request"]["path"]);
        let path = path.as_str().unwrap();
        let before = hosts.server.get(path).await.json();
        let pid = before["remotePid"].as_i64().unwrap();
        super::sshd::run(super::sshd::program("kill").args(["-9", &pid.to_string()]));
        loop {
            let now = hosts.server.get(path).await.json();
            let is_another = now["remotePid"].as_i64().is_some_and(|other| other != pid);
            if is_another && now["status"] == "running" {
                return;
            }
            tokio::task::yield_now().await;
        }
    }
}

/// Sends a step; the recorded answer and ours, status included.
async fn perform(step: &Value, hosts: &Hosts, names: &mut Names) -> Option<(Value, Value)> {
    if let Some(request) = step.get("through_tunnel") {
        let sessions = hosts.server.get("/api/remote/viewer/sessions").await.json();
        let url = sessions["sessions"][0]["url"].as_str().unwrap().to_owned();
        let url = format!("{url}{}", request["path"].as_str().unwrap());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let through = answer(client.get(url)).await;
        return Some((whole(200, &step["body"]), ours(&through)));
    }
    let request = names.ours(step.get("request")?);
    let path = request["path"].as_str().unwrap();
    let method = request["method"].as_str().unwrap();
    let mut body = request.get("json").cloned();
    if let Some(port) = body.as_mut().and_then(|body| body.get_mut("port")) {
        *port = json!(hosts.sshd.port());
    }
    let found = hosts.server.call(method, path, body).await;
    let (theirs, started) = (&step["body"]["session"], &found.json()["session"]);
    if started.is_object() && theirs.is_object() {
        names.also(&theirs["sessionId"], &started["sessionId"]);
        names.also(&theirs["url"], &started["url"]);
    }
    let mut recorded = step["body"].clone();
    set_port(&mut recorded, hosts.sshd.port());
    let status = step["status"].as_u64().unwrap();
    Some((whole(status, &recorded), ours(&found)))
}

/// The recorded SSH port, where it is a number.
fn set_port(value: &mut Value, port: u16) {
    match value {
        Value::Number(number) if number.as_u64() == Some(2222) => *value = json!(port),
        Value::Object(members) => members.values_mut().for_each(|value| set_port(value, port)),
        Value::Array(items) => items.iter_mut().for_each(|value| set_port(value, port)),
        _ => {}
    }
}

fn whole(status: u64, body: &Value) -> Value {
    json!({"status": status, "body": body})
}

fn ours(found: &Answer) -> Value {
    whole(u64::from(found.status), &found.json())
}

fn differences(expected: &Value, found: &Value) -> Vec<Mismatch> {
    let mut out = Vec::new();
    let is_of_one_run = |mismatch: &Mismatch| {
        let member = mismatch.at.rsplit('/').next().unwrap_or_default();
        OF_ONE_RUN.contains(&member) && mismatch.expected.is_string() == mismatch.found.is_string()
    };
    for part in ["status", "body"] {
        compare(
            part,
            &expected[part],
            &found[part],
            &Volatile::default(),
            &mut out,
        );
    }
    out.retain(|mismatch| !is_of_one_run(mismatch));
    out
}
