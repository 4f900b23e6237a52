//! Private keys as they lie in files or come as text: open, or locked by a passphrase.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use russh::keys::{Certificate, PrivateKey, PublicKey};
use zeroize::Zeroizing;

use crate::error::{RemoteError, RemoteResult};
use crate::secret::Secret;

/// No key is longer.
const KEY_BYTES: u64 = 64 * 1024;

/// A private key that has been found, with what can be told of it without its passphrase.
#[derive(Clone)]
pub(super) struct KeyText {
    /// For error texts: the file, or `given as text`.
    pub(super) name: String,
    /// Its public half; unknown for some locked formats without a `.pub` file.
    pub(super) public: Option<PublicKey>,
    text: Secret,
    open: Option<Arc<PrivateKey>>,
}

impl KeyText {
    /// # Errors
    /// [`RemoteError::KeyUnusable`] when it is no private key.
    pub(super) fn read(
        name: &str,
        text: &Secret,
        public_beside: Option<PublicKey>,
    ) -> RemoteResult<Self> {
        let text = Secret::new(tidy(text.reveal()));
        if is_locked(text.reveal()) {
            let inside = PrivateKey::from_openssh(text.reveal())
                .ok()
                .map(|key| key.public_key().clone());
            return Ok(Self {
                name: name.to_owned(),
                public: inside.or(public_beside),
                text,
                open: None,
            });
        }
        let key = russh::keys::decode_secret_key(text.reveal(), None).map_err(|error| {
            RemoteError::KeyUnusable {
                key: name.to_owned(),
                detail: error.to_string(),
            }
        })?;
        Ok(Self {
            name: name.to_owned(),
            public: Some(key.public_key().clone()),
            text,
            open: Some(Arc::new(key)),
        })
    }

    /// A key file with the `.pub` file beside it. `None` when there is no such file.
    pub(super) fn of_file(path: &Path) -> Option<RemoteResult<Self>> {
        let text = match read_file(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
            Err(error) => {
                return Some(Err(RemoteError::KeyUnusable {
                    key: path.display().to_string(),
                    detail: error.to_string(),
                }));
            }
        };
        let beside = public_beside(path);
        Some(Self::read(&path.display().to_string(), &text, beside))
    }

    /// The same key, opened.
    pub(super) fn with_open(self, key: Arc<PrivateKey>) -> Self {
        Self {
            open: Some(key),
            ..self
        }
    }

    /// The key, when it needs no passphrase.
    pub(super) fn opened(&self) -> Option<Arc<PrivateKey>> {
        self.open.clone()
    }

    /// Opens it; slow on purpose of the format, so it runs where slow things may.
    ///
    /// # Errors
    /// [`RemoteError::PassphraseWrong`].
    pub(super) async fn unlock(&self, passphrase: &Secret) -> RemoteResult<Arc<PrivateKey>> {
        let text = self.text.clone();
        let passphrase = passphrase.clone();
        let opened = tokio::task::spawn_blocking(move || {
            russh::keys::decode_secret_key(text.reveal(), Some(passphrase.reveal()))
        });
        match opened.await {
            Ok(Ok(key)) => Ok(Arc::new(key)),
            Ok(Err(error)) => {
                tracing::debug!(key = self.name, %error, "a passphrase did not open a key");
                Err(RemoteError::PassphraseWrong {
                    key: self.name.clone(),
                })
            }
            Err(error) => Err(RemoteError::KeyUnusable {
                key: self.name.clone(),
                detail: error.to_string(),
            }),
        }
    }

    /// The error that asks for the passphrase.
    pub(super) fn needs_passphrase(&self) -> RemoteError {
        RemoteError::PassphraseNeeded {
            key: self.name.clone(),
        }
    }
}

/// The public key in a file, or in the `.pub` file beside it.
pub(super) fn public_beside(path: &Path) -> Option<PublicKey> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".pub");
    let parse = |path: &Path| PublicKey::from_openssh(read_file(path).ok()?.reveal().trim()).ok();
    parse(Path::new(&beside)).or_else(|| parse(path))
}

/// A certificate file.
pub(super) fn certificate(path: &Path) -> Option<Certificate> {
    Certificate::from_openssh(read_file(path).ok()?.reveal().trim()).ok()
}

/// The certificate that lies beside a key.
pub(super) fn certificate_beside(path: &Path) -> Option<Certificate> {
    let mut beside = path.as_os_str().to_owned();
    beside.push("-cert.pub");
    certificate(Path::new(&beside))
}

fn read_file(path: &Path) -> std::io::Result<Secret> {
    let mut text = Zeroizing::new(String::new());
    std::fs::File::open(path)?
        .take(KEY_BYTES)
        .read_to_string(&mut text)?;
    Ok(Secret::new(text.as_str()))
}

/// Pasted keys come with stray blanks and foreign line ends.
fn tidy(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len() + 1);
    for line in text.trim().lines() {
        tidy.push_str(line.trim());
        tidy.push('\n');
    }
    tidy
}

fn is_locked(text: &str) -> bool {
    if text.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----") {
        return PrivateKey::from_openssh(text).is_ok_and(|key| key.is_encrypted());
    }
    if text.starts_with("PuTTY-User-Key-File-") {
        return text
            .lines()
            .any(|line| line.starts_with("Encryption:") && !line.ends_with("none"));
    }
    text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----")
        || text
            .lines()
            .any(|line| line.starts_with("Proc-Type:") && line.ends_with("ENCRYPTED"))
}
