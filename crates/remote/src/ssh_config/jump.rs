//! `ProxyJump`: `[user@]host[:port]` or `ssh://…`, several with commas.

use std::fmt;

/// One machine on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JumpHop {
    /// As whom; absent when the configuration of that host or the local name decides.
    pub user: Option<String>,
    /// A name, an address or an alias.
    pub host: String,
    /// Where; absent when the configuration of that host or 22 decides.
    pub port: Option<u16>,
}

impl JumpHop {
    /// Reads one hop. `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let text = match text.get(..6) {
            Some(scheme) if scheme.eq_ignore_ascii_case("ssh://") => {
                text[6..].trim_end_matches('/')
            }
            _ => text,
        };
        let (user, place) = match text.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, text),
        };
        let (host, port) = split_port(place)?;
        let is_plain = |part: &str| {
            !part.is_empty()
                && !part.starts_with('-')
                && !part.contains(|letter: char| letter.is_whitespace() || letter.is_control())
        };
        if !is_plain(host) || host.contains('/') || user.is_some_and(|user| !is_plain(user)) {
            return None;
        }
        Some(Self {
            user: user.map(str::to_owned),
            host: host.to_owned(),
            port,
        })
    }
}

fn split_port(place: &str) -> Option<(&str, Option<u16>)> {
    let parse = |port: &str| port.parse().ok().filter(|&port| port != 0);
    if let Some(bracketed) = place.strip_prefix('[') {
        let (host, after) = bracketed.split_once(']')?;
        return match after.strip_prefix(':') {
            Some(port) => Some((host, Some(parse(port)?))),
            None => after.is_empty().then_some((host, None)),
        };
    }
    match place.split_once(':') {
        // More than one colon without brackets: an address of version 6.
        Some((_, rest)) if rest.contains(':') => Some((place, None)),
        Some((host, port)) => Some((host, Some(parse(port)?))),
        None => Some((place, None)),
    }
}

impl fmt::Display for JumpHop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        if self.host.contains(':') {
            write!(f, "[{}]", self.host)?;
        } else {
            f.write_str(&self.host)?;
        }
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hops_are_read_in_every_form_and_written_in_one() {
        for (text, expected) in [
            ("jump", Some("jump")),
            ("u@jump", Some("u@jump")),
            ("u@jump:2222", Some("u@jump:2222")),
            ("ssh://u@jump:2222", Some("u@jump:2222")),
            ("SSH://jump/", Some("jump")),
            ("[::1]:22", Some("[::1]:22")),
            ("fe80::1", Some("[fe80::1]")),
            ("u@dom@jump", Some("u@dom@jump")),
            ("", None),
            ("u@", None),
            ("@jump", None),
            ("jump:0", None),
            ("jump:x", None),
            ("-oProxyCommand=x", None),
            ("a b", None),
            ("[::1", None),
        ] {
            let read = JumpHop::parse(text).map(|hop| hop.to_string());
            assert_eq!(read.as_deref(), expected, "{text}");
        }
    }
}
