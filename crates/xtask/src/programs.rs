//! Starting other programs: the one place of this crate that does.

use std::{
    env,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::{needs::node, places};

/// A program about to be started in the repository, with our own tools before the system's in its `PATH`.
///
/// The spawn function of `xtask`.
#[expect(
    clippy::disallowed_methods,
    reason = "the one spawn function of this crate"
)]
pub(crate) fn program(name: impl AsRef<OsStr>) -> Command {
    let name = name.as_ref();
    let mut command = Command::new(find(name).unwrap_or_else(|| PathBuf::from(name)));
    command
        .current_dir(places::root())
        .env("PATH", search_path());
    command
}

/// The cargo that runs us.
pub(crate) fn cargo() -> Command {
    program(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")))
}

/// Runs to the end with this terminal; a failure names the whole command line.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    println!("$ {}", line(command));
    let status = command
        .status()
        .with_context(|| format!("could not start {}", line(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", line(command));
    }
    Ok(())
}

/// Runs to the end and gives what it printed on standard output.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let output = finish(command)?;
    if !output.status.success() {
        bail!(
            "{} ended with {}\n{}",
            line(command),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether it starts and ends well; its words are not shown.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    finish(command).is_ok_and(|output| output.status.success())
}

fn finish(command: &mut Command) -> Result<Output> {
    let text = line(command);
    command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("could not start {text}"))
}

/// The file that a bare program name stands for, if there is one.
pub(crate) fn find(name: impl AsRef<OsStr>) -> Option<PathBuf> {
    let name = Path::new(name.as_ref());
    if name.components().count() > 1 {
        return name.is_file().then(|| name.to_path_buf());
    }
    let suffixes: &[&str] = if cfg!(windows) {
        &[".exe", ".cmd", ".bat"]
    } else {
        &[""]
    };
    env::split_paths(&search_path()).find_map(|folder| {
        suffixes.iter().find_map(|suffix| {
            let mut file = name.as_os_str().to_os_string();
            file.push(suffix);
            let path = folder.join(file);
            path.is_file().then_some(path)
        })
    })
}

fn search_path() -> OsString {
    let system = env::var_os("PATH").unwrap_or_default();
    let ours = [places::tools().join("bin"), node::own_bin()];
    let all = ours
        .into_iter()
        .filter(|folder| folder.is_dir())
        .chain(env::split_paths(&system));
    env::join_paths(all).unwrap_or(system)
}

fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}
