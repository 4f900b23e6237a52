//! Secrets in memory: wiped when dropped, never printed.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// A password, passphrase, key text or one-time code. `Debug` shows nothing of it; its memory is wiped when dropped.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a text over.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text, for the one call that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// True when there is nothing to keep secret.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(Self::new)
    }
}

/// What a person gave to prove who they are. All absent: the agent (when [`Self::use_agent`]) and the keys of the user's
/// own configuration are tried.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// For password authentication, and for a single hidden keyboard-interactive prompt.
    pub password: Option<Secret>,
    /// A private key as text; wins over [`Self::private_key_path`].
    pub private_key: Option<Secret>,
    /// A private key file on this machine.
    pub private_key_path: Option<PathBuf>,
    /// Opens the private key.
    pub passphrase: Option<Secret>,
    /// Ask the agent.
    pub use_agent: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_in_its_debug_text() {
        let credentials = Credentials {
            password: Some(Secret::new("hunter2")),
            passphrase: Some(Secret::new("hunter3")),
            private_key: Some(Secret::new("hunter4")),
            ..Credentials::default()
        };
        assert!(!format!("{credentials:?}").contains("hunter"));
    }
}
