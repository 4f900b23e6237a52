//! The way to a target: which machines lie on it, and how each is reached, as the user's SSH configuration says.

use std::time::Duration;

use super::{DialerConfig, STAGE_LIMIT};
use crate::error::{RemoteError, RemoteResult};
use crate::ssh_config::{ResolvedHost, SshConfig};
use crate::target::Target;

/// A way is no longer than this.
const MOST_HOPS: usize = 8;
/// The port that is meant when none is said.
pub(super) const SSH_PORT: u16 = 22;

/// One machine on the way; the last one is the target itself.
#[derive(Clone, Debug)]
pub(super) struct Hop {
    /// As named; its user is the one that logs in.
    pub(super) target: Target,
    /// Where to connect.
    pub(super) host: String,
    /// Where to connect.
    pub(super) port: u16,
    /// What the configuration says about it.
    pub(super) settings: ResolvedHost,
}

impl Hop {
    fn new(ssh_config: &SshConfig, config: &DialerConfig, target: &Target) -> RemoteResult<Self> {
        let mut settings = ssh_config.resolve(&target.host, Some(&target.username));
        // 22 is what everybody sends who was not told a port, so the configuration may know better.
        let port = match settings.port {
            Some(port) if target.port == SSH_PORT => port,
            _ => target.port,
        };
        let host = settings.host_name.clone();
        Target::new(&target.username, &host, port)?;
        if settings.identity_files.is_empty() {
            settings.identity_files = ["id_ed25519", "id_ecdsa", "id_rsa"]
                .map(|name| config.ssh_dir.join(name))
                .into();
        }
        Ok(Self {
            target: target.clone(),
            host,
            port,
            settings,
        })
    }

    /// How long connecting may take.
    pub(super) fn connect_limit(&self) -> Duration {
        self.settings
            .connect_timeout
            .map_or(STAGE_LIMIT, |wanted| wanted.min(STAGE_LIMIT))
    }

    /// The name and port under which its key is known.
    pub(super) fn known_as(&self) -> (&str, u16) {
        match &self.settings.host_key_alias {
            Some(alias) => (alias, SSH_PORT),
            None => (&self.host, self.port),
        }
    }
}

/// All hops, the target last.
///
/// # Errors
/// [`RemoteError::Invalid`] for a loop, a way that is too long and a jump host that cannot be.
pub(super) fn plan(
    ssh_config: &SshConfig,
    config: &DialerConfig,
    target: &Target,
) -> RemoteResult<Vec<Hop>> {
    let mut hops = Vec::new();
    let last = Hop::new(ssh_config, config, target)?;
    lead_to(ssh_config, config, last, &mut Vec::new(), &mut hops)?;
    Ok(hops)
}

/// Appends the way to `hop` and `hop`. Only the first of its jump hosts may have a way of its own, as with `ssh -J`.
fn lead_to(
    ssh_config: &SshConfig,
    config: &DialerConfig,
    hop: Hop,
    above: &mut Vec<(String, u16)>,
    hops: &mut Vec<Hop>,
) -> RemoteResult<()> {
    let place = (hop.host.clone(), hop.port);
    if above.contains(&place) {
        return Err(RemoteError::Invalid(format!(
            "the way to {} leads back to itself (ProxyJump)",
            hop.target.host
        )));
    }
    above.push(place);
    for (index, jump) in hop.settings.proxy_jump.iter().enumerate() {
        let via = Hop::new(ssh_config, config, &jump_target(ssh_config, config, jump)?)?;
        if index == 0 {
            lead_to(ssh_config, config, via, above, hops)?;
        } else {
            hops.push(via);
        }
        if hops.len() >= MOST_HOPS {
            return Err(RemoteError::Invalid(format!(
                "the way to {} has more than {MOST_HOPS} machines (ProxyJump)",
                hop.target.host
            )));
        }
    }
    hops.push(hop);
    Ok(())
}

/// `[user@]host[:port]`, an IPv6 address in brackets, with or without `ssh://`.
fn jump_target(ssh_config: &SshConfig, config: &DialerConfig, text: &str) -> RemoteResult<Target> {
    let bad = || RemoteError::Invalid(format!("the jump host {text:?} cannot be used"));
    let plain = text.strip_prefix("ssh://").unwrap_or(text);
    let (user, place) = match plain.rsplit_once('@') {
        Some((user, place)) => (Some(user), place),
        None => (None, plain),
    };
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or_else(bad)?;
            (host, after.strip_prefix(':'))
        }
        None => match place.split_once(':') {
            Some((host, port)) if !port.contains(':') => (host, Some(port)),
            _ => (place, None),
        },
    };
    let port = match port {
        Some(port) => port.parse().ok().ok_or_else(bad)?,
        None => SSH_PORT,
    };
    let user = match user {
        Some(user) => user.to_owned(),
        None => ssh_config
            .resolve(host, None)
            .user
            .unwrap_or_else(|| config.local_user.clone()),
    };
    Ok(Target::new(&user, host, port)?)
}
