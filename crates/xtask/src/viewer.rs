//! A headless viewer of ours, running for as long as the value lives.

use std::{
    ffi::OsString,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::{
    programs::{self, program},
    pushed_viewer,
};

/// The running program and where it answers.
pub(crate) struct Viewer {
    child: Child,
    /// Kept open: a viewer whose standard output breaks would notice.
    _output: BufReader<ChildStdout>,
    /// `host:port`.
    pub(crate) address: String,
}

impl Viewer {
    /// Starts it on a free port, with its own folders below `home`, and waits until it answers.
    pub(crate) fn start(binary: &Path, root: &Path, home: &Path) -> Result<Self> {
        let arguments: Vec<OsString> =
            vec!["--storage".into(), root.into(), "--port".into(), "0".into()];
        let mut child = program(binary)
            .args(arguments)
            .envs(folders_below(home))
            // What it pushes to other machines, when that was built.
            .env("RUNICORN_VIEWERS", pushed_viewer::folder())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("could not start {}", binary.display()))?;
        let mut output = BufReader::new(child.stdout.take().context("no standard output")?);
        let mut line = String::new();
        output.read_line(&mut line)?;
        let Some(address) = address_in(&line) else {
            child.kill()?;
            bail!("the viewer did not say where it answers: {line}");
        };
        Ok(Self {
            child,
            _output: output,
            address,
        })
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, as a person's Ctrl-C does, and waits until it has kept what it knows.
    pub(crate) fn stop(mut self) -> Result<()> {
        programs::run(program("kill").arg(self.child.id().to_string()))?;
        self.child.wait().context("the viewer does not end")?;
        Ok(())
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone after this.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Environment that keeps the user's real folders out of it.
pub(crate) fn folders_below(home: &Path) -> [(&'static str, PathBuf); 4] {
    [
        ("HOME", home.to_path_buf()),
        ("XDG_DATA_HOME", home.join("data")),
        ("XDG_CACHE_HOME", home.join("cache")),
        ("XDG_CONFIG_HOME", home.join("config")),
    ]
}

/// The `host:port` of the ready line, one line of JSON with the address as a URL.
fn address_in(line: &str) -> Option<String> {
    let rest = line.split_once("http://")?.1;
    let end = rest.find(['/', '"'])?;
    rest.get(..end).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_from_the_ready_line() {
        let line = r#"{"ready":true,"url":"http://127.0.0.1:23300/","pid":7}"#;
        assert_eq!(address_in(line).as_deref(), Some("127.0.0.1:23300"));
        assert_eq!(address_in("no address here"), None);
    }
}
