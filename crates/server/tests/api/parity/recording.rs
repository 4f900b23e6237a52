//! One recorded request: read from its file, sent to our server, its answer compared.

use std::io::{Cursor, Read, Write};
use std::path::Path;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio_tungstenite::tungstenite::{self, Message};

use super::compare::{Mismatch, Volatile, compare};
use super::files::Files;
use crate::support::{Answer, RECORDED_HOME, RECORDED_ROOT, RawCall, TestServer, fixtures};

/// Longer than any answer takes and than the time between two signs of life; reached only when one never comes.
const PATIENCE: Duration = Duration::from_mins(1);

/// For a message that never comes, as the table says.
const SHORT_PATIENCE: Duration = Duration::from_secs(2);

/// A recording as it lies on disk.
pub(super) struct Recording {
    /// The file's name without its ending.
    pub(super) name: String,
    text: String,
}

/// A recording made true for this server's folders.
pub(super) struct Expectation {
    value: Value,
    /// `GET /api/…`, for messages.
    pub(super) line: String,
    volatile: Volatile,
}

impl Expectation {
    /// The recorded status.
    pub(super) fn status(&self) -> &Value {
        &self.value["status"]
    }
}

/// All recordings of a folder, in order of name.
pub(super) fn all_in(folder: &str) -> Vec<Recording> {
    let mut recordings: Vec<Recording> = std::fs::read_dir(fixtures().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .map(|path| Recording {
            name: path.file_stem().unwrap().to_string_lossy().into_owned(),
            text: std::fs::read_to_string(&path).unwrap(),
        })
        .collect();
    recordings.sort_by(|one, other| one.name.cmp(&other.name));
    assert!(!recordings.is_empty(), "no recordings in {folder}");
    recordings
}

/// Sends recordings to a server.
pub(super) struct Replay<'a> {
    server: &'a TestServer,
}

impl<'a> Replay<'a> {
    pub(super) fn new(server: &'a TestServer) -> Self {
        Self { server }
    }

