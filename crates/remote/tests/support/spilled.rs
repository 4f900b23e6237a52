//! The search for spilled secrets: before a fixture goes, everything that was written below it is read, and the command line and
//! environment of every process that it started.
//!
//! Secrets reach no process but by a pipe and no file but a sealed one, so [`MARK`] must be nowhere. What the tests print is
//! searched by `cargo xtask test`.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A part of every secret that these tests use, and of nothing else.
pub(crate) const MARK: &str = "hush7q";

/// Fails when the mark is in a file or in a name below `folder`. Says nothing when the test has failed already.
pub(crate) fn search_files(folder: &Path) {
    let found = marked_files(folder);
    assert!(
        found.is_empty() || std::thread::panicking(),
        "a secret was written to {found:?}"
    );
}

/// Fails when the mark is in the arguments or in the environment of one of these processes.
pub(crate) fn search_processes(pids: &[u32]) {
    let found: Vec<String> = pids
        .iter()
        .flat_map(|pid| ["cmdline", "environ"].map(|what| format!("/proc/{pid}/{what}")))
        .filter(|file| fs::read(file).is_ok_and(|bytes| has_mark(&bytes)))
        .collect();
    assert!(
        found.is_empty() || std::thread::panicking(),
        "a secret was told to {found:?}"
    );
}

/// The files below `folder` that have the mark in them or in their names.
pub(crate) fn marked_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_path_buf()];
    while let Some(folder) = waiting.pop() {
        // What is left behind may go while it is looked at.
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let (path, kind) = (entry.path(), entry.file_type());
            let is_named = has_mark(entry.file_name().as_encoded_bytes());
            if kind.as_ref().is_ok_and(fs::FileType::is_dir) {
                waiting.push(path.clone());
            }
            let is_written = kind.is_ok_and(|kind| kind.is_file()) && holds_mark(&path);
            if is_named || is_written {
                found.push(path);
            }
        }
    }
    found
}

/// Reads in pieces: a pushed viewer is large.
fn holds_mark(path: &Path) -> bool {
    let Ok(mut file) = fs::File::open(path) else {
        return false;
    };
    let mut window = Vec::new();
    let mut piece = vec![0; 1 << 20];
    loop {
        let Ok(count @ 1..) = file.read(&mut piece) else {
            return false;
        };
        window.extend_from_slice(&piece[..count]);
        if has_mark(&window) {
            return true;
        }
        let kept = window.len().min(MARK.len());
        window.drain(..window.len() - kept);
    }
}

/// As it is, or as a program would write it in base64 (one of three, whatever stands before).
pub(crate) fn has_mark(bytes: &[u8]) -> bool {
    let holds = |wanted: &str| memchr::memmem::find(bytes, wanted.as_bytes()).is_some();
    holds(MARK) || IN_BASE64.iter().any(|wanted| holds(wanted))
}

/// The letters of the mark in base64 that do not depend on its neighbours, at each of three places.
const IN_BASE64: [&str; 3] = ["aHVzaDdx", "h1c2g3c", "odXNoN3"];
