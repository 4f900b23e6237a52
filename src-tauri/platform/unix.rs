//! Linux and macOS: a program can become another one, and is asked to end by signals.

use std::{io, os::unix::process::CommandExt, process::Command};

use tokio::signal::unix::{SignalKind, signal};

/// Replaces this process, keeping its id, so that whoever waits for it goes on waiting.
pub(crate) fn become_program(mut command: Command) -> io::Error {
    command.exec()
}

/// Waits until a terminal or the system asks this process to end.
pub(crate) async fn asked_to_end() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        _ = hang_up.recv() => {}
    }
    Ok(())
}
