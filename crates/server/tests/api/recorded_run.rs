//! A run that a test records by itself, line by line.

use std::io::Write;
use std::path::PathBuf;

use serde_json::json;

use crate::support::{RECORDED_HOST, TestServer};

pub(crate) const RUN: &str = "20260601_120000_abcdef";

/// The directory of a run below the server's root.
pub(crate) struct RecordedRun {
    directory: PathBuf,
}

impl RecordedRun {
    /// A run with this word in its status; a running one belongs to this process, so it lives.
    pub(crate) fn new(server: &TestServer, status: &str) -> Self {
        let directory = server.root().join("runs/default").join(RUN);
        std::fs::create_dir_all(&directory).unwrap();
        let meta = json!({"id": RUN, "path": "default", "created_at": 1.0, "hostname": RECORDED_HOST, "pid": std::process::id()});
        std::fs::write(directory.join("meta.json"), meta.to_string()).unwrap();
        let status = json!({"status": status, "started_at": 1.0});
        std::fs::write(directory.join("status.json"), status.to_string()).unwrap();
        Self { directory }
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    pub(crate) fn append(&self, name: &str, text: &str) {
        let mut file = std::fs::File::options()
            .append(true)
            .create(true)
            .open(self.file(name))
            .unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    /// Logs one metrics line for each of these `data` objects.
    pub(crate) fn log(&self, data: &[String]) {
        let line =
            |data: &String| format!("{{\"ts\": 5.0, \"type\": \"metrics\", \"data\": {data}}}\n");
        self.append("events.jsonl", &data.iter().map(line).collect::<String>());
    }
}

/// `{"loss": <step>.5, "global_step": <step>, "time": …}` for each step.
pub(crate) fn losses(steps: std::ops::Range<u32>) -> Vec<String> {
    let one = |step| format!("{{\"loss\": {step}.5, \"global_step\": {step}, \"time\": {step}.0}}");
    steps.map(one).collect()
}
