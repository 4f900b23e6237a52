//! Starting this program again: the one place of the shell that starts a process.

use std::{env, io, process::Command};

use crate::platform;

/// The flag that tells a program started by [`with_safe_rendering`] what it is.
pub(crate) const SAFE_RENDERING_FLAG: &str = "--safe-rendering";

/// What makes WebKitGTK draw without the graphics card.
const SAFE_RENDERING: [(&str, &str); 2] = [
    ("WEBKIT_DISABLE_DMABUF_RENDERER", "1"),
    ("WEBKIT_DISABLE_COMPOSITING_MODE", "1"),
];

/// Puts a new start of this program, drawing safely, in place of this one. Comes back only with an error.
pub(crate) fn with_safe_rendering() -> io::Error {
    match program() {
        Ok(mut command) => {
            command.envs(SAFE_RENDERING).arg(SAFE_RENDERING_FLAG);
            platform::become_program(command)
        }
        Err(error) => error,
    }
}

/// Puts a new start of this program, drawing as usual, in place of this one. Comes back only with an error.
pub(crate) fn with_usual_rendering() -> io::Error {
    match program() {
        Ok(mut command) => {
            for (name, _) in SAFE_RENDERING {
                command.env_remove(name);
            }
            platform::become_program(command)
        }
        Err(error) => error,
    }
}

/// This program with the arguments of this start.
///
/// The spawn function of the shell.
#[expect(
    clippy::disallowed_methods,
    reason = "the one spawn function of the shell"
)]
fn program() -> io::Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    command.args(
        env::args_os()
            .skip(1)
            .filter(|argument| argument != SAFE_RENDERING_FLAG),
    );
    Ok(command)
}
