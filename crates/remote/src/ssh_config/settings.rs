//! The values that we honour, as written; the first one wins, files of keys add up.

use std::time::Duration;

use super::jump::JumpHop;

/// As OpenSSH.
const FILES_LIMIT: usize = 100;

/// What the matching blocks said so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) host_name: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) user: Option<String>,
    pub(crate) identity_files: Vec<String>,
    pub(crate) certificate_files: Vec<String>,
    pub(crate) identities_only: Option<bool>,
    pub(crate) identity_agent: Option<String>,
    pub(crate) way: Option<Way>,
    pub(crate) host_key_alias: Option<String>,
    pub(crate) user_known_hosts_files: Option<Vec<String>>,
    pub(crate) global_known_hosts_files: Option<Vec<String>>,
    /// Zero for no limit.
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) preferred_authentications: Option<Vec<String>>,
    /// What was said and is not done, with the reason.
    pub(crate) notes: Vec<String>,
}

/// `ProxyJump` or `ProxyCommand`, whichever came first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Direct,
    Jump(Vec<JumpHop>),
    Command(String),
}

impl Settings {
    /// Takes one setting over unless it is there already.
    ///
    /// # Errors
    /// Says what is wrong with the value.
    pub(crate) fn take(
        &mut self,
        keyword: &str,
        arguments: &[String],
        rest: &str,
    ) -> Result<(), String> {
        let first = arguments.first().map_or("", String::as_str);
        let bad = |what: &str| format!("`{first}` is no {what}");
        match keyword {
            "hostname" => keep(&mut self.host_name, || Ok(first.to_owned()))?,
            "port" => keep(&mut self.port, || port(first).ok_or_else(|| bad("port")))?,
            "user" => keep(&mut self.user, || Ok(first.to_owned()))?,
            "identityfile" => add(&mut self.identity_files, first),
            "certificatefile" => add(&mut self.certificate_files, first),
            "identitiesonly" => keep(&mut self.identities_only, || {
                flag(first).ok_or_else(|| bad("yes or no"))
            })?,
            "identityagent" => keep(&mut self.identity_agent, || Ok(first.to_owned()))?,
            "hostkeyalias" => keep(&mut self.host_key_alias, || Ok(first.to_owned()))?,
            "userknownhostsfile" => {
                keep(&mut self.user_known_hosts_files, || Ok(arguments.to_vec()))?;
            }
            "globalknownhostsfile" => {
                keep(
                    &mut self.global_known_hosts_files,
                    || Ok(arguments.to_vec()),
                )?;
            }
            "connecttimeout" => keep(&mut self.connect_timeout, || {
                time(first).ok_or_else(|| bad("time"))
            })?,
            "preferredauthentications" => keep(&mut self.preferred_authentications, || {
                Ok(first.split(',').map(str::to_owned).collect())
            })?,
            "proxyjump" => keep(&mut self.way, || {
                jump(first).ok_or_else(|| bad("list of hosts"))
            })?,
            "proxycommand" => keep(&mut self.way, || Ok(command(rest)))?,
            _ => self.note(keyword, first),
        }
        Ok(())
    }

    /// What changes who is trusted or how a host is reached must not be left out silently.
    fn note(&mut self, keyword: &str, value: &str) {
        let is_off = matches!(
            value.to_ascii_lowercase().as_str(),
            "no" | "none" | "false" | "off"
        );
        let why = match keyword {
            "canonicalizehostname" if !is_off => "names are looked up as they are",
            "stricthostkeychecking" if is_off || value.eq_ignore_ascii_case("accept-new") => {
                "an unknown host key is always a question here"
            }
            "revokedhostkeys" if !is_off => {
                "only @revoked lines of known_hosts files are looked at"
            }
            "knownhostscommand" | "pkcs11provider" | "proxyusefdpass" | "securitykeyprovider"
                if !is_off && value != "internal" =>
            {
                "this app does not support it"
            }
            "bindaddress" | "bindinterface" => "the system chooses where connections start",
            _ => return,
        };
        let note = format!("{keyword} {value} is not honoured: {why}");
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

fn keep<T>(place: &mut Option<T>, value: impl FnOnce() -> Result<T, String>) -> Result<(), String> {
    if place.is_none() {
        *place = Some(value()?);
    }
    Ok(())
}

fn add(files: &mut Vec<String>, file: &str) {
    if files.len() < FILES_LIMIT && !files.iter().any(|known| known == file) {
        files.push(file.to_owned());
    }
}

fn port(text: &str) -> Option<u16> {
    text.parse().ok().filter(|&port| port != 0)
}

fn flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" => Some(true),
        "no" | "false" => Some(false),
        _ => None,
    }
}

