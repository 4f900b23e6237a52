//! What a Rust file looks like, and how rooms are called.

use std::path::PathBuf;

use super::{expect_none, files_below, read, root, short};

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
