//! Whose key is this? Our own file of known hosts, and the user's own ones, which are read and never written.
//!
//! [`KnownHosts::verify`] gives a verdict and asks nobody; the question is a value. Only a key that was asked about lately
//! can be accepted, so no page and no program can plant one.

mod certificate;
mod checking;
mod editing;
mod key;
mod line;
mod pending;
mod randomart;

use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use russh::keys::PublicKeyOrCertificate;

use crate::error::{HostKeyQuestion, RemoteError, RemoteResult};
use crate::private_file;
use checking::KnownFile;
use key::HostKey;
use line::{Entry, Mark};
use pending::Pending;

const FILE_LIMIT_BYTES: u64 = 16 << 20;
const PUBLIC_KEY_LIMIT_BYTES: usize = 8_192;

/// The known hosts.
#[derive(Debug)]
pub struct KnownHosts {
    own_file: PathBuf,
    pending: Pending,
}

/// What is known about a key that a host has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the host's key, or signed by an authority for this host.
    Known,
    /// No key of this host is known.
    Unknown(HostKeyQuestion),
    /// Other keys of this host are known, and not this one.
    Changed(HostKeyQuestion),
    /// This file says that it must not be trusted.
    Revoked(PathBuf),
}

/// One name and key of our own file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownHost {
    /// The host, without port and brackets; a hashed name as it stands there.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// As it stands in the file.
    pub known_hosts_host: String,
    /// `ssh-ed25519` and the like.
    pub key_type: String,
    /// The key.
    pub key_base64: String,
    /// `SHA256:…` without padding.
    pub fingerprint_sha256: String,
}

/// Why a key was not accepted or removed.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// The input cannot be; the text is the documented one.
    #[error("{0}")]
    Invalid(String),
    /// Nobody was asked about this key.
    #[error("no host key of {host} is waiting to be accepted; connect first")]
    NoPending {
        /// The host.
        host: String,
    },
    /// Our file.
    #[error(transparent)]
    File(#[from] RemoteError),
}

impl From<AcceptError> for RemoteError {
    fn from(error: AcceptError) -> Self {
        match error {
            AcceptError::Invalid(text) => Self::Invalid(text),
            AcceptError::NoPending { host } => Self::NoPendingHostKey { host },
            AcceptError::File(error) => error,
        }
    }
}

impl KnownHosts {
    /// Known hosts with this file of our own; it need not be there.
    pub fn new(own_file: PathBuf) -> Self {
        Self {
            own_file,
            pending: Pending::default(),
        }
    }

    /// What is known about the key that `host` has shown. `others` are the user's own files. For a host with a
    /// `HostKeyAlias`, ask with the alias and port 22.
    pub fn verify(
        &self,
        host: &str,
        port: u16,
        key: &PublicKeyOrCertificate,
        others: &[PathBuf],
    ) -> Verdict {
        let files = self.files(others);
        let verdict = checking::verdict(&files, host, port, key, SystemTime::now());
        // A key that cannot be encoded again is nobody's.
        verdict.unwrap_or_else(|| Verdict::Revoked(self.own_file.clone()))
    }

    /// The types of the keys that are known of a host: ask for these first, so that the host shows one that we can compare.
    pub fn preferred_key_types(&self, host: &str, port: u16, others: &[PathBuf]) -> Vec<String> {
        checking::key_types(&self.files(others), host, port)
    }

    /// True when certificates of this host can be checked: some authority is known for it.
    pub fn has_authority(&self, host: &str, port: u16, others: &[PathBuf]) -> bool {
        checking::has_authority(&self.files(others), host, port)
    }

    /// Keeps a question for fifteen minutes, so that it can be answered.
    pub fn remember_question(&self, question: &HostKeyQuestion) {
        self.pending.remember(question, Instant::now());
    }

    /// Accepts a key that was asked about: it replaces the host's key of the same type.
    ///
    /// # Errors
    /// In the documented order and words; then [`AcceptError::NoPending`].
    pub fn accept(
        &self,
        host: &str,
        port: u16,
        key_type: &str,
        public_key: &str,
        fingerprint: &str,
    ) -> Result<(), AcceptError> {
        let key = checked_key(host, key_type, public_key, fingerprint)?;
        let text = key.text();
        if !self.pending.has(host, port, &text, Instant::now()) {
            return Err(AcceptError::NoPending {
                host: host.to_owned(),
            });
        }
        let name = line::name_of(host, port);
        self.edit(|content| Some(editing::with_key(content, &name, &key)))?;
        self.pending.forget(host, port, &text);
        Ok(())
    }

    /// The hosts of our own file, one for each name, in its order.
    pub fn list(&self) -> Vec<KnownHost> {
        let (_, entries) = read(&self.own_file);
        entries
            .iter()
            .filter(|entry| entry.mark == Mark::Key)
            .flat_map(known_hosts)
            .collect()
    }

    /// Removes the host's key of that type from our own file; says whether there was one.
    ///
    /// # Errors
    /// In the documented words.
    pub fn remove(&self, host: &str, port: u16, key_type: &str) -> Result<bool, AcceptError> {
        for (name, value) in [("host", host), ("key_type", key_type)] {
            if value.is_empty() {
                return Err(invalid(name));
            }
        }
        check_words(&[("host", host), ("key_type", key_type)])?;
        let name = if host.starts_with('|') {
            host.to_owned()
        } else {
            line::name_of(host, port)
        };
        let mut has_changed = false;
        self.edit(|content| {
            let (content, changed) = editing::without_key(content, &name, key_type);
            has_changed = changed;
            changed.then_some(content)
        })?;
        Ok(has_changed)
    }

