//! The user's OpenSSH configuration, read and never written: which hosts there are and how each is reached.
//!
//! It follows what `ssh -G` says: the first value wins, files of keys add up, `Host` and `Match` choose, `Include` is
//! followed. Nothing in it is ever run (`Match exec`), and what cannot be honoured is said in notes, not left out silently.
//! A file may be hostile or huge: sizes, depth and counts are limited, and a broken line costs only itself.

mod expanding;
mod jump;
mod matching;
mod reading;
mod settings;
mod tokens;
mod words;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use jump::JumpHop;

use expanding::Expanding;
use matching::Question;
use reading::{Kind, Reader, Source};
use settings::{Settings, Way};
use tokens::Tokens;

const ALIASES_LIMIT: usize = 1_000;

/// The configuration as it was when it was loaded.
#[derive(Clone, Debug, Default)]
pub struct SshConfig {
    home: PathBuf,
    ssh_dir: PathBuf,
    local_user: String,
    local_host: String,
    environment: HashMap<String, String>,
    sources: Vec<Source>,
    problems: Vec<String>,
}

/// A host that the configuration names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostAlias {
    /// Its name there.
    pub alias: String,
    /// How it is reached.
    pub resolved: ResolvedHost,
}

/// Which agent to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentityAgent {
    /// No agent at all.
    None,
    /// This socket.
    Socket(PathBuf),
}

/// How a host is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResolvedHost {
    /// The name or address to connect to, in lower case.
    pub host_name: String,
    /// Absent when nothing is said.
    pub port: Option<u16>,
    /// Absent when nothing is said.
    pub user: Option<String>,
    /// Keys to try, in order: those named, or the default ones of the ssh folder when none is. Empty after `IdentityFile none`.
    pub identity_files: Vec<PathBuf>,
    /// Certificates for them.
    pub certificate_files: Vec<PathBuf>,
    /// Of the agent's keys only those of the files.
    pub identities_only: bool,
    /// Absent: the agent of the session.
    pub identity_agent: Option<IdentityAgent>,
    /// Hops in order, the first one is reached directly: `user@host:port`, parts absent that are not said. The
    /// configuration of the first hop may name a way of its own; that of the others does not count.
    pub proxy_jump: Vec<String>,
    /// A command whose stdin and stdout are the connection; tokens expanded.
    pub proxy_command: Option<String>,
    /// The name under which its key is known; without a port.
    pub host_key_alias: Option<String>,
    /// The user's known hosts.
    pub user_known_hosts_files: Vec<PathBuf>,
    /// The machine's known hosts.
    pub global_known_hosts_files: Vec<PathBuf>,
    /// How long to wait.
    pub connect_timeout: Option<Duration>,
    /// Ways of authentication in order.
    pub preferred_authentications: Option<Vec<String>>,
    /// What is said and not done, with the reason.
    pub notes: Vec<String>,
}

impl SshConfig {
    /// Reads `<ssh_dir>/config`. An absent file is an empty configuration.
    pub fn load(home: &Path, ssh_dir: &Path, local_user: &str, local_host: &str) -> Self {
        let config = Self {
            home: home.to_owned(),
            ssh_dir: ssh_dir.to_owned(),
            local_user: local_user.to_owned(),
            local_host: local_host.to_owned(),
            ..Self::default()
        };
        let base = ssh_dir.to_owned();
        config.and_file(&ssh_dir.join("config"), &base)
    }

    /// Reads the machine's configuration behind the user's (usually `/etc/ssh/ssh_config`).
    #[must_use]
    pub fn and_system(self, file: &Path) -> Self {
        let base = file.parent().unwrap_or(Path::new("/")).to_owned();
        self.and_file(file, &base)
    }

    /// Variables for `${NAME}` and for agents; without them such values are left out and noted.
    #[must_use]
    pub fn with_environment(mut self, environment: HashMap<String, String>) -> Self {
        self.environment = environment;
        self
    }

