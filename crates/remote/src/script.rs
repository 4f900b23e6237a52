//! POSIX shell scripts on the far side, whatever the login shell is and whatever its start files do.
//!
//! SSH hands a command to the login shell: bash, zsh, fish, tcsh and others, each with its own quoting and its own start
//! files, which may print, read from stdin or end in another shell. So the login shell only ever sees [`LOGIN_COMMAND`],
//! a constant that means the same in all of them. It starts `/bin/sh`, which reads from stdin until it meets our opening
//! line; the script, its arguments and its input follow there and are never pasted into a command line. What the script
//! writes stands between markers that nobody can guess, so that everything else that is printed does not matter.
//!
//! The opening line comes first and whole or nothing runs: start files that eat a part of stdin eat blank lines. When they
//! ate more than that, the second try sends only more blank lines, waits for `/bin/sh` to say that it is there, and sends
//! the rest then.

mod clean;
mod reply;

use std::time::Duration;

use tokio::io::AsyncWriteExt;

use crate::Phase;
use crate::connection::{Connection, RunningCommand};
use crate::error::{RemoteError, RemoteResult};

pub use clean::cleaned;
use reply::Reply;

/// What the login shell gets to see. No quote, backslash, `!` or line break inside: csh and fish read those their own way.
pub const LOGIN_COMMAND: &str = "exec /bin/sh -c 'echo \"#runicorn\"; while read -r a l; do if [ \"$a\" = \"#runicorn\" ]; then eval \"$l\"; exit; fi; done; exit 97'";

/// What [`LOGIN_COMMAND`] says when `/bin/sh` has taken over.
const READY: &[u8] = b"#runicorn\n";

/// Blank lines before the opening line, for start files that read a line…
const BLANK_LINES: usize = 64;
/// …and this much in longer blank lines for those that read a block, where the first was not enough.
const BLANK_BYTES: usize = 16 << 10;

const EATEN: &str = "the start files of the login shell read what is sent to commands";

/// What is told of stderr.
const STDERR_TAIL: usize = 4000;

/// One argument for a POSIX shell, whatever is in it.
pub fn quoted(argument: &str) -> String {
    format!("'{}'", argument.replace('\'', "'\\''"))
}

/// A POSIX shell script with its arguments, its input and its limits.
///
/// It runs with `LC_ALL=C`, without `CDPATH`, and with `/usr/bin` and `/bin` on the path; its stdin is [`Script::input`].
#[derive(Clone, Debug)]
pub struct Script {
    what: &'static str,
    text: String,
    arguments: Vec<String>,
    input: Vec<u8>,
    time: Duration,
    output_bytes: usize,
}

/// What a script left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScriptOutput {
    /// Its exit status.
    pub status: u32,
    /// What it wrote; bytes that are no UTF-8 are replaced.
    pub stdout: String,
    /// What it wrote.
    pub stdout_bytes: Vec<u8>,
    /// The end of what it complained about, cleaned.
    pub stderr: String,
}

impl ScriptOutput {
    /// True for status 0.
    pub fn is_success(&self) -> bool {
        self.status == 0
    }
}

/// A script that runs with its stdin open.
pub struct RunningScript {
    /// Its streams; dropping it closes them.
    pub running: RunningCommand,
    /// What the script wrote so far.
    pub first_bytes: Vec<u8>,
}

impl Script {
    /// A script; `what` says what it is for in error texts. It may take thirty seconds and write a mebibyte.
    pub fn new(what: &'static str, text: impl Into<String>) -> Self {
        Self {
            what,
            text: text.into(),
            arguments: Vec::new(),
            input: Vec::new(),
            time: Duration::from_secs(30),
            output_bytes: 1 << 20,
        }
    }

    /// The next of `"$1"`, `"$2"`, …; any text without NUL.
    #[must_use]
    pub fn arg(mut self, value: &str) -> Self {
        self.arguments.push(value.to_owned());
        self
    }

    /// What the script finds on its stdin, up to the end.
    #[must_use]
    pub fn input(mut self, bytes: Vec<u8>) -> Self {
        self.input = bytes;
        self
    }

    /// The time from start to end, and the bytes of stdout.
    #[must_use]
    pub fn limits(mut self, time: Duration, output_bytes: usize) -> Self {
        self.time = time;
        self.output_bytes = output_bytes;
        self
    }

