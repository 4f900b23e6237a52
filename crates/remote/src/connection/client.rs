//! What russh asks us while a connection is made and lives.

use std::sync::Arc;

use parking_lot::Mutex;
use russh::client::{ChannelOpenHandle, DisconnectReason, Handler, Msg, Session};
use russh::keys::PublicKeyOrCertificate;
use russh::{Channel, ChannelOpenFailure};
use tokio_util::sync::CancellationToken;

/// Login banners may be this long together; who sends more is not greeting.
const BANNER_BYTES: usize = 256 * 1024;

/// Decides about a host key; what it thinks is kept by who made it.
pub(crate) type HostKeyCheck = Arc<dyn Fn(&PublicKeyOrCertificate) -> bool + Send + Sync>;

/// What the server said when it hung up, as it came.
pub(crate) type LastWords = Arc<Mutex<Option<String>>>;

/// Our side of one connection. It opens nothing for the server: no agent, no X11, no ports back.
pub(crate) struct Client {
    check_host_key: HostKeyCheck,
    last_words: LastWords,
    banner_bytes: usize,
    ended: CancellationToken,
}

impl Client {
    /// `check_host_key` is asked once, after the server has proved that it holds the key. `ended` is cancelled when the other
    /// side goes.
    pub(crate) fn new(
        check_host_key: HostKeyCheck,
        last_words: LastWords,
        ended: CancellationToken,
    ) -> Self {
        Self {
            check_host_key,
            last_words,
            banner_bytes: 0,
            ended,
        }
    }
}

async fn refuse(reply: ChannelOpenHandle) -> Result<(), russh::Error> {
    reply
        .reject(ChannelOpenFailure::AdministrativelyProhibited)
        .await;
    Ok(())
}

impl Handler for Client {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        key: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        Ok((self.check_host_key)(key))
    }

    async fn auth_banner(
        &mut self,
        banner: &str,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        // Each costs something even when it is empty.
        self.banner_bytes += banner.len().max(64);
        if self.banner_bytes > BANNER_BYTES {
            return Err(russh::Error::Inconsistent);
        }
        Ok(())
    }

    async fn server_channel_open_session(
        &mut self,
        _channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        refuse(reply).await
    }

    async fn server_channel_open_direct_tcpip(
        &mut self,
        _channel: Channel<Msg>,
        _host_to_connect: &str,
        _port_to_connect: u32,
        _originator_address: &str,
        _originator_port: u32,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        refuse(reply).await
    }

    async fn server_channel_open_direct_streamlocal(
        &mut self,
        _channel: Channel<Msg>,
        _socket_path: &str,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        refuse(reply).await
    }

    async fn server_channel_open_forwarded_tcpip(
        &mut self,
        _channel: Channel<Msg>,
        _connected_address: &str,
        _connected_port: u32,
        _originator_address: &str,
        _originator_port: u32,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        refuse(reply).await
    }

    async fn server_channel_open_forwarded_streamlocal(
        &mut self,
        _channel: Channel<Msg>,
        _socket_path: &str,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        refuse(reply).await
    }

    async fn server_channel_open_agent_forward(
        &mut self,
        _channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        refuse(reply).await
    }

    async fn server_channel_open_x11(
        &mut self,
        _channel: Channel<Msg>,
        _originator_address: &str,
        _originator_port: u32,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        refuse(reply).await
    }

    async fn disconnected(
        &mut self,
        reason: DisconnectReason<Self::Error>,
    ) -> Result<(), Self::Error> {
        self.ended.cancel();
        match reason {
            DisconnectReason::ReceivedDisconnect(info) => {
                *self.last_words.lock() = Some(info.message);
                Ok(())
            }
            DisconnectReason::Error(error) => Err(error),
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.ended.cancel();
    }
}
