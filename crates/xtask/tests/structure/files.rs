//! What a Rust file looks like, how rooms are called, and what each may not touch.

use std::path::PathBuf;

use super::{expect_none, files_below, read, root, short};

/// What a handler leaves to the domain crates: files, processes, sockets, SQL.
const NOT_IN_HANDLERS: &[&str] = &[
    "fs::",
    "File::open",
    "File::create",
    "OpenOptions",
    ".exists()",
    ".is_file()",
    ".is_dir()",
    ".metadata()",
    "read_dir",
    "std::process",
    "tokio::process",
    "Command::",
    "std::net",
    "tokio::net",
    "rusqlite",
    "prepare(",
];

/// Lines of handlers that may: each with its file and what it is for.
const HANDLERS_MAY: &[(&str, &str)] = &[
    // whether a log of ours is there yet
    ("diagnostics.rs", "source.path.exists()"),
    // an upload goes into a nameless file that the domain opened
    ("transfer.rs", "tokio::fs::File::from_std(file)"),
];

/// What only a crate that speaks HTTP needs.
const NOT_BELOW_THE_SERVER: &[&str] = &["StatusCode", "axum", "http::", "hyper"];

/// Files may be cut by others at any time, and a map of one that was cut ends the process.
const MEMORY_MAPS: &[&str] = &["memmap", "Mmap", "mmap("];

/// Statics that can change are global state.
const CHANGING: &[&str] = &[
    "Atomic", "Mutex", "RwLock", "OnceLock", "LazyLock", "OnceCell", "RefCell",
];

/// The one that may: it only keeps the names of scratch files apart.
const STATICS_MAY: &[&str] = &["static COUNT: AtomicU64"];

/// Names that do not say what a room holds.
const EMPTY_NAMES: [&str; 11] = [
    "utils", "util", "helpers", "helper", "common", "manager", "service", "services", "core",
    "misc", "shared",
];

fn rust_sources() -> Vec<PathBuf> {
    files_below(&root().join("crates"), &["rs"])
        .into_iter()
        .chain(files_below(&root().join("src-tauri"), &["rs"]))
        .collect()
}

#[test]
fn every_rust_file_opens_by_saying_what_it_is_for() {
    let silent = rust_sources()
        .into_iter()
        .filter(|path| !read(path).starts_with("//!"));
    expect_none(
        "files without a `//!` header",
        &silent.map(|path| short(&path)).collect::<Vec<_>>(),
    );
}

#[test]
fn no_room_has_an_empty_name() {
    let ours = rust_sources().into_iter().chain(files_below(
        &root().join("ui/src"),
        &["ts", "svelte", "css"],
    ));
    let is_empty_name = |path: &PathBuf| {
        let inside = path.strip_prefix(root()).unwrap().with_extension("");
        inside.iter().any(|part| {
            EMPTY_NAMES
                .iter()
                .any(|name| part.eq_ignore_ascii_case(name))
        })
    };
    expect_none(
        "rooms whose name says nothing",
        &ours
            .filter(is_empty_name)
            .map(|path| short(&path))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn each_crate_starts_processes_in_one_place_at_most() {
    let mut offenders = Vec::new();
    for package in [
        "crates/experiments",
        "crates/telemetry",
        "crates/server",
        "crates/xtask",
        "src-tauri",
    ] {
        let places: Vec<String> = files_below(&root().join(package), &["rs"])
            .into_iter()
            .filter(|path| !short(path).contains("/tests/") && spawns(&read(path)))
            .map(|path| short(&path))
            .collect();
        if places.len() > 1 {
            offenders.push(format!("{package}: {}", places.join(", ")));
        }
    }
    expect_none("packages with more than one spawn function", &offenders);
}

/// Whether code outside the file's test module makes a command.
fn spawns(text: &str) -> bool {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines()
        .any(|line| line.contains("Command::new(") && !line.trim_start().starts_with("//"))
}

/// Lines of code outside comments and test modules that hold one of these words, as `file:line: text`.
fn lines_with(files: &[PathBuf], words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for path in files {
        let text = read(path);
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in code.lines().enumerate() {
            let line = line.trim();
            if !line.starts_with("//") && words.iter().any(|word| line.contains(word)) {
                found.push(format!("{}:{}: {line}", short(path), number + 1));
            }
        }
    }
    found
}

/// The Rust files of a folder that are no tests.
fn code_of(folder: &str) -> Vec<PathBuf> {
    files_below(&root().join(folder), &["rs"])
        .into_iter()
        .filter(|path| !short(path).contains("/tests/"))
        .collect()
}

#[test]
fn handlers_touch_no_file_process_socket_or_sql() {
    let mut found = lines_with(&code_of("crates/server/src/api"), NOT_IN_HANDLERS);
    found.retain(|line| {
        !HANDLERS_MAY
            .iter()
            .any(|(file, what)| line.contains(file) && line.contains(what))
    });
    expect_none("handlers that do what a domain crate should", &found);
}

#[test]
fn nothing_below_the_server_speaks_http() {
    let below = [
        code_of("crates/experiments/src"),
        code_of("crates/telemetry/src"),
    ]
    .concat();
    expect_none(
        "HTTP below the server",
        &lines_with(&below, NOT_BELOW_THE_SERVER),
    );
}

#[test]
fn no_file_is_mapped_into_memory() {
    let all = [code_of("crates"), code_of("src-tauri")].concat();
    let ours: Vec<PathBuf> = all
        .into_iter()
        .filter(|path| !short(path).starts_with("crates/xtask"))
        .collect();
    expect_none("memory maps", &lines_with(&ours, MEMORY_MAPS));
}

#[test]
fn there_is_no_global_state() {
    let all = [code_of("crates"), code_of("src-tauri")].concat();
    let mut found = lines_with(&all, &["static ", "thread_local!"]);
    found.retain(|line| {
        // A static stands at the start of its line, a lifetime in its middle.
        let is_static = !line.contains("'static") || line.contains(": static ");
        let is_changing =
            line.contains("thread_local!") || CHANGING.iter().any(|kind| line.contains(kind));
        is_static && is_changing && !STATICS_MAY.iter().any(|what| line.contains(what))
    });
    expect_none("global state", &found);
}

#[test]
fn the_rules_of_rooms_see_what_they_should() {
    let this = [root().join("crates/xtask/tests/structure/files.rs")];
    assert!(!lines_with(&this, MEMORY_MAPS).is_empty());
    let code = code_of("crates/server/src");
    assert!(!lines_with(&code, NOT_BELOW_THE_SERVER).is_empty());
}

#[test]
fn no_lint_is_silenced_without_a_reason() {
    let mut offenders = Vec::new();
    for path in rust_sources() {
        if path.file_name().is_some_and(|name| name == "files.rs")
            && short(&path).starts_with("crates/xtask")
        {
            continue;
        }
        for (number, line) in read(&path).lines().enumerate() {
            if line.trim_start().starts_with("#[allow(")
                || line.trim_start().starts_with("#![allow(")
            {
                offenders.push(format!("{}:{}", short(&path), number + 1));
            }
        }
    }
    expect_none("`allow` where `expect` with a reason belongs", &offenders);
}