    /// Runs it to its end. It ends when the script does, not when the last process that it left does.
    ///
    /// # Errors
    /// [`RemoteError::Forbidden`] when the login shell does not come as far as `/bin/sh`, [`RemoteError::Timeout`] and
    /// [`RemoteError::TooMuchOutput`] past the limits. A failing status is no error.
    pub async fn run(&self, connection: &Connection) -> RemoteResult<ScriptOutput> {
        let (token, mut first) = self.new_reply();
        let (other_token, mut second) = self.new_reply();
        let attempts = async {
            self.attempt(connection, Opening::AtOnce, &token, &mut first)
                .await?;
            if !first.is_unread() {
                return self.judge(connection, &first);
            }
            tracing::debug!("the start files ate a script; it is sent again, slowly");
            self.attempt(connection, Opening::WhenReady, &other_token, &mut second)
                .await?;
            self.judge(connection, &second)
        };
        let done = self.in_time(connection, attempts).await;
        let is_eaten = first.is_unread() && !second.has_begun();
        match done {
            Err(RemoteError::Timeout { .. }) if is_eaten => Err(RemoteError::Forbidden {
                host: connection.target().host.clone(),
                what: "running commands",
                detail: EATEN.to_owned(),
            }),
            done => done,
        }
    }

    fn new_reply(&self) -> (String, Reply) {
        let token = format!("rn{:032x}", rand::random::<u128>());
        let reply = Reply::new(&token, self.what, self.output_bytes);
        (token, reply)
    }

    /// Starts it and hands over its streams; [`Script::input`] is sent, and stdin stays open.
    ///
    /// # Errors
    /// As [`Script::run`], up to the moment when the script begins.
    pub async fn start(&self, connection: &Connection) -> RemoteResult<RunningScript> {
        let begin = async {
            let (token, mut reply) = self.new_reply();
            let mut running = connection.start(LOGIN_COMMAND).await?;
            let mut stdin = running.stdin();
            let (say_ready, ready) = tokio::sync::oneshot::channel();
            let write = async {
                let opening = blank_lines(Opening::WhenReady);
                if stdin.write_all(&opening).await.is_ok() && ready.await.is_ok() {
                    // Who ends without reading is seen by the reader.
                    let script = self.bytes(&token, After::Nothing);
                    stdin.write_all(&script).await.unwrap_or_default();
                    stdin.flush().await.unwrap_or_default();
                }
            };
            let read = read_until(&mut running, &mut reply, say_ready, Reply::has_begun);
            both(write, read).await?;
            if !reply.has_begun() {
                return Err(self.not_ours(connection, &reply));
            }
            Ok(RunningScript {
                running,
                first_bytes: reply.into_output(),
            })
        };
        self.in_time(connection, begin).await
    }

    async fn in_time<T>(
        &self,
        connection: &Connection,
        work: impl Future<Output = RemoteResult<T>>,
    ) -> RemoteResult<T> {
        let limit = self.time;
        match connection
            .unless_ended(tokio::time::timeout(limit, work))
            .await?
        {
            Ok(done) => done,
            Err(_late) => Err(RemoteError::Timeout {
                host: connection.target().host.clone(),
                phase: Phase::Checking,
                limit,
            }),
        }
    }

    async fn attempt(
        &self,
        connection: &Connection,
        opening: Opening,
        token: &str,
        reply: &mut Reply,
    ) -> RemoteResult<()> {
        let mut running = connection.start(LOGIN_COMMAND).await?;
        let mut stdin = running.stdin();
        let (say_ready, ready) = tokio::sync::oneshot::channel();
        let write = async {
            let mut sent = stdin.write_all(&blank_lines(opening)).await;
            if matches!(opening, Opening::WhenReady) && ready.await.is_err() {
                return;
            }
            if sent.is_ok() {
                sent = stdin.write_all(&self.bytes(token, After::Status)).await;
            }
            // A script may end without reading all of it.
            if sent.is_ok() {
                stdin.shutdown().await.unwrap_or_default();
            }
        };
        let read = read_until(&mut running, reply, say_ready, |_| false);
        both(write, read).await?;
        if reply.finished().is_none() && !connection.is_live() {
            return Err(connection.lost());
        }
        Ok(())
    }

