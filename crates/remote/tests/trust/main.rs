//! Whom we trust and what we are told: the user's SSH configuration, host keys, saved connections and their secrets, each
//! compared with the real programs.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking and tells what it skips"
)]

#[cfg(all(target_os = "linux", feature = "keyring"))]
mod keyring;
mod known_hosts;
mod saved;
mod ssh_config;

use std::path::Path;
use std::process::{Command, Output};

/// A real program, with nothing of this person's environment but the path.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place of these tests that starts programs"
)]
fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    command
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command
}

fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

fn printed(command: &mut Command) -> String {
    String::from_utf8(run(command).stdout).unwrap()
}

fn has_program(name: &str) -> bool {
    let is_there = ["/usr/bin", "/bin", "/usr/sbin"]
        .iter()
        .any(|folder| Path::new(folder).join(name).exists());
    if !is_there {
        println!("skipped: {name} is not installed");
    }
    is_there
}
