//! `ProxyCommand`: a program of the user's configuration whose stdin and stdout are the connection. [`program`] is the only
//! function of this crate that starts a process.

use std::io;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::connection::ByteStream;
use crate::error::{RemoteError, RemoteResult};

/// So much of the end of its stderr is kept.
const STDERR_BYTES: usize = 2048;
/// So long its last words are waited for once its stdout has ended.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What became of the program, for the error text.
#[derive(Clone)]
pub(super) struct Fate {
    stderr: Arc<Mutex<Vec<u8>>>,
    status: Arc<Mutex<Option<String>>>,
    over: CancellationToken,
}

impl Fate {
    /// Its end in words, as far as it is known within a moment.
    pub(super) async fn in_words(&self) -> String {
        if tokio::time::timeout(LAST_WORDS, self.over.cancelled())
            .await
            .is_err()
        {
            tracing::debug!("a ProxyCommand lives on after it closed its stdout");
        }
        let stderr = String::from_utf8_lossy(&self.stderr.lock()).into_owned();
        let status = self.status.lock().clone();
        match (stderr.trim(), status) {
            ("", None) => "it closed the connection".to_owned(),
            ("", Some(status)) => format!("it ended ({status})"),
            (said, None) => said.to_owned(),
            (said, Some(status)) => format!("{said} ({status})"),
        }
    }
}

/// Starts the program and hands out its stdio as one stream. Dropping the stream ends the program and its children.
pub(super) fn open(host: &str, command: &str) -> RemoteResult<(ByteStream, Fate)> {
    let failed = |detail: String| RemoteError::ProxyCommand {
        host: host.to_owned(),
        detail,
    };
    let mut child = program(command)
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    let (Some(stdin), Some(stdout), Some(stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(failed("it has no stdio".to_owned()));
    };
    let fate = Fate {
        stderr: Arc::default(),
        status: Arc::default(),
        over: CancellationToken::new(),
    };
    let unwanted = CancellationToken::new();
    tokio::spawn(attend(child, stderr, fate.clone(), unwanted.clone()));
    let stream = ChildBytes {
        stdin,
        stdout,
        _ends: unwanted.drop_guard(),
    };
    Ok((Box::new(stream), fate))
}

/// Keeps the end of its stderr, and ends it when its stream is dropped.
async fn attend(
    mut child: Child,
    mut stderr: ChildStderr,
    fate: Fate,
    unwanted: CancellationToken,
) {
    let pid = child.id();
    let listen = async {
        let mut buffer = [0; 1024];
        while let Ok(count @ 1..) = stderr.read(&mut buffer).await {
            let mut tail = fate.stderr.lock();
            tail.extend_from_slice(&buffer[..count]);
            let excess = tail.len().saturating_sub(STDERR_BYTES);
            tail.drain(..excess);
        }
    };
    let ended = async {
        let (status, ()) = tokio::join!(child.wait(), listen);
        status
    };
    tokio::select! {
        status = ended => {
            if let Ok(status) = status {
                *fate.status.lock() = Some(status.to_string());
            }
        }
        () = unwanted.cancelled() => {}
    }
    if let Some(pid) = pid {
        end_group(pid);
    }
    if child.wait().await.is_err() {
        tracing::debug!("a ProxyCommand was not waited for");
    }
    fate.over.cancel();
}

/// The program of a `ProxyCommand`, in a process group of its own. Words without anything special to a shell are run as they
/// are; the rest goes to `/bin/sh`, as the user's configuration has it. Nothing of ours is put into its arguments or environment.
#[expect(
    clippy::disallowed_methods,
    reason = "the one spawn function of this crate"
)]
fn program(command: &str) -> Command {
    let words = plain_words(command).unwrap_or_else(|| through_a_shell(command));
    let mut words = words.into_iter();
    let mut program = Command::new(words.next().unwrap_or_default());
    program.args(words);
    program
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    #[cfg(unix)]
    program.process_group(0);
    program
}

#[cfg(unix)]
fn through_a_shell(command: &str) -> Vec<String> {
    let command = command.trim_start();
    let command = command.strip_prefix("exec ").unwrap_or(command);
    ["/bin/sh", "-c", &format!("exec {command}")]
        .map(str::to_owned)
        .into()
}

#[cfg(not(unix))]
fn through_a_shell(command: &str) -> Vec<String> {
    ["cmd", "/C", command].map(str::to_owned).into()
}

#[cfg(unix)]
fn end_group(pid: u32) {
    let group = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    if let Some(group) = group
        && let Err(error) =
            rustix::process::kill_process_group(group, rustix::process::Signal::KILL)
    {
        tracing::trace!(%error, "a ProxyCommand had ended");
    }
}

#[cfg(not(unix))]
fn end_group(_pid: u32) {}

/// The words of a command that a shell would only split.
fn plain_words(command: &str) -> Option<Vec<String>> {
    let is_plain = command.chars().all(|letter| {
        letter.is_alphanumeric()
            || matches!(
                letter,
                ' ' | '\t' | '-' | '_' | '.' | '/' | ':' | '@' | ',' | '+'
            )
    });
    let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
    let words = match words.first().map(String::as_str) {
        Some("exec") => words[1..].to_vec(),
        _ => words,
    };
    (is_plain && !words.is_empty()).then_some(words)
}

struct ChildBytes {
    stdin: ChildStdin,
    stdout: ChildStdout,
    _ends: DropGuard,
}

impl AsyncRead for ChildBytes {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stdout).poll_read(cx, buffer)
    }
}

impl AsyncWrite for ChildBytes {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stdin).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stdin).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stdin).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_commands_that_need_a_shell_get_one() {
        let check = |command: &str, expected: Option<&[&str]>| {
            let words = plain_words(command);
            let words = words
                .as_ref()
                .map(|words| words.iter().map(String::as_str).collect::<Vec<_>>());
            assert_eq!(words.as_deref(), expected, "{command}");
        };
        check(
            "nc -X connect host 22",
            Some(&["nc", "-X", "connect", "host", "22"]),
        );
        check("exec ssh -W a:22 b", Some(&["ssh", "-W", "a:22", "b"]));
        check("nc 'a b' 22", None);
        check("nc a 22 2>/dev/null", None);
        check("nc $(id) 22", None);
        check("~/bin/proxy a", None);
        check("  ", None);
    }
}
