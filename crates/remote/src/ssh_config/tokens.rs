//! `%h` and its kind, `~` and `${NAME}`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// What the tokens stand for.
pub(crate) struct Tokens<'a> {
    pub(crate) host_name: &'a str,
    pub(crate) alias: &'a str,
    pub(crate) port: u16,
    pub(crate) user: &'a str,
    pub(crate) local_user: &'a str,
    pub(crate) local_host: &'a str,
    pub(crate) home: &'a Path,
    pub(crate) host_key_alias: &'a str,
    pub(crate) jump: &'a str,
    pub(crate) environment: &'a HashMap<String, String>,
}

/// `HostName` knows `%h` (the alias) and `%%` only.
pub(crate) fn host_name(text: &str, alias: &str) -> String {
    let expanded = percent(text, |token| match token {
        'h' => Some(alias.to_owned()),
        _ => None,
    });
    expanded.unwrap_or_else(|_| text.to_owned())
}

impl Tokens<'_> {
    /// A path: tokens, `${NAME}` and `~`.
    ///
    /// # Errors
    /// Names what cannot be expanded.
    pub(crate) fn path(&self, text: &str) -> Result<PathBuf, String> {
        let text = self.variables(text)?;
        let text = percent(&text, |token| self.value(token))?;
        match text.strip_prefix('~') {
            None => Ok(PathBuf::from(text)),
            Some("") => Ok(self.home.to_owned()),
            Some(rest) => match rest.strip_prefix('/') {
                Some(rest) => Ok(self.home.join(rest.trim_start_matches('/'))),
                None => Err("the home folders of others are not looked up".to_owned()),
            },
        }
    }

    /// A `ProxyCommand` or a hop: only the tokens that say where to go, and only when they are plain words, because what
    /// comes out may be read by a shell.
    ///
    /// # Errors
    /// Names what cannot be expanded.
    pub(crate) fn command(&self, text: &str) -> Result<String, String> {
        percent(text, |token| match token {
            'h' | 'n' | 'p' | 'r' => self.value(token).filter(|value| is_plain_word(value)),
            _ => None,
        })
    }

    fn value(&self, token: char) -> Option<String> {
        let short_host = || self.local_host.split('.').next().unwrap_or_default();
        Some(match token {
            'h' => self.host_name.to_owned(),
            'n' => self.alias.to_owned(),
            'p' => self.port.to_string(),
            'r' => self.user.to_owned(),
            'u' => self.local_user.to_owned(),
            'l' => self.local_host.to_owned(),
            'L' => short_host().to_owned(),
            'd' => self.home.to_str()?.to_owned(),
            'k' => self.host_key_alias.to_owned(),
            'j' => self.jump.to_owned(),
            #[cfg(unix)]
            'i' => rustix::process::getuid().as_raw().to_string(),
            _ => return None,
        })
    }

    fn variables(&self, text: &str) -> Result<String, String> {
        let mut expanded = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after
                .split_once('}')
                .ok_or_else(|| "`${` is not closed".to_owned())?;
            let value = self
                .environment
                .get(name)
                .ok_or_else(|| format!("the variable {name} is not known"))?;
            expanded.push_str(before);
            expanded.push_str(value);
            rest = after;
        }
        expanded.push_str(rest);
        Ok(expanded)
    }
}

fn percent(text: &str, value: impl Fn(char) -> Option<String>) -> Result<String, String> {
    let mut expanded = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            expanded.push(letter);
            continue;
        }
        match letters.next() {
            Some('%') => expanded.push('%'),
            Some(token) => {
                let value =
                    value(token).ok_or_else(|| format!("%{token} cannot be expanded here"))?;
                expanded.push_str(&value);
            }
            None => return Err("a lone % at the end".to_owned()),
        }
    }
    Ok(expanded)
}

fn is_plain_word(text: &str) -> bool {
    let is_plain = |letter: char| {
        !letter.is_whitespace() && !letter.is_control() && !"'\"`$\\;&<>|(){}*?!#".contains(letter)
    };
    !text.is_empty() && !text.starts_with('-') && text.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(environment: &HashMap<String, String>) -> Tokens<'_> {
        Tokens {
            host_name: "10.0.0.1",
            alias: "gpu",
            port: 2222,
            user: "ada",
            local_user: "me",
            local_host: "box.example",
            home: Path::new("/home/me"),
            host_key_alias: "gpu-key",
            jump: "",
            environment,
        }
    }

    #[test]
    fn tokens_variables_and_the_home_are_expanded() {
        let environment = HashMap::from([("KEYS".to_owned(), "/keys".to_owned())]);
        let tokens = tokens(&environment);
        for (text, expected) in [
            (
                "~/.ssh/%h_%n_%p_%r_%u",
                Some("/home/me/.ssh/10.0.0.1_gpu_2222_ada_me"),
            ),
            (
                "%d/%l/%L/%k/100%%",
                Some("/home/me/box.example/box/gpu-key/100%"),
            ),
            ("${KEYS}/a", Some("/keys/a")),
            ("~", Some("/home/me")),
            ("~other/.ssh/key", None),
            ("${NOPE}/a", None),
            ("${KEYS", None),
            ("%C", None),
            ("a%", None),
        ] {
            let path = tokens.path(text).ok();
            assert_eq!(path.as_deref(), expected.map(Path::new), "{text}");
        }
    }

    #[test]
    fn a_command_gets_plain_words_only() {
        let environment = HashMap::new();
        let plain = tokens(&environment);
        assert_eq!(plain.command("nc %h %p").as_deref(), Ok("nc 10.0.0.1 2222"));
        let hostile = Tokens {
            host_name: "x;id",
            ..tokens(&environment)
        };
        assert!(hostile.command("nc %h %p").is_err());
        let option = Tokens {
            host_name: "-oProxyCommand=id",
            ..tokens(&environment)
        };
        assert!(option.command("nc %h").is_err());
    }
}
