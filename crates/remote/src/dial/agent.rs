//! The agent of the user, and signing with whatever holds a key. The agent is asked for signatures and never forwarded.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use russh::Signer;
use russh::keys::agent::client::{AgentClient, AgentStream};
use russh::keys::agent::{AgentIdentity, AgentSessionBinding};
use russh::keys::signature::Signer as _;
use russh::keys::ssh_encoding::Encode;
use russh::keys::ssh_key::Signature;
use russh::keys::ssh_key::private::KeypairData;
use russh::keys::{HashAlg, PrivateKey};
use tokio::time::timeout;

/// An agent that needs longer than this to list its keys is not there.
const LIST_LIMIT: Duration = Duration::from_secs(5);

/// A connection to the agent.
pub(super) struct Agent(AgentClient<Box<dyn AgentStream + Send + Unpin>>);

impl Agent {
    /// Connects and tells it for which server it will sign. `None` when there is no agent.
    pub(super) async fn connect(
        socket: &Path,
        binding: Option<&AgentSessionBinding>,
    ) -> Option<Self> {
        let connecting = async {
            let mut agent = Self(open(socket).await?);
            if let Some(binding) = binding
                && agent.0.bind_session(binding, false).await.is_err()
            {
                // Older agents do not know this; their keys have no such constraints.
                tracing::debug!("the agent does not bind to a session");
            }
            Some(agent)
        };
        timeout(LIST_LIMIT, connecting).await.ok()?
    }

    /// What it holds.
    pub(super) async fn identities(&mut self) -> Vec<AgentIdentity> {
        match timeout(LIST_LIMIT, self.0.request_identities()).await {
            Ok(Ok(identities)) => identities,
            Ok(Err(error)) => {
                tracing::debug!(%error, "the agent does not list its keys");
                Vec::new()
            }
            Err(_late) => Vec::new(),
        }
    }
}

#[cfg(unix)]
async fn open(socket: &Path) -> Option<AgentClient<Box<dyn AgentStream + Send + Unpin>>> {
    match AgentClient::connect_uds(socket).await {
        Ok(agent) => Some(agent.dynamic()),
        Err(error) => {
            tracing::debug!(%error, "no agent answers");
            None
        }
    }
}

#[cfg(windows)]
async fn open(pipe: &Path) -> Option<AgentClient<Box<dyn AgentStream + Send + Unpin>>> {
    match AgentClient::connect_named_pipe(pipe).await {
        Ok(agent) => Some(agent.dynamic()),
        Err(error) => {
            tracing::debug!(%error, "no agent answers");
            None
        }
    }
}

/// What makes the signature once the server has said that it would accept the key.
pub(super) enum Pen<'a> {
    /// The agent, with the identity that it knows.
    Agent(&'a mut Agent, &'a AgentIdentity),
    /// An open key.
    Key(Arc<PrivateKey>),
    /// Nothing: only to learn whether the server would accept. Becomes true when it does.
    Probe(&'a mut bool),
}

/// Why there is no signature.
#[derive(Debug)]
pub(super) enum NoSignature {
    /// The connection is gone.
    LinkLost,
    /// The holder of the key did not sign.
    Declined,
}

impl From<russh::SendError> for NoSignature {
    fn from(_: russh::SendError) -> Self {
        Self::LinkLost
    }
}

impl Signer for Pen<'_> {
    type Error = NoSignature;

    async fn auth_sign(
        &mut self,
        _key: &AgentIdentity,
        hash: Option<HashAlg>,
        to_sign: Vec<u8>,
    ) -> Result<Vec<u8>, NoSignature> {
        match self {
            Self::Agent(agent, identity) => agent
                .0
                .sign_request(identity, hash, to_sign)
                .await
                .map_err(|error| {
                    tracing::debug!(%error, "the agent did not sign");
                    NoSignature::Declined
                }),
            Self::Key(key) => sign(key, hash, to_sign).ok_or(NoSignature::Declined),
            Self::Probe(would_accept) => {
                **would_accept = true;
                Err(NoSignature::Declined)
            }
        }
    }
}

/// Appends the signature of what is there, as the protocol wants it.
fn sign(key: &PrivateKey, hash: Option<HashAlg>, mut data: Vec<u8>) -> Option<Vec<u8>> {
    let signature: Signature = match key.key_data() {
        KeypairData::Rsa(pair) => (pair, hash).try_sign(&data).ok()?,
        other => other.try_sign(&data).ok()?,
    };
    let mut encoded = Vec::new();
    signature.encode(&mut encoded).ok()?;
    encoded.encode(&mut data).ok()?;
    Some(data)
}
