//! What russh asks us while a connection is made and lives.

use std::sync::Arc;

use russh::client::{DisconnectReason, Handler};
use russh::keys::PublicKeyOrCertificate;
use tokio_util::sync::CancellationToken;

/// Decides about a host key; what it thinks is kept by who made it.
pub(crate) type HostKeyCheck = Arc<dyn Fn(&PublicKeyOrCertificate) -> bool + Send + Sync>;

/// Our side of one connection. It opens nothing for the server: no agent, no X11, no ports back.
pub(crate) struct Client {
    /// Asked once, after the server has proved that it holds the key.
    pub(crate) check_host_key: HostKeyCheck,
    /// Cancelled when the other side goes.
    pub(crate) ended: CancellationToken,
}

impl Handler for Client {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        key: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        Ok((self.check_host_key)(key))
    }

    async fn disconnected(
        &mut self,
        reason: DisconnectReason<Self::Error>,
    ) -> Result<(), Self::Error> {
        self.ended.cancel();
        match reason {
            DisconnectReason::ReceivedDisconnect(_) => Ok(()),
            DisconnectReason::Error(error) => Err(error),
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.ended.cancel();
    }
}
