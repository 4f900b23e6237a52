//! Commands on the far side, with limits on time and output.

use std::time::Duration;

use russh::client::Msg;
use russh::{Channel, ChannelMsg};
use tokio::io::AsyncWriteExt;

use super::Connection;
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

/// A command that runs: its channel, raw. [`ChannelMsg::Data`] is stdout, `ExtendedData` 1 is stderr.
pub struct RunningCommand {
    /// The channel; dropping it closes it.
    pub channel: Channel<Msg>,
}

pub(super) async fn start(
    connection: &Connection,
    mut channel: Channel<Msg>,
    command: &str,
) -> RemoteResult<RunningCommand> {
    let asked = channel.exec(true, command).await;
    if let Err(error) = asked {
        tracing::debug!(%error, "a command was not sent");
        return Err(connection.lost());
    }
    loop {
        match connection.unless_ended(channel.wait()).await? {
            Some(ChannelMsg::Success) => return Ok(RunningCommand { channel }),
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
}

pub(super) async fn finish(
    connection: &Connection,
    running: RunningCommand,
    input: &[u8],
    limits: &RunLimits,
) -> RemoteResult<Output> {
    let (mut from, to) = running.channel.split();
    let send = async {
        let mut writer = to.make_writer();
        // A command may end without reading all of it.
        if writer.write_all(input).await.is_ok() {
            to.eof().await.unwrap_or_default();
        }
        std::future::pending::<()>().await
    };
    let collect = async {
        let mut output = Output::default();
        let mut has_ended = false;
        while let Some(message) = from.wait().await {
            match message {
                ChannelMsg::Data { data } => append(&mut output.stdout, &data, limits)?,
                ChannelMsg::ExtendedData { data, ext: 1 } => {
                    append(&mut output.stderr, &data, limits)?
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
            Ok(output)
        } else {
            Err(connection.lost())
        }
    };
    let both = async {
        tokio::select! {
            output = collect => output,
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
