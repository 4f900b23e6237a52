//! One line of a known hosts file: who is meant, and which key.

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use super::key::HostKey;
use crate::host_pattern;

const LINE_LIMIT_BYTES: usize = 64 * 1024;

/// What a line says about its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// It is the key of these hosts.
    Key,
    /// It signs the keys of these hosts.
    Authority,
    /// It must not be trusted.
    Revoked,
}

/// A line that names a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) mark: Mark,
    /// As written: names and patterns with commas, or one hashed name.
    pub(super) hosts: String,
    pub(super) key: HostKey,
}

/// The name under which a host's key stands: in lower case, with its port when that is not 22.
pub(super) fn name_of(host: &str, port: u16) -> String {
    let host = host.to_ascii_lowercase();
    if port == 22 {
        host
    } else {
        format!("[{host}]:{port}")
    }
}

impl Entry {
    /// `None` for comments, empty lines and whatever is no entry.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        if line.len() > LINE_LIMIT_BYTES {
            return None;
        }
        let line = std::str::from_utf8(line).ok()?;
        let mut words = line.split_ascii_whitespace();
        let first = words.next().filter(|word| !word.starts_with('#'))?;
        let (mark, hosts) = match first {
            "@cert-authority" => (Mark::Authority, words.next()?),
            "@revoked" => (Mark::Revoked, words.next()?),
            _ if first.starts_with('@') => return None,
            _ => (Mark::Key, first),
        };
        let key = HostKey::from_words(words.next()?, words.next()?)?;
        Some(Self {
            mark,
            hosts: hosts.to_owned(),
            key,
        })
    }

    /// Is `name` (as [`name_of`] makes it) meant?
    pub(super) fn means(&self, name: &str) -> bool {
        if self.hosts.starts_with('|') {
            is_hash_of(&self.hosts, name)
        } else {
            host_pattern::list_covers_host(&self.hosts, name)
        }
    }
}

/// `|1|<salt>|<HMAC-SHA1 of the name>`.
fn is_hash_of(hashed: &str, name: &str) -> bool {
    let mut parts = hashed.split('|').skip(1);
    let (Some("1"), Some(salt), Some(hash), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let (Ok(salt), Ok(hash)) = (
        BASE64.decode(salt.as_bytes()),
        BASE64.decode(hash.as_bytes()),
    ) else {
        return false;
    };
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(&salt) else {
        return false;
    };
    mac.update(name.as_bytes());
    mac.verify_slice(&hash).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";

    fn entry(hosts: &str) -> Entry {
        Entry::parse(format!("{hosts} {KEY} a comment").as_bytes()).unwrap()
    }

    #[test]
    fn a_name_carries_its_port_unless_it_is_22() {
        assert_eq!(name_of("GPU.example", 22), "gpu.example");
        assert_eq!(name_of("gpu.example", 2222), "[gpu.example]:2222");
    }

    #[test]
    fn patterns_lists_and_ports_mean_what_openssh_means() {
        for (hosts, name, expected) in [
            ("a,b", "b", true),
            ("a,b", "c", false),
            ("*.x,!bad.x", "good.x", true),
            ("*.x,!bad.x", "bad.x", false),
            ("GPU", "gpu", true),
            ("[gpu]:2222", "[gpu]:2222", true),
            ("gpu", "[gpu]:2222", false),
            ("[*.x]:*", "[a.x]:77", true),
        ] {
            assert_eq!(entry(hosts).means(name), expected, "{hosts} {name}");
        }
    }

    #[test]
    fn what_is_no_entry_is_skipped() {
        for line in [
            String::new(),
            "# a comment".to_owned(),
            "host".to_owned(),
            "host ssh-ed25519".to_owned(),
            "host ssh-ed25519 !!!".to_owned(),
            KEY.replace("ssh-ed25519", "host ssh-rsa"),
            format!("@other host {KEY}"),
            format!("@revoked {KEY}"),
            "host 1024 35 1234567".to_owned(),
        ] {
            assert_eq!(Entry::parse(line.as_bytes()), None, "{line}");
        }
        assert_eq!(Entry::parse(b"\xff\xfe host"), None);
        assert_eq!(
            Entry::parse(format!("@revoked * {KEY}").as_bytes()).map(|entry| entry.mark),
            Some(Mark::Revoked)
        );
    }

    #[test]
    fn a_malformed_hash_means_nobody() {
        for hosts in ["|1|", "|1|x|y", "|2|AAAA|AAAA", "|1|AAAA|AAAA|", "|"] {
            assert!(!entry(hosts).means("host"), "{hosts}");
        }
    }
}