    fn and_file(mut self, file: &Path, base: &Path) -> Self {
        let (source, problems) = Reader::new(&self.home, base).read(file);
        self.problems.extend(problems);
        note_unknown_conditions(&source, &mut self.problems);
        self.sources.push(source);
        self
    }

    /// The hosts that are named without wildcards, in the order of the files.
    pub fn hosts(&self) -> Vec<HostAlias> {
        let mut aliases = Vec::new();
        let mut seen = HashSet::new();
        for source in &self.sources {
            collect_aliases(source, &mut seen, &mut aliases);
        }
        aliases
            .into_iter()
            .map(|alias| HostAlias {
                resolved: self.resolve(&alias, None),
                alias,
            })
            .collect()
    }

    /// How a host is reached; `user` is who a person said to be, which wins over the files.
    pub fn resolve(&self, alias: &str, user: Option<&str>) -> ResolvedHost {
        let question = Question {
            alias,
            local_user: &self.local_user,
        };
        let settings = matching::settings(&self.sources, &question, user);
        self.resolved(alias, settings)
    }

    /// What could not be honoured in the files as a whole.
    pub fn problems(&self) -> Vec<String> {
        self.problems.clone()
    }

    fn resolved(&self, alias: &str, settings: Settings) -> ResolvedHost {
        let host_name = match &settings.host_name {
            Some(name) => tokens::host_name(name, alias),
            None => alias.to_owned(),
        };
        let host_name = host_name.to_ascii_lowercase();
        let jump = match &settings.way {
            Some(Way::Jump(hops)) => hops.iter().map(ToString::to_string).collect(),
            _ => Vec::new(),
        };
        let jump_text = jump.join(",");
        let tokens = Tokens {
            host_name: &host_name,
            alias,
            port: settings.port.unwrap_or(22),
            user: settings.user.as_deref().unwrap_or(&self.local_user),
            local_user: &self.local_user,
            local_host: &self.local_host,
            home: &self.home,
            host_key_alias: settings.host_key_alias.as_deref().unwrap_or(alias),
            jump: &jump_text,
            environment: &self.environment,
        };
        let expanded = Expanding::new(&self.ssh_dir, &tokens).all(&settings, &jump);
        ResolvedHost {
            notes: [settings.notes, expanded.notes].concat(),
            port: settings.port,
            user: settings.user,
            identities_only: settings.identities_only.unwrap_or(false),
            host_key_alias: settings.host_key_alias,
            connect_timeout: settings.connect_timeout.filter(|time| !time.is_zero()),
            preferred_authentications: settings.preferred_authentications,
            host_name,
            ..expanded
        }
    }
}

fn collect_aliases(source: &Source, seen: &mut HashSet<String>, aliases: &mut Vec<String>) {
    for statement in &source.statements {
        match &statement.kind {
            Kind::Host(patterns) => {
                for pattern in patterns {
                    let is_name = !pattern.is_empty()
                        && pattern.len() <= 255
                        && !pattern.contains(['*', '?', '!'])
                        && !pattern.contains(char::is_control);
                    if is_name && aliases.len() < ALIASES_LIMIT && seen.insert(pattern.clone()) {
                        aliases.push(pattern.clone());
                    }
                }
            }
            Kind::Include(included) => {
                for source in included {
                    collect_aliases(source, seen, aliases);
                }
            }
            _ => {}
        }
    }
}

fn note_unknown_conditions(source: &Source, problems: &mut Vec<String>) {
    const KNOWN: [&str; 7] = [
        "all",
        "canonical",
        "final",
        "host",
        "originalhost",
        "user",
        "localuser",
    ];
    for statement in &source.statements {
        match &statement.kind {
            Kind::Match(criteria) => {
                let unknown = criteria
                    .iter()
                    .find(|criterion| !KNOWN.contains(&criterion.word.as_str()));
                if let Some(criterion) = unknown.filter(|_| problems.len() < 100) {
                    problems.push(matching::unknown(criterion, &source.name, statement.line));
                }
            }
            Kind::Include(included) => {
                for source in included {
                    note_unknown_conditions(source, problems);
                }
            }
            _ => {}
        }
    }
}
