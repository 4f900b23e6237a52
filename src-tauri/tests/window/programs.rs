//! Programs that a test starts and that end with it.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

/// Longer than anything takes on a busy machine; reaching it is a failure.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Asks again and again, for what gives no sign of its own.
pub(crate) fn wait_until(what: &str, ask: impl Fn() -> Option<()>) {
    let end = Instant::now() + PATIENCE;
    while ask().is_none() {
        assert!(Instant::now() < end, "{what} never came");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A command with nothing to read.
#[expect(
    clippy::disallowed_methods,
    reason = "the one spawn function of these tests"
)]
pub(crate) fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.stdin(Stdio::null());
    command
}

/// A running program; killed when dropped.
pub(crate) struct Running {
    pub(crate) child: Child,
    /// Lines of both streams, as they come.
    lines: Receiver<String>,
    /// All lines seen so far, to show when something fails.
    seen: Vec<String>,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let spawned = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = spawned.unwrap_or_else(|error| {
            panic!(
                "{}: {error}; `cargo xtask test` installs what is missing",
                command.get_program().display()
            )
        });
        let (sender, lines) = channel();
        let streams: [Box<dyn Read + Send>; 2] = [
            Box::new(child.stdout.take().unwrap()),
            Box::new(child.stderr.take().unwrap()),
        ];
        for stream in streams {
            let sender = sender.clone();
            thread::spawn(move || {
                BufReader::new(stream)
                    .lines()
                    .map_while(Result::ok)
                    .all(|line| sender.send(line).is_ok())
            });
        }
        Self {
            child,
            lines,
            seen: Vec::new(),
        }
    }

    /// Waits for a line that says this, and gives it.
    pub(crate) fn line_with(&mut self, words: &str) -> String {
        self.line_where(words, |line| line.contains(words))
    }

    /// Waits for a line like this, and gives it.
    pub(crate) fn line_where(&mut self, what: &str, is_it: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            match self
                .lines
                .recv_timeout(end.saturating_duration_since(Instant::now()))
            {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if is_it(&line) {
                        return line;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    panic!("nobody said {what:?}:\n{}", self.seen.join("\n"))
                }
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("ended without saying {what:?}:\n{}", self.seen.join("\n"))
                }
            }
        }
    }

    /// Waits until it ends by itself; true when it ended well.
    pub(crate) fn ended_well(&mut self) -> bool {
        let end = Instant::now() + PATIENCE;
        // Both streams close when the process is gone.
        while let Ok(line) = self
            .lines
            .recv_timeout(end.saturating_duration_since(Instant::now()))
        {
            self.seen.push(line);
        }
        assert!(
            Instant::now() < end,
            "still running after {PATIENCE:?}:\n{}",
            self.seen.join("\n")
        );
        self.child.wait().unwrap().success()
    }

    /// Everything that was said until now.
    pub(crate) fn said(&mut self) -> String {
        self.seen.extend(self.lines.try_iter());
        self.seen.join("\n")
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