    /// The recording with this server's root and home in place of the recorded ones.
    pub(super) fn expectation(&self, recording: &Recording) -> Expectation {
        let mut text = recording.text.clone();
        for (recorded, ours) in [
            (RECORDED_ROOT, self.server.root()),
            (RECORDED_HOME, self.server.home()),
        ] {
            let ours = ours.display().to_string();
            text = text.replace(recorded, &ours);
            text = text.replace(&recorded.replace('/', "%2F"), &ours.replace('/', "%2F"));
        }
        // One recorded file inside an archive holds Python's `NaN`, which stands for null in every answer.
        let text = text.replace(": NaN", ": null");
        let value: Value = serde_json::from_str(&text).unwrap();
        let notes = value["volatile"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        let request = &value["request"];
        let notes = notes.chain(not_comparable(text_of(&request["path"])).iter().copied());
        let volatile = Volatile::of_notes(notes);
        let line = format!(
            "{} {}",
            text_of(&request["method"]),
            text_of(&request["path"])
        );
        Expectation {
            value,
            line,
            volatile,
        }
    }

    /// Sends the request and lists what differs. `never_comes` tells the places of messages that are not waited for.
    pub(super) async fn send(
        &self,
        recording: &Recording,
        expectation: &Expectation,
        never_comes: impl Fn(&str) -> bool,
    ) -> Vec<Mismatch> {
        if expectation.value["request"]["method"] == "WS" {
            return self.follow_socket(expectation, never_comes).await;
        }
        let watched = [
            ("storage", self.server.root()),
            ("home", self.server.home()),
        ];
        let is_write = recording.name.as_bytes()[0].is_ascii_digit();
        let before = watched
            .clone()
            .map(|(_, folder)| is_write.then(|| Files::below(&folder)));
        let answer = self.call(&expectation.value["request"]).await;
        let mut out = Vec::new();
        compare_answer(expectation, &answer, &mut out);
        for ((label, folder), before) in watched.iter().zip(before) {
            let Some(before) = before else { continue };
            let recorded = &expectation.value[format!("{label}_diff")];
            before.compare_change(
                &Files::below(folder),
                label,
                recorded,
                &expectation.volatile,
                &mut out,
            );
        }
        out
    }

    async fn call(&self, request: &Value) -> Answer {
        let mut call = RawCall::new(text_of(&request["method"]), text_of(&request["path"]));
        for (name, value) in request["headers"].as_object().into_iter().flatten() {
            call = call.header(name, text_of(value));
        }
        if let Some(json) = request.get("json") {
            call = call
                .header("content-type", "application/json")
                .body(json.to_string().into_bytes());
        }
        if let Some(raw) = request.get("raw") {
            let body = raw["text"]
                .as_str()
                .map_or_else(recorded_upload, |text| text.as_bytes().to_vec());
            call = call
                .header("content-type", text_of(&raw["content_type"]))
                .body(body);
        }
        self.server.send(call).await
    }

    async fn follow_socket(
        &self,
        expectation: &Expectation,
        never_comes: impl Fn(&str) -> bool,
    ) -> Vec<Mismatch> {
        let url = self
            .server
            .ws_url(text_of(&expectation.value["request"]["path"]));
        let status = expectation.value["status"].as_u64().unwrap();
        let mut out = Vec::new();
        let mut socket = match tokio_tungstenite::connect_async(url).await {
            Ok((socket, _)) => socket,
            Err(tungstenite::Error::Http(refusal)) => {
                let found = u64::from(refusal.status().as_u16());
                if found != status {
                    out.push(Mismatch::new("status", status, found));
                }
                return out;
            }
            Err(error) => panic!("{}: {error}", expectation.line),
        };
        if status != 101 {
            out.push(Mismatch::new("status", status, 101));
            return out;
        }
        let recorded: Vec<String> =
            serde_json::from_value(expectation.value["messages"].clone()).unwrap();
        let mut found: Vec<String> = Vec::new();
        let mut closed = Value::Null;
        let mut is_asked = false;
        // All recorded messages, then a question: what comes before its answer is one too many.
        loop {
            let is_end_recorded = !expectation.value["closed_by_server"].is_null();
            if found.len() >= recorded.len() && !is_asked && !is_end_recorded {
                socket
                    .send(Message::Ping("still there?".into()))
                    .await
                    .unwrap();
                is_asked = true;
            }
            let patience = if never_comes(&format!("messages/{}", found.len())) {
                SHORT_PATIENCE
            } else {
                PATIENCE
            };
            match tokio::time::timeout(patience, socket.next()).await {
                Ok(Some(Ok(Message::Text(text)))) => found.push(text.to_string()),
                Ok(Some(Ok(Message::Pong(_)))) => break,
                Ok(Some(Ok(Message::Close(frame)))) => {
                    closed = frame.map_or(json!({}), |frame| {
                        json!({"code": u16::from(frame.code), "reason": frame.reason.as_str()})
                    });
                    break;
                }
                Ok(Some(Ok(_))) => {}
                Ok(Some(Err(_)) | None) => {
                    closed = json!("broken off");
                    break;
                }
                Err(_) => {
                    found.push("(nothing more came)".to_owned());
                    break;
                }
            }
        }
        compare(
            "messages",
            &json!(recorded),
            &json!(found),
            &expectation.volatile,
            &mut out,
        );
        compare(
            "closed",
            &expectation.value["closed_by_server"],
            &closed,
            &expectation.volatile,
            &mut out,
        );
        out
    }
}

/// What `fixtures/README.md` calls not comparable beside the notes of the recordings.
fn not_comparable(path: &str) -> &'static [&'static str] {
    match path {
        "/api/health" => &[
            "/body/cache/hit_rate",
            "/body/cache/hits",
            "/body/cache/misses",
            "/body/cache/incremental_updates",
            "/body/cache/size",
        ],
        "/api/system/monitor" => &["/body/platform"],
        _ => &[],
    }
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

fn compare_answer(expectation: &Expectation, answer: &Answer, out: &mut Vec<Mismatch>) {
    let recorded = &expectation.value;
    let status = recorded["status"].as_u64().unwrap();
    if status != u64::from(answer.status) {
        out.push(Mismatch::new("status", status, answer.status));
    }
    for (name, value) in recorded["headers"].as_object().into_iter().flatten() {
        let found = answer.header(name).map_or(Value::Null, Value::from);
        if *value != found && !expectation.volatile.covers(&format!("headers/{name}")) {
            out.push(Mismatch::new(
                format!("header/{name}"),
                value.clone(),
                found,
            ));
        }
    }
    compare_body(expectation, answer, out);
}

fn compare_body(expectation: &Expectation, answer: &Answer, out: &mut Vec<Mismatch>) {
    let body = &expectation.value["body"];
    if body.is_null() {
        return;
    }
    if let Some(text) = body.get("$text") {
        compare(
            "body",
            text,
            &json!(answer.text()),
            &expectation.volatile,
            out,
        );
    } else if let Some(entries) = body.get("$zip") {
        compare(
            "body",
            &recorded_entries(entries),
            &zip_entries(&answer.bytes),
            &expectation.volatile,
            out,
        );
    } else if body.get("$bytes").is_some() {
        let found =
            json!({"$bytes": answer.bytes.len(), "sha256": hex_of(&Sha256::digest(&answer.bytes))});
        let mut recorded = body.clone();
        recorded.as_object_mut().unwrap().remove("base64");
        compare("body", &recorded, &found, &expectation.volatile, out);
    } else if body.get("$html").is_some() {
        let is_page = answer.text().contains("<html");
        if !is_page {
            out.push(Mismatch::new("body", "a page", answer.text()));
        }
    } else {
        let found = serde_json::from_slice(&answer.bytes).unwrap_or_else(|_| json!(answer.text()));
        compare("body", body, &found, &expectation.volatile, out);
    }
}

/// Entries by name. Those that hold the root's path have other checksums here than in the recording, so only their
/// sizes count (our roots have paths of the recorded length).
fn zip_entries(bytes: &[u8]) -> Value {
    let Ok(mut archive) = zip::ZipArchive::new(Cursor::new(bytes)) else {
        return json!(format!(
            "no archive: {}",
            String::from_utf8_lossy(&bytes[..bytes.len().min(200)])
        ));
    };
    let entries = (0..archive.len()).map(|position| {
        let mut entry = archive.by_index(position).unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        let name = entry.name().unwrap().into_owned();
        let mut found = json!({"id": name, "size": content.len()});
        if name == "index.json" {
            found["json"] = serde_json::from_slice(&content).unwrap_or(Value::Null);
        } else if !holds_paths(&name) {
            found["crc32"] = json!(format!("{:08x}", entry.crc32()));
        }
        found
    });
    Value::Array(entries.collect())
}

fn recorded_entries(recorded: &Value) -> Value {
    let entries = recorded.as_array().unwrap().iter().map(|entry| {
        let name = text_of(&entry["name"]);
        let mut expected = json!({"id": name, "size": entry["size"]});
        if name == "index.json" {
            expected = json!({"id": name, "json": entry["json"]});
        } else if !holds_paths(name) {
            expected["crc32"] = entry["crc32"].clone();
        }
        expected
    });
    Value::Array(entries.collect())
}

fn holds_paths(name: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|ending| ending == "json" || ending == "jsonl")
        || name.ends_with(".deleted")
}

fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        use std::fmt::Write;
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// The archive that was uploaded to the real servers; only its entries were noted: a run, `../escape.txt`, `/abs.txt` and
/// `plain.txt`.
fn recorded_upload() -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    let run = "runs/imported/20240101_000000_abc123";
    let meta =
        r#"{"id": "20240101_000000_abc123", "path": "imported", "created_at": 1704067200.0}"#;
    for (name, text) in [
        (format!("{run}/meta.json"), meta),
        (format!("{run}/status.json"), r#"{"status": "finished"}"#),
        ("../escape.txt".to_owned(), "x"),
        ("/abs.txt".to_owned(), "x"),
        ("plain.txt".to_owned(), "x"),
    ] {
        archive.start_file(name, options).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    let archive = archive.finish().unwrap().into_inner();
    let mut body =
        b"--XBOUNDARYX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.zip\"\r\n\
        Content-Type: application/octet-stream\r\n\r\n"
            .to_vec();
    body.extend(archive);
    body.extend(b"\r\n--XBOUNDARYX--\r\n");
    body
}
