//! This crate against real servers. One binary: its parts share [`support`].
#![cfg(target_os = "linux")]

#[path = "../support/mod.rs"]
mod support;

mod logins;