    /// Takes the entries of another file over, once in the life of our own one.
    pub fn import_once(&self, from: &Path) {
        let mut stamp = self.own_file.as_os_str().to_owned();
        stamp.push(".imported");
        let stamp = PathBuf::from(stamp);
        if stamp.exists() {
            return;
        }
        if let Err(error) = self
            .import(from)
            .and_then(|()| private_file::replace(&stamp, b""))
        {
            tracing::warn!(%error, "known hosts were not imported");
        }
    }

    fn import(&self, from: &Path) -> RemoteResult<()> {
        let content = private_file::read(from, FILE_LIMIT_BYTES)
            .map_err(|error| private_file::failed(from, error))?;
        let Some(theirs) = content else {
            return Ok(());
        };
        self.edit(|ours| {
            let mut merged = ours.to_vec();
            let known: Vec<Entry> = lines(ours).filter_map(Entry::parse).collect();
            for line in lines(&theirs) {
                if Entry::parse(line).is_some_and(|entry| !known.contains(&entry)) {
                    if merged.last().is_some_and(|&last| last != b'\n') {
                        merged.push(b'\n');
                    }
                    merged.extend_from_slice(line.trim_ascii_end());
                    merged.push(b'\n');
                }
            }
            (merged.len() > ours.len()).then_some(merged)
        })
    }

    /// Changes our own file under its lock.
    fn edit(&self, change: impl FnOnce(&[u8]) -> Option<Vec<u8>>) -> RemoteResult<()> {
        let _lock = private_file::lock(&self.own_file)?;
        let content = private_file::read(&self.own_file, FILE_LIMIT_BYTES)
            .map_err(|error| private_file::failed(&self.own_file, error))?;
        match change(&content.unwrap_or_default()) {
            Some(content) => private_file::replace(&self.own_file, &content),
            None => Ok(()),
        }
    }

    fn files(&self, others: &[PathBuf]) -> Vec<KnownFile> {
        std::iter::once(&self.own_file)
            .chain(others)
            .map(|path| read(path))
            .collect()
    }
}

fn read(path: &Path) -> KnownFile {
    let content = match private_file::read(path, FILE_LIMIT_BYTES) {
        Ok(content) => content.unwrap_or_default(),
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "known hosts cannot be read");
            Vec::new()
        }
    };
    let entries = lines(&content).filter_map(Entry::parse).collect();
    (path.to_owned(), entries)
}

fn lines(content: &[u8]) -> impl Iterator<Item = &[u8]> {
    content.split(|&byte| byte == b'\n')
}

fn known_hosts(entry: &Entry) -> Vec<KnownHost> {
    let names: Vec<&str> = if entry.hosts.starts_with('|') {
        vec![&entry.hosts]
    } else {
        entry.hosts.split(',').collect()
    };
    let of_name = |name: &str| {
        let (host, port) = host_and_port(name);
        KnownHost {
            host: host.to_owned(),
            port,
            known_hosts_host: name.to_owned(),
            key_type: entry.key.key_type.clone(),
            key_base64: entry.key.base64(),
            fingerprint_sha256: entry.key.fingerprint(),
        }
    };
    names
        .into_iter()
        .filter(|name| !name.is_empty())
        .map(of_name)
        .collect()
}

fn host_and_port(name: &str) -> (&str, u16) {
    let split = || {
        let (host, port) = name.strip_prefix('[')?.rsplit_once("]:")?;
        Some((host, port.parse().ok()?))
    };
    split().unwrap_or((name, 22))
}

/// The documented checks, in the documented order.
fn checked_key(
    host: &str,
    key_type: &str,
    public_key: &str,
    fingerprint: &str,
) -> Result<HostKey, AcceptError> {
    let words = [
        ("host", host),
        ("key_type", key_type),
        ("fingerprint_sha256", fingerprint),
    ];
    if let Some((name, _)) = words.iter().find(|(_, value)| value.is_empty()) {
        return Err(invalid(name));
    }
    if public_key.contains(['\n', '\r']) || public_key.len() > PUBLIC_KEY_LIMIT_BYTES {
        return Err(invalid("public_key"));
    }
    check_words(&words)?;
    let mut parts = public_key.split_whitespace();
    let (Some(text_type), Some(base64)) = (parts.next(), parts.next()) else {
        return Err(AcceptError::Invalid(
            "Invalid public_key: Invalid public key format".to_owned(),
        ));
    };
    let blob = key::decoded(base64).ok_or_else(|| {
        AcceptError::Invalid("Invalid public_key: Invalid base64 public key".to_owned())
    })?;
    let key = HostKey::from_blob(blob.clone()).filter(|key| key.key_type == key_type);
    let key = key
        .filter(|_| text_type == key_type)
        .ok_or_else(|| AcceptError::Invalid("key_type does not match public_key".to_owned()))?;
    if key::fingerprint(&blob) != fingerprint {
        return Err(AcceptError::Invalid(
            "fingerprint_sha256 does not match public_key".to_owned(),
        ));
    }
    Ok(key)
}

/// Names become words of a line: no white space, and no comma in a host.
fn check_words(words: &[(&str, &str)]) -> Result<(), AcceptError> {
    for (name, value) in words {
        let is_bad = |letter: char| {
            letter.is_whitespace() || letter.is_control() || (*name == "host" && letter == ',')
        };
        if value.contains(is_bad) {
            return Err(invalid(name));
        }
    }
    Ok(())
}

fn invalid(name: &str) -> AcceptError {
    AcceptError::Invalid(format!("Invalid {name}"))
}
