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
mod failures;
mod host_keys;
mod links;
mod logins;
mod pool;
mod prompts;
mod speed;
mod ways;
