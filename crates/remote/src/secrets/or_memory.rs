//! The keyring, and memory for what it does not take: it may be there and stay locked (nobody to ask, dialog dismissed).

use std::sync::Arc;

use parking_lot::Mutex;

use super::keyring::Keyring;
use super::{MemoryStore, SecretStore, SecretStoreKind};
use crate::error::{RemoteError, RemoteResult};
use crate::secret::Secret;

pub(super) fn open() -> Arc<dyn SecretStore> {
    match Keyring::open() {
        Ok(keyring) => Arc::new(KeyringOrMemory {
            keyring,
            memory: MemoryStore::new(String::new()),
            trouble: Mutex::default(),
        }),
        Err(why) => Arc::new(MemoryStore::new(why)),
    }
}

struct KeyringOrMemory {
    keyring: Keyring,
    /// What the keyring did not take in this session.
    memory: MemoryStore,
    /// What it said the last time it was written to.
    trouble: Mutex<Option<String>>,
}

impl SecretStore for KeyringOrMemory {
    fn get(&self, key: &str) -> RemoteResult<Option<Secret>> {
        match self.memory.get(key)? {
            Some(secret) => Ok(Some(secret)),
            None => self.keyring.get(key),
        }
    }

    fn set(&self, key: &str, secret: &Secret) -> RemoteResult<()> {
        match self.keyring.set(key, secret) {
            Ok(()) => {
                *self.trouble.lock() = None;
                self.memory.remove(key)
            }
            Err(RemoteError::Keyring(why)) => {
                tracing::warn!(why, "the keyring did not take a secret");
                *self.trouble.lock() = Some(why);
                self.memory.set(key, secret)
            }
            Err(error) => Err(error),
        }
    }

    fn remove(&self, key: &str) -> RemoteResult<()> {
        self.memory.remove(key)?;
        self.keyring.remove(key)
    }

    fn lasts(&self) -> bool {
        true
    }

    fn kind(&self) -> SecretStoreKind {
        match &*self.trouble.lock() {
            None => SecretStoreKind::Keyring,
            Some(why) => SecretStoreKind::SessionOnly {
                why: format!("the keyring did not take the last secret: {why}"),
            },
        }
    }
}