/// `30`, `1m30s`; `none` is zero.
fn time(text: &str) -> Option<Duration> {
    if text.eq_ignore_ascii_case("none") {
        return Some(Duration::ZERO);
    }
    let mut total_secs: u64 = 0;
    let mut number: Option<u64> = None;
    for letter in text.chars() {
        if let Some(digit) = letter.to_digit(10) {
            let so_far = number.unwrap_or(0).checked_mul(10)?;
            number = Some(so_far.checked_add(u64::from(digit))?);
            continue;
        }
        let unit_secs = match letter.to_ascii_lowercase() {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return None,
        };
        total_secs = total_secs.checked_add(number.take()?.checked_mul(unit_secs)?)?;
    }
    if let Some(rest) = number {
        total_secs = total_secs.checked_add(rest)?;
    } else if text.is_empty() {
        return None;
    }
    let sane_secs = u32::try_from(total_secs).ok()?;
    Some(Duration::from_secs(sane_secs.into()))
}

fn jump(text: &str) -> Option<Way> {
    if text.eq_ignore_ascii_case("none") {
        return Some(Way::Direct);
    }
    let hops: Option<Vec<JumpHop>> = text.split(',').map(JumpHop::parse).collect();
    hops.filter(|hops| hops.len() <= FILES_LIMIT).map(Way::Jump)
}

fn command(text: &str) -> Way {
    if text.eq_ignore_ascii_case("none") {
        Way::Direct
    } else {
        Way::Command(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(lines: &[&str]) -> Settings {
        let mut settings = Settings::default();
        for line in lines {
            let line = super::super::words::line(line).unwrap();
            let arguments = super::super::words::arguments(line.rest).unwrap();
            let keyword = line.keyword.to_ascii_lowercase();
            drop(settings.take(&keyword, &arguments, line.rest));
        }
        settings
    }

    #[test]
    fn times_are_read_with_units() {
        let secs = |secs| Some(Duration::from_secs(secs));
        assert_eq!(time("30"), secs(30));
        assert_eq!(time("1m30s"), secs(90));
        assert_eq!(time("1H"), secs(3_600));
        assert_eq!(time("none"), secs(0));
        assert_eq!(time("0"), secs(0));
        for text in ["", "x", "s", "1x", "99999999999999999999", "99999999999w"] {
            assert_eq!(time(text), None, "{text}");
        }
    }

    #[test]
    fn the_first_value_wins_and_key_files_add_up() {
        let settings = taken(&[
            "Port 1",
            "Port 2",
            "IdentityFile a",
            "IdentityFile b",
            "IdentityFile a",
        ]);
        assert_eq!(settings.port, Some(1));
        assert_eq!(settings.identity_files, ["a", "b"]);
    }

    #[test]
    fn a_value_that_cannot_be_leaves_room_for_the_next_one() {
        assert_eq!(taken(&["Port 99999", "Port 0", "Port 7"]).port, Some(7));
    }

    #[test]
    fn jump_and_command_exclude_each_other_in_order() {
        assert_eq!(
            taken(&["ProxyJump none", "ProxyCommand nc %h"]).way,
            Some(Way::Direct)
        );
        assert_eq!(
            taken(&["ProxyCommand nc %h", "ProxyJump j"]).way,
            Some(Way::Command("nc %h".to_owned()))
        );
    }

    #[test]
    fn what_weakens_trust_is_not_done_and_said() {
        let settings = taken(&[
            "StrictHostKeyChecking no",
            "CanonicalizeHostname yes",
            "Ciphers x",
        ]);
        assert_eq!(settings.notes.len(), 2, "{:?}", settings.notes);
    }
}
