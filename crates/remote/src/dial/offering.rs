//! Offering one key: with its certificate or bare, signed by the agent or by us, unlocked only when the server wants it.

use std::sync::Arc;

use russh::client::Handle;
use russh::keys::{HashAlg, PrivateKey, PublicKey};

use super::agent::{Agent, NoSignature, Pen};
use super::authentication::{Answer, Login};
use super::conversation::Voice;
use super::handshake::Made;
use super::identities::{Holder, Identity};
use super::private_key::KeyText;
use crate::connection::Client;
use crate::error::RemoteResult;

/// So often a person may try to open a key of a jump host.
const PASSPHRASE_TRIES: usize = 3;

impl Login {
    /// Offers a key and signs with it if the server would accept it.
    pub(super) async fn offer(
        &mut self,
        identity: Option<Identity>,
        made: &mut Made,
        voice: &Voice,
    ) -> RemoteResult<Answer> {
        let Some(identity) = identity else {
            return Ok(Answer::Refused);
        };
        self.note_try(&identity.name);
        match &identity.holder {
            Holder::Agent(held) => {
                let binding = made.handle.agent_session_binding().cloned();
                let agent = match &self.agent_socket {
                    Some(socket) => Agent::connect(socket, binding.as_ref()).await,
                    None => None,
                };
                let Some(mut agent) = agent else {
                    return Ok(Answer::Refused);
                };
                let pen = Pen::Agent(&mut agent, held);
                self.sign_in(&identity, identity.public(), pen, &mut made.handle)
                    .await
            }
            Holder::Text(text) => match text.opened() {
                Some(key) => {
                    let pen = Pen::Key(key);
                    self.sign_in(&identity, identity.public(), pen, &mut made.handle)
                        .await
                }
                None => self.offer_locked(&identity, text, made, voice).await,
            },
        }
    }

    /// A passphrase is asked for only when the server would accept the key.
    async fn offer_locked(
        &mut self,
        identity: &Identity,
        text: &KeyText,
        made: &mut Made,
        voice: &Voice,
    ) -> RemoteResult<Answer> {
        if let Some(public) = identity.public() {
            let mut would_accept = false;
            let probe = Pen::Probe(&mut would_accept);
            let answer = self
                .sign_in(identity, Some(public), probe, &mut made.handle)
                .await?;
            if !would_accept {
                return Ok(answer);
            }
        }
        let Some(key) = self.unlock(text, voice).await? else {
            return Ok(Answer::Refused);
        };
        if made.has_hung_up().await {
            // A person took longer than the server waits. The key is open now; it goes first on the next connection.
            let opened = Identity {
                name: identity.name.clone(),
                certificate: identity.certificate.clone(),
                holder: Holder::Text(text.clone().with_open(key)),
            };
            self.identities.get_or_insert_default().push_front(opened);
            return Ok(Answer::Gone);
        }
        let public = Some(key.public_key().clone());
        self.sign_in(identity, public, Pen::Key(key), &mut made.handle)
            .await
    }

    /// With the given passphrase; for a key of a jump host, whose passphrase is in no form, with the help of a person. `None`
    /// when it stays locked, which is noted for the error in the end.
    async fn unlock(
        &mut self,
        text: &KeyText,
        voice: &Voice,
    ) -> RemoteResult<Option<Arc<PrivateKey>>> {
        let why_locked = match &self.credentials.passphrase {
            Some(passphrase) => match text.unlock(passphrase).await {
                Ok(key) => return Ok(Some(key)),
                Err(error) => error,
            },
            None => text.needs_passphrase(),
        };
        if self.is_target || !self.may_ask {
            self.locked = Some(why_locked);
            return Ok(None);
        }
        for _ in 0..PASSPHRASE_TRIES {
            let question = format!("Passphrase of the private key {}", text.name);
            let passphrase = self.ask_one(&question, voice).await?;
            if let Ok(key) = text.unlock(&passphrase).await {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }

    async fn sign_in(
        &mut self,
        identity: &Identity,
        public: Option<PublicKey>,
        mut pen: Pen<'_>,
        handle: &mut Handle<Client>,
    ) -> RemoteResult<Answer> {
        let username = self.username.clone();
        let result = match (&identity.certificate, public) {
            (Some(certificate), _) => {
                let hash = self
                    .rsa_hash(certificate.algorithm().is_rsa(), handle)
                    .await?;
                let asked = handle.authenticate_certificate_with(
                    username,
                    certificate.clone(),
                    hash,
                    &mut pen,
                );
                self.timed(asked).await?
            }
            (None, Some(public)) => {
                let hash = self.rsa_hash(public.algorithm().is_rsa(), handle).await?;
                let asked = handle.authenticate_publickey_with(username, public, hash, &mut pen);
                self.timed(asked).await?
            }
            (None, None) => return Ok(Answer::Refused),
        };
        let answer = match result {
            Ok(result) => self.heard(Ok(result)),
            Err(NoSignature::LinkLost) => Answer::Gone,
            Err(NoSignature::Declined) => return Ok(Answer::Refused),
        };
        if matches!(answer, Answer::Refused) {
            self.keys_here += 1;
        }
        Ok(answer)
    }

    /// The best signature of an RSA key that the server takes; SHA-1 is none.
    async fn rsa_hash(
        &mut self,
        is_rsa: bool,
        handle: &Handle<Client>,
    ) -> RemoteResult<Option<HashAlg>> {
        if !is_rsa {
            return Ok(None);
        }
        let best = self.timed(handle.best_supported_rsa_hash()).await?;
        Ok(Some(
            best.ok().flatten().flatten().unwrap_or(HashAlg::Sha256),
        ))
    }
}
