//! The line of a session: one shell on the far side that takes commands and answers them, as long as it is open.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::connection::{ByteStream, Connection};
use crate::error::{RemoteError, RemoteResult};
use crate::script::{RunningScript, Script};
use crate::session::Far;
use crate::times::Times;

const PROCESS: &str = include_str!("process.sh");
const KEEPER: &str = include_str!("keeper.sh");
const FAR: &str = include_str!("far.sh");
const WATCH: &str = include_str!("watch.py");

/// What it is for, in error texts.
const WHAT: &str = "the session's shell";
/// A line that is longer is not from our script.
const LINE_BYTES: usize = 16 << 10;
/// Nor is an answer that is longer.
const ANSWER_BYTES: usize = 256 << 10;
/// How long an answer may take when nothing else is said.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);
/// How long the far side may take to take a line of ours in.
const WRITE_LIMIT: Duration = Duration::from_secs(5);

/// Lines both ways over a stream of bytes.
pub(crate) struct Lines {
    stream: ByteStream,
    buffer: Vec<u8>,
    host: String,
}

impl Lines {
    /// Over the streams of a script that runs.
    pub(crate) fn of(connection: &Connection, script: RunningScript) -> Self {
        Self {
            stream: script.running.into_stream(),
            buffer: script.first_bytes,
            host: connection.target().host.clone(),
        }
    }

    /// The next line, without its end. May be dropped and asked for again.
    ///
    /// # Errors
    /// [`RemoteError::LinkLost`] when there are no more, [`RemoteError::TooMuchOutput`] for a line without an end.
    pub(crate) async fn next(&mut self) -> RemoteResult<String> {
        let mut searched = 0;
        loop {
            if let Some(at) = self.buffer[searched..]
                .iter()
                .position(|byte| *byte == b'\n')
            {
                let rest = self.buffer.split_off(searched + at + 1);
                let line = std::mem::replace(&mut self.buffer, rest);
                return Ok(String::from_utf8_lossy(&line[..line.len() - 1]).into_owned());
            }
            searched = self.buffer.len();
            if searched > LINE_BYTES {
                return Err(too_much(LINE_BYTES));
            }
            match self.stream.read_buf(&mut self.buffer).await {
                Ok(0) => return Err(self.lost()),
                Ok(_) => {}
                Err(error) => {
                    tracing::debug!(%error, "a session's line ended");
                    return Err(self.lost());
                }
            }
        }
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// [`RemoteError::LinkLost`] when they are not taken in.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> RemoteResult<()> {
        let sent = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        match tokio::time::timeout(WRITE_LIMIT, sent).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(self.lost()),
        }
    }

    /// What was read ahead, and the stream: for bytes that are no lines.
    pub(crate) fn into_parts(self) -> (Vec<u8>, ByteStream) {
        (self.buffer, self.stream)
    }

    fn lost(&self) -> RemoteError {
        RemoteError::LinkLost(self.host.clone())
    }
}

/// What a far side says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hello {
    /// `Linux x86_64`.
    pub(crate) system: String,
    /// What it says about its C library.
    pub(crate) libc: String,
    /// It can unpack.
    pub(crate) has_gzip: bool,
    /// The shell itself: its number and the moment it began.
    pub(crate) process: (String, String),
}

impl Hello {
    pub(super) fn of(lines: &[String]) -> Self {
        let mut hello = Self::default();
        for line in lines {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "system" => rest.clone_into(&mut hello.system),
                "libc" => rest.clone_into(&mut hello.libc),
                "gzip" => hello.has_gzip = true,
                "line" => {
                    let (pid, began) = rest.split_once(' ').unwrap_or((rest, ""));
                    hello.process = (digits(pid), began.to_owned());
                }
                _ => {}
            }
        }
        hello
    }
}

fn digits(text: &str) -> String {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text } else { "0" }.to_owned()
}

/// The line of a session.
pub(crate) struct Line {
    lines: Lines,
    hello: Hello,
}