    fn judge(&self, connection: &Connection, reply: &Reply) -> RemoteResult<ScriptOutput> {
        match reply.finished() {
            Some(output) => Ok(output),
            None if reply.has_begun() => Err(RemoteError::Command {
                what: self.what.to_owned(),
                detail: "it was ended before it was done".to_owned(),
            }),
            None => Err(self.not_ours(connection, reply)),
        }
    }

    fn not_ours(&self, connection: &Connection, reply: &Reply) -> RemoteError {
        let said = reply.everything_said();
        tracing::debug!(what = self.what, "the login shell did not run a script");
        RemoteError::Forbidden {
            host: connection.target().host.clone(),
            what: "running commands",
            detail: if reply.is_ready() {
                EATEN.to_owned()
            } else if said.is_empty() {
                "the login shell ended without running /bin/sh".to_owned()
            } else {
                said
            },
        }
    }

    /// The opening line and what follows it. `/bin/sh` runs the opening line, which takes in the lines up to the token as
    /// the script and leaves the rest on stdin.
    fn bytes(&self, token: &str, after: After) -> Vec<u8> {
        let run = match after {
            After::Nothing => "eval \"$s\"; exit".to_owned(),
            After::Status => format!(
                "(eval \"$s\"); s=$?; \
                 printf \"\\n%s\\n\" {token}e >&2; printf \"\\n%s %s\\n\" {token}e $s; exit 0"
            ),
        };
        let opening = format!(
            "#runicorn LC_ALL=C; export LC_ALL; unset CDPATH; \
             case \":$PATH:\" in *:/usr/bin:*:/bin:*) ;; *) PATH=\"$PATH:/usr/bin:/bin\"; export PATH;; esac; \
             n=$(printf \"\\nx\"); n=${{n%x}}; s=; while IFS= read -r l; do [ \"$l\" = {token} ] && break; s=$s$l$n; done; \
             [ \"$l\" = {token} ] || exit 97; \
             printf \"\\n%s\\n\" {token}b >&2; printf \"\\n%s\\n\" {token}b; {run}\n"
        );
        let mut script = String::new();
        if !self.arguments.is_empty() {
            let words: Vec<_> = self.arguments.iter().map(|word| quoted(word)).collect();
            script = format!("set -- {}\n", words.join(" "));
        }
        let whole = format!("{opening}{script}{}\n{token}\n", self.text);
        let mut bytes = whole.into_bytes();
        bytes.extend_from_slice(&self.input);
        bytes
    }
}

/// What `/bin/sh` writes when the script is over.
#[derive(Clone, Copy)]
enum After {
    /// The closing marker with the status.
    Status,
    /// Nothing: the streams are the script's own, and it may become another program.
    Nothing,
}

/// When the opening line is sent.
#[derive(Clone, Copy)]
enum Opening {
    /// With everything else, in one go.
    AtOnce,
    /// Once `/bin/sh` says that it is there.
    WhenReady,
}

/// Blank lines, then the login command once more: start files that end in another shell (`exec zsh`) lose the command of
/// the login shell, and the other shell reads its commands here. Where all is well this is one more line to skip.
fn blank_lines(opening: Opening) -> Vec<u8> {
    let mut lines = vec![b'\n'; BLANK_LINES];
    if matches!(opening, Opening::WhenReady) {
        let line = format!("{:63}\n", "");
        lines.extend_from_slice(line.repeat(BLANK_BYTES / line.len()).as_bytes());
    }
    lines.extend_from_slice(LOGIN_COMMAND.as_bytes());
    lines.push(b'\n');
    lines
}

/// Runs both; done when reading is.
async fn both(
    write: impl Future<Output = ()>,
    read: impl Future<Output = RemoteResult<()>>,
) -> RemoteResult<()> {
    tokio::pin!(write, read);
    tokio::select! {
        done = &mut read => return done,
        () = &mut write => {}
    }
    read.await
}

/// Takes what comes until it is enough or over, and says when `/bin/sh` is there.
async fn read_until(
    running: &mut RunningCommand,
    reply: &mut Reply,
    say_ready: tokio::sync::oneshot::Sender<()>,
    is_enough: impl Fn(&Reply) -> bool,
) -> RemoteResult<()> {
    let mut say_ready = Some(say_ready);
    while !is_enough(reply) {
        let Some(message) = running.next().await else {
            break;
        };
        if !reply.take(message)? {
            break;
        }
        if reply.is_ready()
            && let Some(say) = say_ready.take()
        {
            say.send(()).unwrap_or_default();
        }
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests;
