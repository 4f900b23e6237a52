//! Logs as programs leave them, and as they grow under the reader.

mod filtering;
mod following;
mod paging;
mod searching;

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use super::*;
use crate::run::Layout;
use crate::run_dir::RootDir;

struct Log {
    folder: tempfile::TempDir,
    run: RunDir,
    logs: Logs,
}

impl Log {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("runs/id")).unwrap();
        let root = Arc::new(RootDir::open(folder.path()).unwrap());
        let run = RunDir::new(root, "runs/id", Layout::Current, false).unwrap();
        Self {
            folder,
            run,
            logs: Logs::default(),
        }
    }

    fn of(text: &[u8]) -> Self {
        let log = Self::new();
        log.append(text);
        log
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("runs/id/logs.txt")
    }

    fn append(&self, text: &[u8]) {
        let mut file = File::options()
            .append(true)
            .create(true)
            .open(self.path())
            .unwrap();
        file.write_all(text).unwrap();
    }

    fn page(&self, start: PageStart, count: usize) -> LogPage {
        self.logs.page(&self.run, start, count, false).unwrap()
    }

    fn follower(&self, line: u64) -> LogFollower {
        let (offset, line) = self.logs.place(&self.run, line).unwrap();
        LogFollower::new(self.run.clone(), offset, line)
    }

    fn search(&self, pattern: &LogPattern) -> LogSearch {
        let limits = SearchLimits {
            hits: 100,
            time: Duration::from_mins(1),
            is_cancelled: &|| false,
        };
        self.logs.search(&self.run, pattern, None, &limits).unwrap()
    }
}

fn numbered(lines: std::ops::Range<u32>) -> Vec<u8> {
    lines
        .flat_map(|line| format!("line {line}\n").into_bytes())
        .collect()
}

fn texts(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|&line| line.to_owned()).collect()
}
