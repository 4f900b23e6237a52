//! Where secrets lie between starts: the keyring of the system, or nowhere.
//!
//! Without a keyring a secret is kept in memory until the app ends, and [`SecretStore::kind`] says so, for people to read.
//! Never a file in clear. Calls may block (the keyring may ask a person to unlock it): make them from a blocking thread.

pub(crate) mod fernet;
#[cfg(feature = "keyring")]
mod keyring;
mod memory;
pub(crate) mod of_entries;
#[cfg(feature = "keyring")]
mod or_memory;

use std::sync::Arc;

pub use memory::MemoryStore;

use crate::error::RemoteResult;
use crate::secret::Secret;

/// Keeps secrets under keys of ours.
pub trait SecretStore: Send + Sync {
    /// The secret, when there is one.
    ///
    /// # Errors
    /// [`crate::RemoteError::Keyring`] when the keyring refuses.
    fn get(&self, key: &str) -> RemoteResult<Option<Secret>>;

    /// Keeps a secret in the place of the one before.
    ///
    /// # Errors
    /// As [`Self::get`].
    fn set(&self, key: &str, secret: &Secret) -> RemoteResult<()>;

    /// Forgets it; nothing to forget is no error.
    ///
    /// # Errors
    /// As [`Self::get`].
    fn remove(&self, key: &str) -> RemoteResult<()>;

    /// Where secrets lie now.
    fn kind(&self) -> SecretStoreKind;

    /// Are secrets of earlier starts still there? A keyring that did not take the last one still holds those.
    fn lasts(&self) -> bool {
        self.kind() == SecretStoreKind::Keyring
    }
}

/// Where secrets lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretStoreKind {
    /// In the keyring of the system.
    Keyring,
    /// In memory, until the app ends.
    SessionOnly {
        /// Why; a sentence for people.
        why: String,
    },
}

/// The keyring when this build has one and it answers, else memory. Blocks until that is known.
pub fn open() -> Arc<dyn SecretStore> {
    #[cfg(feature = "keyring")]
    {
        or_memory::open()
    }
    #[cfg(not(feature = "keyring"))]
    {
        Arc::new(MemoryStore::new(
            "this program is built without a keyring".to_owned(),
        ))
    }
}
