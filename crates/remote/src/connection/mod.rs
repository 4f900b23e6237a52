//! One authenticated SSH connection: commands, byte streams and files over it. Cheap to clone.
//!
//! A connection is made by [`dial`](crate::dial) and ends once: when it is closed, when the other side goes, or when it is
//! found dead. Then [`Connection::ended`] resolves, every call fails with [`RemoteError::LinkLost`], and who needs another one dials.

mod client;
mod command;
mod stream;
mod wire;

use std::sync::Arc;
use std::time::{Duration, Instant};

use russh::client::{Handle, Msg};
use russh::{Channel, ChannelMsg, ChannelOpenFailure, Disconnect};
use russh_sftp::client::SftpSession;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

pub(crate) use client::{Client, HostKeyCheck, LastWords};
pub use command::{Output, RunLimits, RunningCommand};
pub(crate) use wire::{CutOnDrop, Scissors, wire};

use crate::error::{RemoteError, RemoteResult};
use crate::kept::Kept;
use crate::target::Target;

/// Opening a channel takes a round trip; a far side that needs longer than this hangs.
const OPEN_LIMIT: Duration = Duration::from_secs(20);
/// A round trip on a living link is shorter than this.
const PING_LIMIT: Duration = Duration::from_secs(15);

/// Bytes both ways.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Bytes both ways through a connection.
pub type ByteStream = Box<dyn Stream>;

/// One authenticated SSH connection.
#[derive(Clone)]
pub struct Connection(Arc<Inner>);

struct Inner {
    target: Target,
    handle: Handle<Client>,
    /// Jump connections on the way live as long as this one.
    _way: Vec<Connection>,
    scissors: Scissors,
    kept: Kept,
}

impl Connection {
    /// Wraps a handle that has passed authentication, with the scissors of its wire.
    pub(crate) fn new(
        target: Target,
        handle: Handle<Client>,
        way: Vec<Self>,
        scissors: Scissors,
    ) -> Self {
        Self(Arc::new(Inner {
            target,
            handle,
            _way: way,
            scissors,
            kept: Kept::default(),
        }))
    }

    /// Who is where.
    pub fn target(&self) -> &Target {
        &self.0.target
    }

    /// False once it has ended.
    pub fn is_live(&self) -> bool {
        !self.0.scissors.ended().is_cancelled() && !self.0.handle.is_closed()
    }

    /// Resolves when the connection is over, for whatever reason.
    pub async fn ended(&self) {
        self.0.scissors.ended().cancelled().await;
    }

    /// As [`Self::ended`], without keeping the connection.
    pub(crate) fn ended_token(&self) -> CancellationToken {
        self.0.scissors.ended().clone()
    }

    /// True when both are the same connection.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// How long a question to the server itself and its answer take; no command is run and nothing is opened.
    ///
    /// # Errors
    /// [`RemoteError::LinkLost`], or [`RemoteError::Timeout`] when nothing came back for fifteen seconds. Who needs to know
    /// earlier waits less and drops the future.
    pub async fn ping(&self) -> RemoteResult<Duration> {
        let asked = Instant::now();
        let answered = tokio::time::timeout(PING_LIMIT, self.0.handle.send_ping());
        match self.unless_ended(answered).await? {
            Ok(Ok(())) if self.is_live() => Ok(asked.elapsed()),
            Ok(_) => Err(self.lost()),
            Err(_late) => Err(RemoteError::Timeout {
                host: self.0.target.host.clone(),
                phase: crate::Phase::Running,
                limit: PING_LIMIT,
            }),
        }
    }

    /// Says goodbye and ends it; nothing on the far side is waited for longer than a second.
    pub async fn close(&self) {
        let goodbye = self
            .0
            .handle
            .disconnect(Disconnect::ByApplication, "", "en");
        let farewell = async {
            if goodbye.await.is_ok() {
                self.ended().await;
            }
        };
        if tokio::time::timeout(Duration::from_secs(1), farewell)
            .await
            .is_err()
        {
            tracing::debug!(target = %self.0.target, "a connection did not take its goodbye");
        }
        self.cut();
    }

    /// Closes the wire at once, without a word: the way to treat a link that was found dead.
    pub fn cut(&self) {
        self.0.scissors.cut();
    }

    /// A stream to a UNIX socket of the far side.
    ///
    /// # Errors
    /// [`RemoteError::Path`] when nobody listens there; OpenSSH says the same when forwarding to sockets is switched off.
    /// [`RemoteError::Forbidden`] when another server says that it is.
    pub async fn open_socket(&self, path: &str) -> RemoteResult<ByteStream> {
        let channel = self
            .open(self.0.handle.channel_open_direct_streamlocal(path))
            .await?;
        channel
            .map(|channel| self.stream(channel))
            .map_err(|refusal| self.refused(refusal, "forwarding to sockets", path))
    }

    /// A stream to a TCP address as seen from the far side.
    ///
    /// # Errors
    /// [`RemoteError::Path`] when nobody listens there, [`RemoteError::Forbidden`] when the server does not forward to ports.
    pub async fn open_tcp(&self, host: &str, port: u16) -> RemoteResult<ByteStream> {
        let opening =
            self.0
                .handle
                .channel_open_direct_tcpip(host, u32::from(port), "127.0.0.1", 0);
        let channel = self.open(opening).await?;
        channel
            .map(|channel| self.stream(channel))
            .map_err(|refusal| {
                self.refused(refusal, "forwarding to ports", &format!("{host}:{port}"))
            })
    }

