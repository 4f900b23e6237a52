//! This crate against real servers. One binary: its parts share [`support`].
#![cfg(target_os = "linux")]

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
