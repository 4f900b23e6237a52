//! Commands on the far side, with limits on time and output.

use std::pin::Pin;
use std::time::Duration;

use russh::client::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

use super::{ByteStream, Connection, stream};
use crate::Phase;
use crate::error::{RemoteError, RemoteResult};

/// How much a command may take.
#[derive(Clone, Debug)]
pub struct RunLimits {
    /// What it is for, in error texts.
    pub what: &'static str,
    /// From start to end.
    pub time: Duration,
    /// Of stdout and stderr, each.
    pub output_bytes: usize,
}

impl RunLimits {
    /// Thirty seconds and a mebibyte.
    pub fn of(what: &'static str) -> Self {
        Self {
            what,
            time: Duration::from_secs(30),
            output_bytes: 1 << 20,
        }
    }
}

/// What a command left.
#[derive(Clone, Debug, Default)]
pub struct Output {
    /// Its exit status; absent when a signal ended it or the server did not say.
    pub status: Option<u32>,
    /// What it wrote.
    pub stdout: Vec<u8>,
    /// What it complained about.
    pub stderr: Vec<u8>,
}

impl Output {
    /// True for status 0.
    pub fn is_success(&self) -> bool {
        self.status == Some(0)
    }
}

/// A command that runs. Dropping it closes its channel, which is how a server is told that nobody listens any more.
pub struct RunningCommand {
    /// Taken apart only by what consumes it.
    halves: Option<(ChannelReadHalf, ChannelWriteHalf<Msg>)>,
    ended: CancellationToken,
}

impl RunningCommand {
    /// What comes next: `Data` is stdout, `ExtendedData` 1 is stderr, then `ExitStatus`, `Eof` and `Close`. `None`: it is over.
    pub async fn next(&mut self) -> Option<ChannelMsg> {
        let (from, _) = self.halves.as_mut()?;
        tokio::select! {
            biased;
            message = from.wait() => message,
            () = self.ended.cancelled() => None,
        }
    }

    /// Its stdin. Shutting it down is end of file. Nothing tells a writer that the link is gone while it waits for the far
    /// side to read: wait for [`Self::next`] beside it.
    pub fn stdin(&self) -> Pin<Box<dyn AsyncWrite + Send>> {
        match &self.halves {
            Some((_, to)) => Box::pin(to.make_writer()),
            None => Box::pin(tokio::io::sink()),
        }
    }

    /// Its stdin and stdout as one stream; stderr is let go. Dropping the stream closes the channel.
    pub fn into_stream(mut self) -> ByteStream {
        match self.halves.take() {
            Some((from, to)) => Box::new(stream::of_halves(from, to, self.ended.clone())),
            None => Box::new(tokio::io::join(tokio::io::empty(), tokio::io::sink())),
        }
    }
}

impl Drop for RunningCommand {
    fn drop(&mut self) {
        let Some((from, to)) = self.halves.take() else {
            return;
        };
        drop(from);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if to.close().await.is_err() {
                    tracing::trace!("the link went before a command's channel was closed");
                }
            });
        }
    }
}

pub(super) async fn start(
    connection: &Connection,
    mut channel: Channel<Msg>,
    command: &str,
) -> RemoteResult<RunningCommand> {
    let ended = connection.0.scissors.ended().clone();
    let answer = async {
        let asked = channel.exec(true, command).await;
        if let Err(error) = asked {
            tracing::debug!(%error, "a command was not sent");
            return Err(connection.lost());
        }
        loop {
            match channel.wait().await {
                Some(ChannelMsg::Success) => return Ok(()),
                Some(ChannelMsg::WindowAdjusted { .. }) => {}
                Some(_) => {
                    return Err(RemoteError::Forbidden {
                        host: connection.target().host.clone(),
                        what: "running commands",
                        detail: "the request was refused".to_owned(),
                    });
                }
                None => return Err(connection.lost()),
            }
        }
    };
    let answered = tokio::time::timeout(super::OPEN_LIMIT, answer);
    let answer = connection.unless_ended(answered).await?;
    let running = RunningCommand {
        halves: Some(channel.split()),
        ended,
    };
    match answer {
        Ok(answer) => answer.map(|()| running),
        Err(_late) => Err(RemoteError::Timeout {
            host: connection.target().host.clone(),
            phase: Phase::Checking,
            limit: super::OPEN_LIMIT,
        }),
    }
}

pub(super) async fn finish(
    connection: &Connection,
    mut running: RunningCommand,
    input: &[u8],
    limits: &RunLimits,
) -> RemoteResult<Output> {
    let mut stdin = running.stdin();
    let send = async move {
        // A command may end without reading all of it.
        if stdin.write_all(input).await.is_ok() {
            stdin.shutdown().await.unwrap_or_default();
        }
        std::future::pending::<()>().await;
    };
    let both = async {
        tokio::select! {
            output = collect(connection, &mut running, limits) => output,
            () = send => Err(connection.lost()),
        }
    };
    match connection
        .unless_ended(tokio::time::timeout(limits.time, both))
        .await?
    {
        Ok(output) => output,
        Err(_late) => Err(RemoteError::Timeout {
            host: connection.target().host.clone(),
            phase: Phase::Checking,
            limit: limits.time,
        }),
    }
}

async fn collect(
    connection: &Connection,
    running: &mut RunningCommand,
    limits: &RunLimits,
) -> RemoteResult<Output> {
    let mut output = Output::default();
    let mut has_ended = false;
    while let Some(message) = running.next().await {
        match message {
            ChannelMsg::Data { data } => append(&mut output.stdout, &data, limits)?,
            ChannelMsg::ExtendedData { data, ext: 1 } => {
                append(&mut output.stderr, &data, limits)?;
            }
            ChannelMsg::ExitStatus { exit_status } => output.status = Some(exit_status),
            ChannelMsg::Close => {
                has_ended = true;
                break;
            }
            _ => {}
        }
    }
    if has_ended || output.status.is_some() {
        // The server has closed the channel; there is nothing left to close.
        running.halves = None;
        Ok(output)
    } else {
        Err(connection.lost())
    }
}

fn append(to: &mut Vec<u8>, data: &[u8], limits: &RunLimits) -> RemoteResult<()> {
    if to.len() + data.len() > limits.output_bytes {
        return Err(RemoteError::TooMuchOutput {
            what: limits.what.to_owned(),
            limit_bytes: limits.output_bytes,
        });
    }
    to.extend_from_slice(data);
    Ok(())
}
