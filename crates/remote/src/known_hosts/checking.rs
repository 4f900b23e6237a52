//! The verdict about a key, from what the files say: pure.
//!
//! It is OpenSSH's: a key that is known is good; a host of which only other keys are known (of whatever type) has changed;
//! a certificate counts when a known authority signed it for this host, else its plain key is looked at; revoked wins.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use russh::keys::{Certificate, PublicKeyOrCertificate};

use super::Verdict;
use super::certificate;
use super::key::HostKey;
use super::line::{Entry, Mark, name_of};
use crate::error::{HostKeyQuestion, HostKeyReason};

/// A file and its entries.
pub(super) type KnownFile = (PathBuf, Vec<Entry>);

struct Presented<'a> {
    key: HostKey,
    certificate: Option<(&'a Certificate, HostKey)>,
}

/// The verdict. `None` when the key cannot even be written down.
pub(super) fn verdict(
    files: &[KnownFile],
    host: &str,
    port: u16,
    key: &PublicKeyOrCertificate,
    now: SystemTime,
) -> Option<Verdict> {
    let presented = Presented {
        key: HostKey::of(&key.public_key())?,
        certificate: match key.certificate() {
            Some(certificate) => {
                Some((certificate, HostKey::of_data(certificate.signature_key())?))
            }
            None => None,
        },
    };
    let name = name_of(host, port);
    // OpenSSH takes the key of port 22 for that of other ports as well, but only as a yes.
    let plain_name = name_of(host, 22);
    if let Some(file) =
        revoked_in(files, &name, &presented).or_else(|| revoked_in(files, &plain_name, &presented))
    {
        return Some(Verdict::Revoked(file.to_owned()));
    }
    if is_known(files, &name, host, &presented, now)
        || is_known(files, &plain_name, host, &presented, now)
    {
        return Some(Verdict::Known);
    }
    let others: Vec<&Entry> = entries(files, Mark::Key, &name).collect();
    let same_type = others
        .iter()
        .find(|entry| entry.key.key_type == presented.key.key_type);
    let expected = same_type.or(others.first()).map(|entry| &entry.key);
    let question = question(host, port, &name, &presented.key, expected);
    Some(match expected {
        Some(_) => Verdict::Changed(question),
        None => Verdict::Unknown(question),
    })
}

/// The types of the keys that are known of a host, each once, in order.
pub(super) fn key_types(files: &[KnownFile], host: &str, port: u16) -> Vec<String> {
    let mut types: Vec<String> = Vec::new();
    for name in names(host, port) {
        for entry in entries(files, Mark::Key, &name) {
            if !types.contains(&entry.key.key_type) {
                types.push(entry.key.key_type.clone());
            }
        }
    }
    types
}

/// Does somebody's signature count for this host?
pub(super) fn has_authority(files: &[KnownFile], host: &str, port: u16) -> bool {
    names(host, port)
        .iter()
        .any(|name| entries(files, Mark::Authority, name).next().is_some())
}

fn names(host: &str, port: u16) -> Vec<String> {
    let mut names = vec![name_of(host, port), name_of(host, 22)];
    names.dedup();
    names
}

fn entries<'a>(
    files: &'a [KnownFile],
    mark: Mark,
    name: &'a str,
) -> impl Iterator<Item = &'a Entry> {
    files
        .iter()
        .flat_map(|(_, entries)| entries)
        .filter(move |entry| entry.mark == mark && entry.means(name))
}

fn revoked_in<'a>(
    files: &'a [KnownFile],
    name: &str,
    presented: &Presented<'_>,
) -> Option<&'a Path> {
    let is_it = |key: &HostKey| {
        *key == presented.key
            || presented
                .certificate
                .as_ref()
                .is_some_and(|(_, authority)| authority == key)
    };
    files
        .iter()
        .find(|(_, entries)| {
            entries
                .iter()
                .any(|entry| entry.mark == Mark::Revoked && is_it(&entry.key) && entry.means(name))
        })
        .map(|(path, _)| path.as_path())
}

fn is_known(
    files: &[KnownFile],
    name: &str,
    host: &str,
    presented: &Presented<'_>,
    now: SystemTime,
) -> bool {
    let is_signed = presented
        .certificate
        .as_ref()
        .is_some_and(|(certificate, authority)| {
            let is_trusted =
                entries(files, Mark::Authority, name).any(|entry| entry.key == *authority);
            is_trusted && is_good(certificate, host, now)
        });
    is_signed || entries(files, Mark::Key, name).any(|entry| entry.key == presented.key)
}

fn is_good(certificate: &Certificate, host: &str, now: SystemTime) -> bool {
    match certificate::fault(certificate, host, now) {
        None => true,
        Some(fault) => {
            tracing::warn!(host, fault, "a host certificate is not good");
            false
        }
    }
}

fn question(
    host: &str,
    port: u16,
    name: &str,
    key: &HostKey,
    expected: Option<&HostKey>,
) -> HostKeyQuestion {
    HostKeyQuestion {
        host: host.to_owned(),
        port,
        known_hosts_host: name.to_owned(),
        key_type: key.key_type.clone(),
        fingerprint_sha256: key.fingerprint(),
        public_key: key.text(),
        reason: match expected {
            Some(_) => HostKeyReason::Changed,
            None => HostKeyReason::Unknown,
        },
        expected_fingerprint_sha256: expected.map(HostKey::fingerprint),
        expected_public_key: expected.map(HostKey::text),
        randomart: key.randomart(),
    }
}
