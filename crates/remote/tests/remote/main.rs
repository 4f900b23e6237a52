//! This crate against real servers. One binary: its parts share [`support`].

#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking and tells what it skips"
)]

#[path = "../support/mod.rs"]
mod support;

mod agents;
mod environments;
mod failures;
mod far_side;
mod files;
mod host_keys;
mod links;
mod logins;
mod pool;
mod prompts;
mod scripts;
mod sessions;
mod speed;
mod spilled;
mod storage_candidates;
mod ways;
