//! Settings as written to what is used: tokens expanded, defaults filled in, and a note for each value that cannot be used.

use std::path::{Path, PathBuf};

use super::settings::{Settings, Way};
use super::tokens::Tokens;
use super::{IdentityAgent, ResolvedHost};

/// The default key files that we can use, in OpenSSH's order.
const DEFAULT_KEYS: [&str; 3] = ["id_rsa", "id_ecdsa", "id_ed25519"];

pub(super) struct Expanding<'a> {
    ssh_dir: &'a Path,
    tokens: &'a Tokens<'a>,
    notes: Vec<String>,
}

impl<'a> Expanding<'a> {
    pub(super) fn new(ssh_dir: &'a Path, tokens: &'a Tokens<'a>) -> Self {
        Self {
            ssh_dir,
            tokens,
            notes: Vec::new(),
        }
    }

    /// All members that need expansion; the others are the defaults.
    pub(super) fn all(mut self, settings: &Settings, jump: &[String]) -> ResolvedHost {
        ResolvedHost {
            identity_files: self.identity_files(&settings.identity_files),
            certificate_files: self.paths(&settings.certificate_files),
            identity_agent: self.identity_agent(settings.identity_agent.as_deref()),
            proxy_jump: self.hops(jump),
            proxy_command: self.proxy_command(settings.way.as_ref()),
            user_known_hosts_files: self.files_or(
                settings.user_known_hosts_files.as_deref(),
                self.ssh_dir,
                ["known_hosts", "known_hosts2"],
            ),
            global_known_hosts_files: self.files_or(
                settings.global_known_hosts_files.as_deref(),
                Path::new("/etc/ssh"),
                ["ssh_known_hosts", "ssh_known_hosts2"],
            ),
            notes: self.notes,
            ..ResolvedHost::default()
        }
    }

    /// `none` stands for no file.
    fn paths(&mut self, files: &[String]) -> Vec<PathBuf> {
        let mut paths = Vec::new();
        for file in files {
            if file.eq_ignore_ascii_case("none") {
                continue;
            }
            match self.tokens.path(file) {
                Ok(path) if !paths.contains(&path) => paths.push(path),
                Ok(_) => {}
                Err(why) => self.notes.push(format!("{file} is not used: {why}")),
            }
        }
        paths
    }

    fn identity_files(&mut self, files: &[String]) -> Vec<PathBuf> {
        if files.is_empty() {
            return DEFAULT_KEYS.map(|name| self.ssh_dir.join(name)).into();
        }
        self.paths(files)
    }

    fn files_or(
        &mut self,
        files: Option<&[String]>,
        folder: &Path,
        names: [&str; 2],
    ) -> Vec<PathBuf> {
        match files {
            Some(files) => self.paths(files),
            None => names.map(|name| folder.join(name)).into(),
        }
    }

    fn identity_agent(&mut self, text: Option<&str>) -> Option<IdentityAgent> {
        let text = text?;
        if text.eq_ignore_ascii_case("none") {
            return Some(IdentityAgent::None);
        }
        if text == "SSH_AUTH_SOCK" {
            return None;
        }
        let name = text.strip_prefix('$').filter(|rest| !rest.starts_with('{'));
        if let Some(name) = name {
            let socket = self.tokens.environment.get(name).map(PathBuf::from);
            if socket.is_none() && name != "SSH_AUTH_SOCK" {
                self.notes
                    .push(format!("IdentityAgent: the variable {name} is not known"));
            }
            return socket.map(IdentityAgent::Socket);
        }
        let files = self.paths(&[text.to_owned()]);
        files.into_iter().next().map(IdentityAgent::Socket)
    }

    fn hops(&mut self, hops: &[String]) -> Vec<String> {
        let mut expanded = Vec::new();
        for hop in hops {
            expanded.push(self.command("ProxyJump", hop));
        }
        expanded
    }

    fn proxy_command(&mut self, way: Option<&Way>) -> Option<String> {
        match way {
            Some(Way::Command(command)) => Some(self.command("ProxyCommand", command)),
            _ => None,
        }
    }

    /// What cannot be expanded stays as it is: it fails where it is used, instead of a direct connection being made.
    fn command(&mut self, keyword: &str, text: &str) -> String {
        self.tokens.command(text).unwrap_or_else(|why| {
            self.notes.push(format!("{keyword} {text}: {why}"));
            text.to_owned()
        })
    }
}
