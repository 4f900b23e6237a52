//! Windows: a new process takes over and this one ends.

use std::{io, process::Command};

/// Starts the new process and ends this one.
#[expect(clippy::exit, reason = "the new process needs this one gone at once")]
pub(crate) fn become_program(mut command: Command) -> io::Error {
    match command.spawn() {
        Ok(_) => std::process::exit(0),
        Err(error) => error,
    }
}

/// Waits until the console asks this process to end.
pub(crate) async fn asked_to_end() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}