    /// Starts a command (through the login shell of the user, as SSH does) and leaves its streams to the caller.
    ///
    /// # Errors
    /// [`RemoteError::Forbidden`] when the server does not run commands.
    pub async fn start(&self, command: &str) -> RemoteResult<RunningCommand> {
        let channel = self.session_channel("running commands").await?;
        command::start(self, channel, command).await
    }

    /// Runs a command to its end with `input` on its stdin.
    ///
    /// # Errors
    /// As [`Self::start`]; [`RemoteError::Timeout`] and [`RemoteError::TooMuchOutput`] past the limits. A failing status is no error.
    pub async fn run(
        &self,
        command: &str,
        input: &[u8],
        limits: &RunLimits,
    ) -> RemoteResult<Output> {
        let running = self.start(command).await?;
        command::finish(self, running, input, limits).await
    }

    /// A file session.
    ///
    /// # Errors
    /// [`RemoteError::Forbidden`] when the server has no SFTP.
    pub async fn sftp(&self) -> RemoteResult<SftpSession> {
        let stream = self.sftp_stream().await?;
        let started = self.unless_ended(SftpSession::new(stream)).await?;
        started.map_err(|error| self.no_sftp(error.to_string()))
    }

    /// The bytes of a file session.
    pub(crate) async fn sftp_stream(&self) -> RemoteResult<ByteStream> {
        let mut channel = self.session_channel("file access").await?;
        let answer = async {
            if channel.request_subsystem(true, "sftp").await.is_err() {
                return Err(self.lost());
            }
            loop {
                match channel.wait().await {
                    Some(ChannelMsg::Success) => return Ok(()),
                    Some(ChannelMsg::WindowAdjusted { .. }) => {}
                    Some(_) => return Err(self.no_sftp("the request was refused".to_owned())),
                    None => return Err(self.lost()),
                }
            }
        };
        match self
            .unless_ended(tokio::time::timeout(OPEN_LIMIT, answer))
            .await?
        {
            Ok(answer) => answer.map(|()| self.stream(channel)),
            Err(_late) => Err(RemoteError::Timeout {
                host: self.0.target.host.clone(),
                phase: crate::Phase::Checking,
                limit: OPEN_LIMIT,
            }),
        }
    }

    fn no_sftp(&self, detail: String) -> RemoteError {
        RemoteError::Forbidden {
            host: self.0.target.host.clone(),
            what: "file access (SFTP)",
            detail,
        }
    }

    /// What is remembered about the far side.
    pub(crate) fn kept(&self) -> &Kept {
        &self.0.kept
    }

    async fn session_channel(&self, what: &'static str) -> RemoteResult<Channel<Msg>> {
        let channel = self.open(self.0.handle.channel_open_session()).await?;
        channel.map_err(|refusal| RemoteError::Forbidden {
            host: self.0.target.host.clone(),
            what,
            detail: words(&refusal).to_owned(),
        })
    }

    /// Waits for a channel; the inner result is the server's own refusal.
    async fn open(
        &self,
        opening: impl Future<Output = Result<Channel<Msg>, russh::Error>>,
    ) -> RemoteResult<Result<Channel<Msg>, ChannelOpenFailure>> {
        match self
            .unless_ended(tokio::time::timeout(OPEN_LIMIT, opening))
            .await?
        {
            Ok(Ok(channel)) => Ok(Ok(channel)),
            Ok(Err(russh::Error::ChannelOpenFailure(refusal))) => Ok(Err(refusal)),
            Ok(Err(error)) => {
                tracing::debug!(%error, "a channel was not opened");
                Err(self.lost())
            }
            Err(_late) => Err(RemoteError::Timeout {
                host: self.0.target.host.clone(),
                phase: crate::Phase::Forwarding,
                limit: OPEN_LIMIT,
            }),
        }
    }

    /// A future that fails as soon as the connection is over.
    pub(crate) async fn unless_ended<F: Future>(&self, work: F) -> RemoteResult<F::Output> {
        tokio::select! {
            biased;
            () = self.0.scissors.ended().cancelled() => Err(self.lost()),
            done = work => Ok(done),
        }
    }

    fn stream(&self, channel: Channel<Msg>) -> ByteStream {
        Box::new(stream::bytes(channel, self.0.scissors.ended().clone()))
    }

    pub(crate) fn lost(&self) -> RemoteError {
        RemoteError::LinkLost(self.0.target.host.clone())
    }

    fn refused(&self, refusal: ChannelOpenFailure, what: &'static str, place: &str) -> RemoteError {
        match refusal {
            ChannelOpenFailure::ConnectFailed => RemoteError::Path {
                path: place.to_owned(),
                detail: if place.starts_with('/') {
                    "nobody listens there, or the server does not forward to sockets"
                } else {
                    "nobody listens there"
                }
                .to_owned(),
            },
            other => RemoteError::Forbidden {
                host: self.0.target.host.clone(),
                what,
                detail: words(&other).to_owned(),
            },
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.scissors.cut();
    }
}

fn words(refusal: &ChannelOpenFailure) -> &'static str {
    match refusal {
        ChannelOpenFailure::AdministrativelyProhibited => "administratively prohibited",
        ChannelOpenFailure::ConnectFailed => "connect failed",
        ChannelOpenFailure::UnknownChannelType => "unknown channel type",
        ChannelOpenFailure::ResourceShortage => "resource shortage",
        ChannelOpenFailure::Other { .. } => "unknown reason",
    }
}
