//! Public keys as SSH sends them: a blob that begins with its type.

use data_encoding::{BASE64, BASE64_NOPAD};
use russh::keys::PublicKey;
use russh::keys::ssh_key::public::KeyData;
use sha2::{Digest, Sha256};

use super::randomart;

/// A public key: its type and its blob agree.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct HostKey {
    pub(super) key_type: String,
    pub(super) blob: Vec<u8>,
}

impl HostKey {
    /// From a blob. `None` when it does not begin with a type.
    pub(super) fn from_blob(blob: Vec<u8>) -> Option<Self> {
        let key_type = type_of(&blob)?.to_owned();
        Some(Self { key_type, blob })
    }

    /// From the two words of a known hosts line.
    pub(super) fn from_words(key_type: &str, base64: &str) -> Option<Self> {
        let key = Self::from_blob(decoded(base64)?)?;
        (key.key_type == key_type).then_some(key)
    }

    pub(super) fn of(key: &PublicKey) -> Option<Self> {
        Self::from_blob(key.to_bytes().ok()?)
    }

    pub(super) fn of_data(key: &KeyData) -> Option<Self> {
        Self::of(&PublicKey::new(key.clone(), ""))
    }

    pub(super) fn base64(&self) -> String {
        BASE64.encode(&self.blob)
    }

    /// `<type> <base64>`.
    pub(super) fn text(&self) -> String {
        format!("{} {}", self.key_type, self.base64())
    }

    /// `SHA256:…` without padding.
    pub(super) fn fingerprint(&self) -> String {
        fingerprint(&self.blob)
    }

    pub(super) fn randomart(&self) -> String {
        let (name, bits) = self.name_and_bits();
        randomart::picture(&Sha256::digest(&self.blob), name, bits)
    }

    /// As OpenSSH names it in pictures.
    fn name_and_bits(&self) -> (&'static str, usize) {
        match self.key_type.as_str() {
            "ssh-ed25519" => ("ED25519", 256),
            "ecdsa-sha2-nistp256" => ("ECDSA", 256),
            "ecdsa-sha2-nistp384" => ("ECDSA", 384),
            "ecdsa-sha2-nistp521" => ("ECDSA", 521),
            "ssh-rsa" => ("RSA", self.rsa_bits()),
            "ssh-dss" => ("DSA", 1024),
            "sk-ssh-ed25519@openssh.com" => ("ED25519-SK", 256),
            "sk-ecdsa-sha2-nistp256@openssh.com" => ("ECDSA-SK", 256),
            _ => ("KEY", self.blob.len() * 8),
        }
    }

    /// The length of the modulus, the third part of the blob.
    fn rsa_bits(&self) -> usize {
        let modulus = parts(&self.blob).nth(2).unwrap_or_default();
        let first = modulus.iter().position(|&byte| byte != 0);
        first.map_or(0, |first| {
            let zeros = modulus[first].leading_zeros() as usize;
            (modulus.len() - first) * 8 - zeros
        })
    }
}

pub(super) fn fingerprint(blob: &[u8]) -> String {
    format!("SHA256:{}", BASE64_NOPAD.encode(&Sha256::digest(blob)))
}

/// Base64 with its padding, or without.
pub(super) fn decoded(text: &str) -> Option<Vec<u8>> {
    let bare = text.trim_end_matches('=');
    (text.len() - bare.len() <= 2)
        .then(|| BASE64_NOPAD.decode(bare.as_bytes()).ok())
        .flatten()
}

fn type_of(blob: &[u8]) -> Option<&str> {
    let name = parts(blob).next()?;
    let is_name = |name: &&str| {
        !name.is_empty() && name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_graphic())
    };
    std::str::from_utf8(name).ok().filter(is_name)
}

/// The length-prefixed parts of a blob.
fn parts(blob: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = blob;
    std::iter::from_fn(move || {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (part, after) = after.split_at_checked(length)?;
        rest = after;
        Some(part)
    })
}
