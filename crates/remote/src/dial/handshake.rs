//! Key exchange, and whether the host key is that of the machine we mean.

use std::borrow::Cow;
use std::sync::Arc;

use parking_lot::Mutex;
use russh::client::{Config, Handle};
use russh::keys::{Algorithm, EcdsaCurve, HashAlg};
use russh::{Preferred, cipher, compression, kex};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::address::{Opened, too_slow};
use super::conversation::Voice;
use super::way::Hop;
use crate::connection::{Client, Connection, CutOnDrop, HostKeyCheck, LastWords, wire};
use crate::error::{Phase, RemoteError, RemoteResult};
use crate::known_hosts::{KnownHosts, Verdict};

/// What a channel may send before it must be read: enough for a fast line with a long way.
const WINDOW_BYTES: u32 = 16 << 20;
/// The largest packet that the SSH library may be offered.
const PACKET_BYTES: u32 = 65_535;

/// A connection whose host is known and that has not logged in.
pub(super) struct Made {
    pub(super) handle: Handle<Client>,
    pub(super) last_words: LastWords,
    cut: CutOnDrop,
}

impl Made {
    /// True when the server has closed the connection while nobody listened to it.
    pub(super) async fn has_hung_up(&self) -> bool {
        match self.cut.scissors().cloned() {
            Some(scissors) => scissors.has_hung_up().await,
            None => true,
        }
    }

    /// Once logged in.
    pub(super) fn connection(self, hop: &Hop, way: Vec<Connection>) -> RemoteResult<Connection> {
        let scissors = self
            .cut
            .put_away()
            .ok_or_else(|| RemoteError::LinkLost(hop.target.host.clone()))?;
        Ok(Connection::new(
            hop.target.clone(),
            self.handle,
            way,
            scissors,
        ))
    }
}

/// # Errors
/// [`RemoteError::KeyExchange`], [`RemoteError::Timeout`], and the three outcomes of an unaccepted host key. A failing
/// `ProxyCommand` shows here, because its stream ends.
pub(super) async fn shake_hands(
    hop: &Hop,
    opened: Opened,
    known_hosts: &Arc<KnownHosts>,
    voice: &Voice,
) -> RemoteResult<Made> {
    voice.phase(Phase::KeyExchange);
    let thought: Arc<Mutex<Option<Verdict>>> = Arc::default();
    let last_words = LastWords::default();
    let ended = CancellationToken::new();
    let (wire, scissors) = wire(opened.stream, ended.clone());
    let cut = CutOnDrop::new(scissors);
    let check = host_key_check(hop, known_hosts, &thought, voice);
    let client = Client::new(check, last_words.clone(), ended);
    let config = Arc::new(config(hop, known_hosts));
    let shaking = russh::client::connect_stream(config, wire, client);
    // As with OpenSSH, ConnectTimeout is for the time until the two have understood each other.
    let limit = hop.connect_limit();
    let shaken = timeout(limit, shaking).await;
    let verdict = thought.lock().take();
    match (shaken, verdict) {
        (Ok(Ok(handle)), _) => Ok(Made {
            handle,
            last_words,
            cut,
        }),
        (Ok(Err(_)), Some(verdict @ (Verdict::Unknown(_) | Verdict::Changed(_)))) => {
            Err(ask_a_person(verdict, known_hosts))
        }
        (Ok(Err(_)), Some(Verdict::Revoked(file))) => Err(RemoteError::HostKeyRevoked {
            host: hop.target.host.clone(),
            file,
        }),
        (Ok(Err(error)), _) => {
            if let Some(fate) = &opened.proxy_command {
                return Err(RemoteError::ProxyCommand {
                    host: hop.target.host.clone(),
                    detail: super::cleaned(&fate.in_words().await, 500),
                });
            }
            Err(RemoteError::KeyExchange {
                host: hop.target.host.clone(),
                detail: in_words(&error, last_words.lock().take()),
            })
        }
        (Err(_late), _) => Err(too_slow(hop, Phase::KeyExchange, limit)),
    }
}

fn ask_a_person(verdict: Verdict, known_hosts: &KnownHosts) -> RemoteError {
    match verdict {
        Verdict::Unknown(question) | Verdict::Changed(question) => {
            known_hosts.remember_question(&question);
            RemoteError::HostKey(Box::new(question))
        }
        Verdict::Known | Verdict::Revoked(_) => RemoteError::Cancelled,
    }
}

fn host_key_check(
    hop: &Hop,
    known_hosts: &Arc<KnownHosts>,
    thought: &Arc<Mutex<Option<Verdict>>>,
    voice: &Voice,
) -> HostKeyCheck {
    let known_hosts = known_hosts.clone();
    let thought = thought.clone();
    let voice = voice.to_tell();
    let others = others(hop);
    let (host, port) = hop.known_as();
    let host = host.to_owned();
    Arc::new(move |key| {
        voice.phase(Phase::HostKey);
        let verdict = known_hosts.verify(&host, port, key, &others);
        let is_known = matches!(verdict, Verdict::Known);
        *thought.lock() = Some(verdict);
        is_known
    })
}

fn others(hop: &Hop) -> Vec<std::path::PathBuf> {
    let settings = &hop.settings;
    let user = settings.user_known_hosts_files.iter();
    user.chain(&settings.global_known_hosts_files)
        .cloned()
        .collect()
}

