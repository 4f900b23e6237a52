//! Entries (JSON objects of a file of ours) whose secret members lie in the [`SecretStore`] instead of the file.
//!
//! The file remembers which secrets an entry has, so that a list needs no keyring. What only memory took is not written
//! down: after the next start it is gone, and nothing says otherwise.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{SecretStore, SecretStoreKind};
use crate::error::{RemoteError, RemoteResult};
use crate::private_file;
use crate::secret::Secret;

/// A JSON object.
pub(crate) type Object = Map<String, Value>;

const FILE_LIMIT_BYTES: u64 = 4 << 20;
const SECRET_LIMIT_BYTES: usize = 64 * 1024;

/// The members that are secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Field {
    Password,
    PrivateKey,
    Passphrase,
}

impl Field {
    pub(crate) const ALL: [Self; 3] = [Self::Password, Self::PrivateKey, Self::Passphrase];

    /// Its name in JSON and in keys of the store.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::PrivateKey => "private_key",
            Self::Passphrase => "passphrase",
        }
    }

    /// The member, under either spelling; taken out, so that it cannot reach the file.
    fn taken(self, object: &mut Object) -> Option<Value> {
        let other = match self {
            Self::PrivateKey => object.shift_remove("privateKey"),
            _ => None,
        };
        object.shift_remove(self.name()).or(other)
    }
}

/// What happens to a secret when an entry is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It was not mentioned.
    Keep,
    /// It was null or empty.
    Remove,
    Set(Secret),
}

/// What happens to the secrets of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Changes([(Field, Change); 3]);

impl Changes {
    /// Takes the secrets out of an entry.
    ///
    /// # Errors
    /// When one is no text or too long.
    pub(crate) fn taken(object: &mut Object) -> RemoteResult<Self> {
        let mut changes = Field::ALL.map(|field| (field, Change::Keep));
        for (field, change) in &mut changes {
            *change = match field.taken(object) {
                None => Change::Keep,
                Some(Value::Null) => Change::Remove,
                Some(Value::String(text)) if text.is_empty() => Change::Remove,
                Some(Value::String(text)) if text.len() <= SECRET_LIMIT_BYTES => {
                    Change::Set(Secret::new(text))
                }
                Some(Value::String(_)) => {
                    return Err(RemoteError::Invalid(format!(
                        "{} is too long",
                        field.name()
                    )));
                }
                Some(_) => {
                    return Err(RemoteError::Invalid(format!("{} is no text", field.name())));
                }
            };
        }
        Ok(Self(changes))
    }

    /// Nothing was said.
    pub(crate) fn keep_all() -> Self {
        Self(Field::ALL.map(|field| (field, Change::Keep)))
    }

    /// Whatever was said: nothing is kept.
    pub(crate) fn remove_all() -> Self {
        Self(Field::ALL.map(|field| (field, Change::Remove)))
    }

    /// What was not mentioned is removed too.
    pub(crate) fn without_keeping(mut self) -> Self {
        for (_, change) in &mut self.0 {
            if *change == Change::Keep {
                *change = Change::Remove;
            }
        }
        self
    }

    pub(crate) fn sets_any(&self) -> bool {
        self.0
            .iter()
            .any(|(_, change)| matches!(change, Change::Set(_)))
    }
}

/// An entry as it lies in the file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// Names its secrets.
    pub(crate) name: String,
    pub(crate) entry: Object,
    /// Those that the keyring took.
    #[serde(default)]
    secrets: Vec<Field>,
}

#[derive(Default, Serialize, Deserialize)]
struct Content {
    entries: Vec<Kept>,
}

/// A file of entries and where their secrets lie.
pub(crate) struct Entries {
    file: PathBuf,
    /// In front of every key.
    prefix: &'static str,
    store: Arc<dyn SecretStore>,
    /// Keys that were set since the start. Held for moments only, so that lists never wait for the keyring.
    session: Mutex<HashSet<String>>,
    /// Held by who changes the file, keyring and all.
    writer: Mutex<()>,
}

/// The right to change the file.
pub(crate) struct Writing<'a> {
    entries: &'a Entries,
    _writer: MutexGuard<'a, ()>,
    _lock: private_file::Lock,
    /// As it is now.
    pub(crate) before: Vec<Kept>,
}

impl Entries {
    pub(crate) fn new(file: PathBuf, prefix: &'static str, store: Arc<dyn SecretStore>) -> Self {
        Self {
            file,
            prefix,
            store,
            session: Mutex::default(),
            writer: Mutex::default(),
        }
    }

    /// # Errors
    /// When the file cannot be read or is not ours.
    pub(crate) fn read(&self) -> RemoteResult<Vec<Kept>> {
        let content = private_file::read(&self.file, FILE_LIMIT_BYTES)
            .map_err(|error| private_file::failed(&self.file, error))?;
        let Some(content) = content else {
            return Ok(Vec::new());
        };
        let content: Content = serde_json::from_slice(&content)
            .map_err(|error| private_file::failed(&self.file, error.into()))?;
        Ok(content.entries)
    }