impl Line {
    /// Starts a shell that takes our commands.
    ///
    /// # Errors
    /// As [`Script::start`].
    pub(crate) async fn open(connection: &Connection, times: &Times) -> RemoteResult<Self> {
        let (tick, lease) = times.ticks();
        let script = Script::new(WHAT, format!("{PROCESS}\n{FAR}"))
            .arg(&format!("{PROCESS}\n{KEEPER}"))
            .arg(WATCH)
            .arg(&lease.to_string())
            .arg(&tick.to_string())
            .arg(&times.grace.as_secs().to_string());
        let running = script.start(connection).await?;
        let mut lines = Lines::of(connection, running);
        let hello = in_time(&lines.host.clone(), ANSWER_LIMIT, answer(&mut lines)).await?;
        Ok(Self {
            hello: Hello::of(&hello),
            lines,
        })
    }

    /// What the far side is.
    pub(crate) fn hello(&self) -> &Hello {
        &self.hello
    }

    /// Sends a command with its arguments and waits for the whole answer.
    ///
    /// # Errors
    /// [`RemoteError::Invalid`] for an argument with a line break in it, [`RemoteError::Timeout`], [`RemoteError::LinkLost`].
    pub(crate) async fn ask(&mut self, command: &[&str]) -> RemoteResult<Vec<String>> {
        self.ask_within(command, ANSWER_LIMIT).await
    }

    /// As [`Self::ask`], for what takes longer.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub(crate) async fn ask_within(
        &mut self,
        command: &[&str],
        limit: Duration,
    ) -> RemoteResult<Vec<String>> {
        if let Some(bad) = command.iter().find(|word| word.contains(['\n', '\0'])) {
            let shown = crate::script::cleaned(bad, 200);
            return Err(RemoteError::Invalid(format!(
                "{shown}: a line break cannot be in it"
            )));
        }
        let text = command.join("\n") + "\n";
        self.lines.send(text.as_bytes()).await?;
        let host = self.lines.host.clone();
        in_time(&host, limit, answer(&mut self.lines)).await
    }

    /// Leaves a sign of life; the answer comes through [`Self::heard`].
    ///
    /// # Errors
    /// [`RemoteError::LinkLost`].
    pub(crate) async fn beat(&mut self, number: u64) -> RemoteResult<()> {
        self.lines.send(format!("b {number}\n").as_bytes()).await
    }

    /// The next answer to a sign of life, with its number. May be dropped and asked for again.
    ///
    /// # Errors
    /// [`RemoteError::LinkLost`], also for a line that is no such answer.
    pub(crate) async fn heard(&mut self) -> RemoteResult<(u64, Far)> {
        let line = self.lines.next().await?;
        let mut words = line.splitn(3, ' ');
        let (Some("b"), Some(Ok(number))) = (words.next(), words.next().map(str::parse)) else {
            return Err(self.lines.lost());
        };
        Ok((number, far(words.next().unwrap_or_default())))
    }
}

/// What the words of the script mean.
pub(crate) fn far(words: &str) -> Far {
    match words.split_once(' ').unwrap_or((words, "")) {
        ("up", _) => Far::Up,
        ("down", status) => Far::Down(crate::script::cleaned(status, 20)),
        ("gone", _) => Far::Gone,
        _ => Far::Unguarded,
    }
}

/// The lines up to the one that ends an answer; signs of life in between (`w`) are let go.
async fn answer(lines: &mut Lines) -> RemoteResult<Vec<String>> {
    let mut answer = Vec::new();
    let mut bytes = 0;
    loop {
        let line = lines.next().await?;
        match line.as_str() {
            "." => return Ok(answer),
            "w" => {}
            _ => {
                bytes += line.len();
                if bytes > ANSWER_BYTES {
                    return Err(too_much(ANSWER_BYTES));
                }
                answer.push(line);
            }
        }
    }
}

async fn in_time<T>(
    host: &str,
    limit: Duration,
    work: impl Future<Output = RemoteResult<T>>,
) -> RemoteResult<T> {
    let late = |_| RemoteError::Timeout {
        host: host.to_owned(),
        phase: crate::Phase::Checking,
        limit,
    };
    tokio::time::timeout(limit, work).await.map_err(late)?
}

fn too_much(limit_bytes: usize) -> RemoteError {
    RemoteError::TooMuchOutput {
        what: WHAT.to_owned(),
        limit_bytes,
    }
}

/// The first value of a word in an answer.
pub(crate) fn value<'a>(answer: &'a [String], word: &str) -> Option<&'a str> {
    answer
        .iter()
        .find_map(|line| line.strip_prefix(word)?.strip_prefix(' '))
}

#[cfg(test)]
mod tests;
