//! The API, called over real connections to a real server on copies of recorded storage roots.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking and tells what it skips"
)]

mod access;

mod agreement;
mod alerts;
mod annotations;
mod artifacts;
mod asset_list;
mod clients;
mod diagnostics;
mod faults;
mod gpus;
mod health;
#[cfg(target_os = "linux")]
mod hosts;
mod kill;
#[cfg(unix)]
mod launch;
mod live;
mod logs;
mod media;
mod metrics;
mod openapi;
mod parity;
mod programs;
mod recorded_run;
mod run_gpus;
mod run_values;
mod running;
mod runs;
mod series;
mod settings;
mod support;
mod transfer;