    /// Does the entry have this secret?
    pub(crate) fn has(&self, kept: &Kept, field: Field) -> bool {
        let key = self.key(&kept.name, field);
        if self.session.lock().contains(&key) {
            return true;
        }
        // The keyring that took it may be gone.
        kept.secrets.contains(&field) && self.store.lasts()
    }

    /// The secret, when the entry has it.
    ///
    /// # Errors
    /// When the keyring refuses.
    pub(crate) fn secret(&self, kept: &Kept, field: Field) -> RemoteResult<Option<Secret>> {
        if self.has(kept, field) {
            self.store.get(&self.key(&kept.name, field))
        } else {
            Ok(None)
        }
    }

    /// Locks the file for a change.
    ///
    /// # Errors
    /// When it cannot be locked or read.
    pub(crate) fn write(&self) -> RemoteResult<Writing<'_>> {
        let writer = self.writer.lock();
        let lock = private_file::lock(&self.file)?;
        Ok(Writing {
            entries: self,
            _writer: writer,
            _lock: lock,
            before: self.read()?,
        })
    }

    /// A file beside ours that says that something was done once.
    pub(crate) fn stamp(&self) -> PathBuf {
        let mut stamp = self.file.as_os_str().to_owned();
        stamp.push(".imported");
        PathBuf::from(stamp)
    }

    /// Names are people's; what could be misread or is long goes by its hash.
    fn key(&self, name: &str, field: Field) -> String {
        let is_plain = name.len() <= 128
            && !name.starts_with('#')
            && name.bytes().all(|byte| byte.is_ascii_graphic());
        let name = if is_plain {
            name.to_owned()
        } else {
            format!("#{}", hex::encode(Sha256::digest(name)))
        };
        format!("{}:{name}:{}", self.prefix, field.name())
    }
}

impl Writing<'_> {
    /// Replaces all entries: new secrets go to the store first, then those that no entry has any more are removed, and then
    /// the file is written, so that whatever the keyring refused can be tried again.
    ///
    /// # Errors
    /// When the file or the keyring refuses; the file is the old one then.
    pub(crate) fn replace(self, entries: Vec<(String, Object, Changes)>) -> RemoteResult<()> {
        let mut kept = Vec::new();
        let mut still_used = HashSet::new();
        for (name, entry, changes) in entries {
            let mut secrets = Vec::new();
            for (field, change) in changes.0 {
                let key = self.entries.key(&name, field);
                let (is_used, is_durable) = self.changed(&name, field, &key, change)?;
                if is_durable {
                    secrets.push(field);
                }
                if is_used {
                    still_used.insert(key);
                }
            }
            kept.push(Kept {
                name,
                entry,
                secrets,
            });
        }
        let content = self.encoded(&Content { entries: kept })?;
        self.forget_others(&still_used)?;
        private_file::replace(&self.entries.file, &content)
    }

    /// Carries one change out: is the secret there then, and will it be after the next start?
    fn changed(
        &self,
        name: &str,
        field: Field,
        key: &str,
        change: Change,
    ) -> RemoteResult<(bool, bool)> {
        match change {
            Change::Remove => Ok((false, false)),
            Change::Keep => {
                let is_durable = self
                    .before
                    .iter()
                    .any(|kept| kept.name == name && kept.secrets.contains(&field));
                Ok((
                    is_durable || self.entries.session.lock().contains(key),
                    is_durable,
                ))
            }
            Change::Set(secret) => {
                self.entries.store.set(key, &secret)?;
                self.entries.session.lock().insert(key.to_owned());
                Ok((true, self.entries.store.kind() == SecretStoreKind::Keyring))
            }
        }
    }

    fn encoded(&self, content: &Content) -> RemoteResult<Vec<u8>> {
        let path = &self.entries.file;
        let text = serde_json::to_vec_pretty(content)
            .map_err(|error| private_file::failed(path, error.into()))?;
        if text.len() as u64 > FILE_LIMIT_BYTES {
            return Err(RemoteError::Invalid("too many connections".to_owned()));
        }
        Ok(text)
    }

    fn forget_others(&self, still_used: &HashSet<String>) -> RemoteResult<()> {
        let mut gone: HashSet<String> = {
            let session = self.entries.session.lock();
            session.difference(still_used).cloned().collect()
        };
        for kept in &self.before {
            for &field in &kept.secrets {
                let key = self.entries.key(&kept.name, field);
                if !still_used.contains(&key) {
                    gone.insert(key);
                }
            }
        }
        for key in gone {
            self.entries.store.remove(&key)?;
            self.entries.session.lock().remove(&key);
        }
        Ok(())
    }
}
