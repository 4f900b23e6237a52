//! The way to a target: which machines lie on it, and how each is reached, as the user's SSH configuration says.

use std::time::Duration;

use super::{DialerConfig, STAGE_LIMIT};
use crate::error::{RemoteError, RemoteResult};
use crate::ssh_config::{JumpHop, ResolvedHost, SshConfig};
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
    fn new(ssh_config: &SshConfig, target: &Target) -> RemoteResult<Self> {
        let settings = ssh_config.resolve(&target.host, Some(&target.username));
        // 22 is what everybody sends who was not told a port, so the configuration may know better.
        let port = match settings.port {
            Some(port) if target.port == SSH_PORT => port,
            _ => target.port,
        };
        let host = settings.host_name.clone();
        Target::new(&target.username, &host, port)?;
        Ok(Self {
            target: target.clone(),
            host,
            port,
            settings,
        })
    }

    /// How long connecting, and then the key exchange, may take.
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
    let last = Hop::new(ssh_config, target)?;
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
        let via = Hop::new(ssh_config, &jump_target(ssh_config, config, jump)?)?;
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

fn jump_target(ssh_config: &SshConfig, config: &DialerConfig, text: &str) -> RemoteResult<Target> {
    let jump = JumpHop::parse(text).ok_or_else(|| {
        RemoteError::Invalid(format!("the jump host {text:?} cannot be used (ProxyJump)"))
    })?;
    let user = match jump.user {
        Some(user) => user,
        None => ssh_config
            .resolve(&jump.host, None)
            .user
            .unwrap_or_else(|| config.local_user.clone()),
    };
    let port = jump.port.unwrap_or(SSH_PORT);
    Ok(Target::new(&user, &jump.host, port)?)
}
