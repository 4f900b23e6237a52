//! Reading what the SDK sealed with Fernet (AES-128-CBC and HMAC-SHA256, the key in a file beside it). Never written by us.

use aes::Aes128;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt, KeyIvInit};
use data_encoding::{BASE64URL_NOPAD, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::secret::Secret;

const ALPHABET: Encoding = BASE64URL_NOPAD;
/// Version, time stamp, first block.
const HEAD_BYTES: usize = 1 + 8 + 16;
const SEAL_BYTES: usize = 32;

/// The two halves of a key.
pub(crate) struct FernetKey(Zeroizing<[u8; 32]>);

impl FernetKey {
    /// The key as its file holds it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(decoded(text.trim())?);
        let key: [u8; 32] = bytes.as_slice().try_into().ok()?;
        Some(Self(Zeroizing::new(key)))
    }

    /// What is in a token; `None` when it is not sealed with this key.
    pub(crate) fn open(&self, token: &str) -> Option<Secret> {
        let token = decoded(token)?;
        if token.len() < HEAD_BYTES + SEAL_BYTES || token[0] != 0x80 {
            return None;
        }
        let (sealed, seal) = token.split_at(token.len() - SEAL_BYTES);
        let (signing, encryption) = self.0.split_at(16);
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(signing).ok()?;
        mac.update(sealed);
        mac.verify_slice(seal).ok()?;
        let (head, text) = sealed.split_at(HEAD_BYTES);
        let cipher = cbc::Decryptor::<Aes128>::new_from_slices(encryption, &head[9..]).ok()?;
        let mut text = Zeroizing::new(text.to_vec());
        let plain = cipher.decrypt_padded::<Pkcs7>(&mut text).ok()?;
        std::str::from_utf8(plain).ok().map(Secret::new)
    }
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    ALPHABET.decode(text.trim_end_matches('=').as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of the Fernet specification.
    const KEY: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
    const TOKEN: &str = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";

    #[test]
    fn the_example_of_the_specification_is_opened() {
        let opened = FernetKey::parse(KEY).unwrap().open(TOKEN).unwrap();
        assert_eq!(opened.reveal(), "hello");
    }

    #[test]
    fn a_changed_token_or_another_key_opens_nothing() {
        let key = FernetKey::parse(KEY).unwrap();
        for at in [0, 5, 30, TOKEN.len() - 5] {
            let mut token = TOKEN.to_owned();
            let other = if &token[at..=at] == "A" { "B" } else { "A" };
            token.replace_range(at..=at, other);
            assert!(key.open(&token).is_none(), "{at}");
        }
        assert!(key.open("").is_none());
        assert!(key.open("gAAAAA").is_none());
        assert!(FernetKey::parse("short").is_none());
        let other = FernetKey::parse(&"A".repeat(43)).unwrap();
        assert!(other.open(TOKEN).is_none());
    }
}
