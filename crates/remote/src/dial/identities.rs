//! Which keys are offered to a host, in OpenSSH's order: keys of the agent that the configuration names, other keys of the
//! agent, then key files that the agent does not hold; each with its certificate first.

use std::path::{Path, PathBuf};

use russh::keys::agent::{AgentIdentity, AgentSessionBinding};
use russh::keys::{Certificate, PublicKey};

use super::agent::Agent;
use super::private_key::{KeyText, certificate, certificate_beside, public_beside};
use crate::ssh_config::{IdentityAgent, ResolvedHost};

/// One key to offer.
pub(super) struct Identity {
    /// In the list of what was tried.
    pub(super) name: String,
    /// Offered instead of the bare key.
    pub(super) certificate: Option<Certificate>,
    /// What signs.
    pub(super) holder: Holder,
}

/// Who can sign with a key.
pub(super) enum Holder {
    /// The agent, by this identity.
    Agent(Box<AgentIdentity>),
    /// We, perhaps after a passphrase.
    Text(KeyText),
}

impl Identity {
    /// What is offered when it is no certificate.
    pub(super) fn public(&self) -> Option<PublicKey> {
        match &self.holder {
            Holder::Agent(identity) => Some(identity.public_key().into_owned()),
            Holder::Text(text) => text.public.clone(),
        }
    }
}

/// The agent that the configuration wants for a host.
pub(super) fn agent_socket(settings: &ResolvedHost, usual: Option<&PathBuf>) -> Option<PathBuf> {
    match &settings.identity_agent {
        Some(IdentityAgent::None) => None,
        Some(IdentityAgent::Socket(socket)) => Some(socket.clone()),
        None => usual.cloned(),
    }
}

/// A key file of the configuration, as far as it exists.
struct Named {
    path: PathBuf,
    public: Option<PublicKey>,
    certificates: Vec<Certificate>,
    text: Option<KeyText>,
}

/// Everything that may be offered. The agent is asked only when `socket` is given.
pub(super) async fn gather(
    settings: &ResolvedHost,
    socket: Option<&Path>,
    binding: Option<&AgentSessionBinding>,
) -> Vec<Identity> {
    let for_files = settings.clone();
    let named = tokio::task::spawn_blocking(move || named_keys(&for_files))
        .await
        .unwrap_or_default();
    let held = match socket {
        Some(socket) => match Agent::connect(socket, binding).await {
            Some(mut agent) => agent.identities().await,
            None => Vec::new(),
        },
        None => Vec::new(),
    };
    in_order(&named, &held, settings.identities_only)
}

/// A key that was given, with its certificate when it came from a file.
pub(super) fn given(text: KeyText, path: Option<&Path>) -> Vec<Identity> {
    let with_certificate = path
        .and_then(certificate_beside)
        .map(|certificate| Identity {
            name: format!("certificate {}", text.name),
            certificate: Some(certificate),
            holder: Holder::Text(text.clone()),
        });
    let plain = Identity {
        name: format!("key {}", text.name),
        certificate: None,
        holder: Holder::Text(text),
    };
    with_certificate.into_iter().chain([plain]).collect()
}

fn named_keys(settings: &ResolvedHost) -> Vec<Named> {
    let extra: Vec<Certificate> = settings
        .certificate_files
        .iter()
        .filter_map(|path| certificate(path))
        .collect();
    let mut named = Vec::new();
    for path in &settings.identity_files {
        let text = match KeyText::of_file(path) {
            Some(Ok(text)) => Some(text),
            Some(Err(error)) => {
                // A public key as identity file names a key of the agent; anything else is worth a line.
                tracing::debug!(%error, "an identity file is no private key");
                None
            }
            None => None,
        };
        let public = text
            .as_ref()
            .and_then(|text| text.public.clone())
            .or_else(|| public_beside(path));
        if text.is_none() && public.is_none() {
            continue;
        }
        let is_of_key = |certificate: &&Certificate| {
            public
                .as_ref()
                .is_some_and(|public| certificate.public_key() == public.key_data())
        };
        let beside = certificate_beside(path);
        let certificates = beside
            .iter()
            .chain(&extra)
            .filter(is_of_key)
            .cloned()
            .collect();
        named.push(Named {
            path: path.clone(),
            public,
            certificates,
            text,
        });
    }
    named
}

fn in_order(named: &[Named], held: &[AgentIdentity], only_named: bool) -> Vec<Identity> {
    let key_of = |identity: &AgentIdentity| identity.public_key().key_data().clone();
    let is_named = |identity: &AgentIdentity| {
        named
            .iter()
            .filter_map(|named| named.public.as_ref())
            .any(|public| *public.key_data() == key_of(identity))
    };
    let mut of_agent = Vec::new();
    let mut others = Vec::new();
    let mut of_files = Vec::new();
    for key in named {
        let matching: Vec<&AgentIdentity> = held
            .iter()
            .filter(|identity| {
                key.public
                    .as_ref()
                    .is_some_and(|public| *public.key_data() == key_of(identity))
            })
            .collect();
        let plain = matching
            .iter()
            .find(|identity| matches!(identity, AgentIdentity::PublicKey { .. }));
        if let Some(plain) = plain {
            of_agent.extend(key.certificates.iter().map(|certificate| Identity {
                name: format!("certificate {}", key.path.display()),
                certificate: Some(certificate.clone()),
                holder: Holder::Agent(Box::new((*plain).clone())),
            }));
        }
        of_agent.extend(matching.iter().map(|identity| held_by_agent(identity)));
        if let (true, Some(text)) = (matching.is_empty(), &key.text) {
            of_files.extend(key.certificates.iter().map(|certificate| Identity {
                name: format!("certificate {}", text.name),
                certificate: Some(certificate.clone()),
                holder: Holder::Text(text.clone()),
            }));
            of_files.push(Identity {
                name: format!("key {}", text.name),
                certificate: None,
                holder: Holder::Text(text.clone()),
            });
        }
    }
    if !only_named {
        others.extend(
            held.iter()
                .filter(|identity| !is_named(identity))
                .map(held_by_agent),
        );
    }
    of_agent.into_iter().chain(others).chain(of_files).collect()
}

fn held_by_agent(identity: &AgentIdentity) -> Identity {
    let comment = super::cleaned(identity.comment(), 80);
    let certificate = match identity {
        AgentIdentity::Certificate { certificate, .. } => Some(certificate.clone()),
        AgentIdentity::PublicKey { .. } => None,
    };
    Identity {
        name: format!("agent key {comment}"),
        certificate,
        holder: Holder::Agent(Box::new(identity.clone())),
    }
}
