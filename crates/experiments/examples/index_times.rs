//! How long the list of a root takes, and how much memory: unseen, indexed before, asked again, looked at again.
//!
//! `cargo run --release -p runicorn-experiments --example index_times -- ROOT`
//!
//! A root of 100,000 runs, which is more than the tests make: `crates/xtask/tools/make_storage.py ROOT --runs 100000 --rows 2`.

#![expect(clippy::print_stdout, reason = "it reports to a person")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use runicorn_experiments::{PathTree, RunStore, StoreConfig, StoreError};

const LONG: Duration = Duration::from_mins(2);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = std::env::args_os().nth(1).ok_or("give a storage root")?;
    let own = tempfile::tempdir()?;
    let config = StoreConfig {
        root: PathBuf::from(root),
        cache_dir: own.path().join("cache"),
        state_dir: own.path().join("state"),
        ..StoreConfig::default()
    };
    let store = first_answer("unseen", &config)?;
    for name in ["asked again", "asked a third time"] {
        timed(name, || store.list().len());
    }
    timed("looked at everything", || usize::from(store.refresh(LONG)));
    timed("path tree", || PathTree::of(&store.list()).paths.len());
    end(store);
    end(first_answer("indexed before", &config)?);
    Ok(())
}

fn first_answer(name: &str, config: &StoreConfig) -> Result<Arc<RunStore>, StoreError> {
    let started = Instant::now();
    let store = RunStore::open(config.clone())?;
    let list = store.complete_list(LONG);
    println!(
        "{name}: {} runs in {:?}, {:?}, {}",
        list.len(),
        started.elapsed(),
        store.counters(),
        memory()
    );
    Ok(store)
}

/// What this process holds now, and has held at most.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let lines = status
        .lines()
        .filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM"));
    lines
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect::<Vec<_>>()
        .join(", ")
}

fn timed(name: &str, work: impl FnOnce() -> usize) {
    let started = Instant::now();
    let result = work();
    println!("{name}: {result} in {:?}, {}", started.elapsed(), memory());
}

/// Waits until the index is saved.
fn end(store: Arc<RunStore>) {
    let changes = store.changes();
    drop(store);
    while !changes.is_ended() {
        changes.next(LONG);
    }
}
