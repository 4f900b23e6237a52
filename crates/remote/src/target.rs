//! Who to be where: `user@host:port`, the documented identity of a connection.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A user on a host, by the names that a person gave; `host` may be an alias of `~/.ssh/config`.
///
/// Its text `user@host:port` is the documented `connection_id`, split at the last `:` and the first `@`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Target {
    /// The user name on the far side; never empty.
    pub username: String,
    /// The host name, address or alias; never empty, without white space or control characters, never starting with `-`.
    pub host: String,
    /// The port as asked for; never 0.
    pub port: u16,
}

/// A text that is no [`Target`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Invalid connection_id format: {0}")]
pub struct BadTarget(pub String);

impl Target {
    /// A target, checked: hostile names never reach a resolver, a command or a file.
    ///
    /// # Errors
    /// Names the part that cannot be.
    pub fn new(username: &str, host: &str, port: u16) -> Result<Self, BadTarget> {
        let whole = || format!("{username}@{host}:{port}");
        let is_plain = |text: &str| {
            !text.is_empty()
                && text.len() <= 255
                && !text.starts_with('-')
                && text
                    .chars()
                    .all(|letter| !letter.is_whitespace() && !letter.is_control())
        };
        let is_host = is_plain(host)
            && !host.contains([
                '@', '/', '\\', ',', '\'', '"', '`', '$', ';', '|', '&', '<', '>',
            ]);
        let is_user = is_plain(username)
            && !username.contains(['/', '\'', '"', '`', '$', ';', '|', '&', '<', '>']);
        if !is_host || !is_user || port == 0 {
            return Err(BadTarget(whole()));
        }
        Ok(Self {
            username: username.to_owned(),
            host: host.to_owned(),
            port,
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}:{}", self.username, self.host, self.port)
    }
}

impl FromStr for Target {
    type Err = BadTarget;

    fn from_str(text: &str) -> Result<Self, BadTarget> {
        let bad = || BadTarget(text.to_owned());
        let (user_and_host, port) = text.rsplit_once(':').ok_or_else(bad)?;
        let (username, host) = user_and_host.split_once('@').ok_or_else(bad)?;
        let port = port.parse().ok().ok_or_else(bad)?;
        Self::new(username, host, port).ok().ok_or_else(bad)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_id_is_split_at_the_last_colon_and_the_first_at() {
        let target: Target = "u@h:22".parse().unwrap();
        assert_eq!(target, Target::new("u", "h", 22).unwrap());
        let v6: Target = "u@fe80::1:2222".parse().unwrap();
        assert_eq!((v6.host.as_str(), v6.port), ("fe80::1", 2222));
        assert_eq!(v6.to_string(), "u@fe80::1:2222");
    }

    #[test]
    fn hostile_and_malformed_connection_ids_are_refused() {
        for text in [
            "bad",
            "u_h:22",
            "u@h",
            "u@h:x",
            "u@h:0",
            "u@h:99999",
            "@h:22",
            "u@:22",
            "u@-oProxyCommand=x:22",
            "-l@h:22",
            "u@h y:22",
            "u@h\n:22",
            "u;id@h:22",
            "u@h$(id):22",
        ] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
    }
}
