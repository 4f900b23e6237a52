//! Secrets that are gone when the app ends.

use std::collections::HashMap;

use parking_lot::Mutex;

use super::{SecretStore, SecretStoreKind};
use crate::error::RemoteResult;
use crate::secret::Secret;

/// Secrets in memory, wiped when they are dropped.
pub struct MemoryStore {
    why: String,
    secrets: Mutex<HashMap<String, Secret>>,
}

impl MemoryStore {
    /// An empty store; `why` says why it is not the keyring.
    pub fn new(why: String) -> Self {
        Self {
            why,
            secrets: Mutex::default(),
        }
    }
}

impl SecretStore for MemoryStore {
    fn get(&self, key: &str) -> RemoteResult<Option<Secret>> {
        Ok(self.secrets.lock().get(key).cloned())
    }

    fn set(&self, key: &str, secret: &Secret) -> RemoteResult<()> {
        self.secrets.lock().insert(key.to_owned(), secret.clone());
        Ok(())
    }

    fn remove(&self, key: &str) -> RemoteResult<()> {
        self.secrets.lock().remove(key);
        Ok(())
    }

    fn kind(&self) -> SecretStoreKind {
        SecretStoreKind::SessionOnly {
            why: self.why.clone(),
        }
    }
}
