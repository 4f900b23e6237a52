//! Certificates of hosts: is this one good for that host, now?

use std::time::{SystemTime, UNIX_EPOCH};

use russh::keys::ssh_key::certificate::CertType;
use russh::keys::{Algorithm, Certificate};

use crate::host_pattern;

/// Why a certificate is not good although its authority is known; the plain key is looked at then.
///
/// The caller has compared the authority with the known ones.
pub(super) fn fault(
    certificate: &Certificate,
    host: &str,
    now: SystemTime,
) -> Option<&'static str> {
    let now_secs = now
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let host = host.to_ascii_lowercase();
    let principals = certificate.valid_principals();
    if certificate.cert_type() != CertType::Host {
        Some("it is no host certificate")
    } else if now_secs < certificate.valid_after() {
        Some("it is not valid yet")
    } else if now_secs >= certificate.valid_before() {
        Some("it has expired")
    } else if !certificate.critical_options().is_empty() {
        Some("it has conditions that nobody knows")
    } else if !principals.is_empty()
        && !principals
            .iter()
            .any(|name| host_pattern::covers(&name.to_ascii_lowercase(), &host))
    {
        Some("it is for another host")
    } else if matches!(
        certificate.signature().algorithm(),
        Algorithm::Rsa { hash: None } | Algorithm::Dsa
    ) {
        Some("it is signed with SHA-1")
    } else if certificate.verify_signature().is_err() {
        Some("its signature is wrong")
    } else {
        None
    }
}