fn config(hop: &Hop, known_hosts: &KnownHosts) -> Config {
    let (host, port) = hop.known_as();
    let others = others(hop);
    let known_types = known_hosts.preferred_key_types(host, port, &others);
    let has_authority = known_hosts.has_authority(host, port, &others);
    Config {
        window_size: WINDOW_BYTES,
        maximum_packet_size: PACKET_BYTES,
        preferred: preferred(&known_types, has_authority),
        nodelay: true,
        // Whoever keeps a session asks for signs of life itself and more often.
        keepalive_interval: None,
        inactivity_timeout: None,
        ..Config::default()
    }
}

/// Modern algorithms only, the fastest cipher first; of host keys those first that we already know.
fn preferred(known_types: &[String], has_authority: bool) -> Preferred {
    let default = Preferred::DEFAULT;
    let known = known_types
        .iter()
        .filter_map(|name| Algorithm::new(name).ok());
    let mut keys: Vec<Algorithm> = known.flat_map(forms).chain(HOST_KEYS).collect();
    let mut seen = Vec::new();
    keys.retain(|key| {
        HOST_KEYS.contains(key) && !seen.contains(key) && {
            seen.push(key.clone());
            true
        }
    });
    let mut exchanges = default.kex.to_vec();
    let before_groups = exchanges
        .iter()
        .position(|name| *name == kex::DH_GEX_SHA256)
        .unwrap_or(0);
    exchanges.splice(
        before_groups..before_groups,
        [
            kex::ECDH_SHA2_NISTP256,
            kex::ECDH_SHA2_NISTP384,
            kex::ECDH_SHA2_NISTP521,
        ],
    );
    Preferred {
        kex: Cow::Owned(exchanges),
        key: Cow::Owned(keys),
        host_key_certificates: if has_authority {
            Cow::Borrowed(&HOST_KEYS)
        } else {
            Cow::Borrowed(&[])
        },
        cipher: Cow::Borrowed(&[
            cipher::AES_128_GCM,
            cipher::AES_256_GCM,
            cipher::CHACHA20_POLY1305,
            cipher::AES_256_CTR,
            cipher::AES_192_CTR,
            cipher::AES_128_CTR,
        ]),
        compression: Cow::Borrowed(&[compression::NONE]),
        ..default
    }
}

/// SHA-1 signatures of RSA keys are not among them.
const HOST_KEYS: [Algorithm; 6] = [
    Algorithm::Ed25519,
    Algorithm::Ecdsa {
        curve: EcdsaCurve::NistP256,
    },
    Algorithm::Ecdsa {
        curve: EcdsaCurve::NistP384,
    },
    Algorithm::Ecdsa {
        curve: EcdsaCurve::NistP521,
    },
    Algorithm::Rsa {
        hash: Some(HashAlg::Sha512),
    },
    Algorithm::Rsa {
        hash: Some(HashAlg::Sha256),
    },
];

/// An RSA key signs in two ways that are still good.
fn forms(algorithm: Algorithm) -> Vec<Algorithm> {
    match algorithm {
        Algorithm::Rsa { .. } => HOST_KEYS[4..].to_vec(),
        other => vec![other],
    }
}

fn in_words(error: &russh::Error, last_words: Option<String>) -> String {
    if let Some(said) = last_words.filter(|said| !said.is_empty()) {
        return format!("the server said: {}", super::cleaned(&said, 300));
    }
    let detail = match error {
        russh::Error::Version => "it does not speak SSH 2".to_owned(),
        russh::Error::Disconnect | russh::Error::HUP | russh::Error::IO(_) => {
            "it closed the connection".to_owned()
        }
        russh::Error::NoCommonAlgo { kind, theirs, .. } => format!(
            "it offers no {kind:?} algorithm that is still safe, only {}",
            theirs.join(", ")
        ),
        russh::Error::WrongServerSig => "it cannot prove that it holds its host key".to_owned(),
        other => other.to_string(),
    };
    super::cleaned(&detail, 500)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_exchange_asks_for_the_host_key_type_that_is_known() {
        let names = |known: &[&str], has_authority: bool| {
            let known: Vec<String> = known.iter().map(ToString::to_string).collect();
            let preferred = preferred(&known, has_authority);
            let keys: Vec<String> = preferred
                .key
                .iter()
                .map(|key| key.as_str().to_owned())
                .collect();
            (keys, preferred.host_key_certificates.len())
        };
        let (keys, certificates) = names(&[], false);
        assert_eq!((keys[0].as_str(), certificates), ("ssh-ed25519", 0));
        assert!(!keys.contains(&"ssh-rsa".to_owned()));
        let (keys, _) = names(
            &["ssh-rsa", "ecdsa-sha2-nistp256", "ssh-dss", "nonsense"],
            false,
        );
        assert_eq!(
            keys,
            [
                "rsa-sha2-512",
                "rsa-sha2-256",
                "ecdsa-sha2-nistp256",
                "ssh-ed25519",
                "ecdsa-sha2-nistp384",
                "ecdsa-sha2-nistp521",
            ]
        );
        let (_, certificates) = names(&[], true);
        assert_eq!(certificates, HOST_KEYS.len());
    }
}
