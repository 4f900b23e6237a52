//! The one place where these tests start programs: our viewer, the real SDK and the real viewer. Each is killed when it is dropped.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use runicorn_server::launch::ReadyLine;

/// A running program.
pub(crate) struct Program {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: BufReader<ChildStdout>,
}

impl Program {
    /// Starts a program with a home of its own and nothing else of our environment but the search path.
    pub(crate) fn start(program: &Path, arguments: &[&str], home: &Path) -> Self {
        #[expect(clippy::disallowed_methods, reason = "the one spawn of these tests")]
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .env("HOME", home)
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", program.display()));
        Self {
            stdin: child.stdin.take(),
            lines: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    /// Starts our viewer on a free port and waits for its ready line.
    pub(crate) fn viewer(root: &Path, state: &Path, home: &Path) -> (Self, String) {
        let binary = PathBuf::from(env!("CARGO_BIN_EXE_runicorn-viewer"));
        let (root, state) = (root.display().to_string(), state.display().to_string());
        let arguments = ["--storage", &root, "--port", "0", "--state-dir", &state];
        let mut viewer = Self::start(&binary, &arguments, home);
        let ready: ReadyLine = serde_json::from_str(&viewer.line()).unwrap();
        (viewer, ready.url.unwrap())
    }

    /// The next line that the program prints; empty when it has closed its output.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line
    }

    /// Reads on to a line like this one and gives it; a program that ends first fails the test.
    pub(crate) fn line_where(&mut self, what: &str, is_it: impl Fn(&str) -> bool) -> String {
        loop {
            let line = self.line();
            assert!(!line.is_empty(), "it ended without saying {what}");
            if is_it(line.trim()) {
                return line.trim().to_owned();
            }
        }
    }

    /// Writes a line to the program.
    pub(crate) fn tell(&mut self, line: &str) {
        writeln!(self.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Kills it at once (SIGKILL) and waits until it is gone.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The interpreter that has the real Runicorn of a version (`rn6`, `rn7`); prints that the test is skipped when the variable is unset.
pub(crate) fn python_with(version: &str, test: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("RUNICORN_PYTHONS") else {
        println!("skipped: {test} needs RUNICORN_PYTHONS, a folder with {version}/bin/python");
        return None;
    };
    let python = PathBuf::from(folder).join(version).join("bin/python");
    assert!(python.exists(), "{} is missing", python.display());
    Some(python)
}
