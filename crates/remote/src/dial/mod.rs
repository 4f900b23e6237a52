//! Making a connection: name → TCP → key exchange → host key → authentication, through jump hosts where the user's
//! configuration names them. Each stage has its own limit and its own error.
//!
//! A dial is a task of its own that tells its caller what happens. A question of the server (a second factor) is one such
//! message: the caller gets it as [`RemoteError::Prompt`], the task goes on waiting with the half-made connection, and
//! [`Dialer::answer`] is another caller of the same task. No limit runs meanwhile but that of the prompt itself.

mod address;
mod agent;
mod attempts;
mod authentication;
mod conversation;
mod handshake;
mod identities;
mod keyboard;
mod offering;
mod private_key;
mod proxy_command;
mod way;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::connection::Connection;
use crate::error::{Phase, RemoteError, RemoteResult};
use crate::known_hosts::KnownHosts;
use crate::secret::{Credentials, Secret};
use crate::ssh_config::SshConfig;
use crate::target::Target;

use attempts::Attempts;
use authentication::Login;
use conversation::{Conversations, Line, Replay};
use way::Hop;

/// A stage never takes longer than this.
const STAGE_LIMIT: Duration = Duration::from_secs(30);
/// How often one dial may connect again because the server hung up on too many keys.
const CONNECTIONS_PER_LOGIN: usize = 4;

/// Where a dialer finds what belongs to the user. It reads the environment of nobody.
#[derive(Clone, Debug)]
pub struct DialerConfig {
    /// The home folder.
    pub home: PathBuf,
    /// `~/.ssh`: configuration, keys and known hosts; only read.
    pub ssh_dir: PathBuf,
    /// Ours.
    pub state_dir: PathBuf,
    /// The user's name on this machine.
    pub local_user: String,
    /// The socket (on Windows: the pipe) of the agent.
    pub agent_socket: Option<PathBuf>,
    /// This machine's name.
    pub local_host_name: String,
    /// Read behind the user's configuration, usually `/etc/ssh/ssh_config`; absent: only the user's counts.
    pub system_ssh_config: Option<PathBuf>,
}

impl DialerConfig {
    /// The SSH configuration as it is now.
    pub fn ssh_config(&self) -> SshConfig {
        let user = SshConfig::load(
            &self.home,
            &self.ssh_dir,
            &self.local_user,
            &self.local_host_name,
        );
        match &self.system_ssh_config {
            Some(file) => user.and_system(file),
            None => user,
        }
    }
}

/// Makes connections. Cheap to clone; holds no secret but those of dials that wait for an answer.
#[derive(Clone)]
pub struct Dialer(Arc<Inner>);

struct Inner {
    config: DialerConfig,
    known_hosts: Arc<KnownHosts>,
    attempts: Attempts,
    conversations: Conversations,
}

/// What one dial needs to know from its beginning to its end.
#[derive(Clone)]
struct Request {
    target: Target,
    credentials: Credentials,
    /// False where nobody is there to answer.
    may_ask: bool,
}

impl Dialer {
    /// A dialer that has dialed nobody yet.
    pub fn new(config: DialerConfig, known_hosts: Arc<KnownHosts>) -> Self {
        Self(Arc::new(Inner {
            config,
            known_hosts,
            attempts: Attempts::default(),
            conversations: Conversations::default(),
        }))
    }

    /// The host keys that it checks against.
    pub fn known_hosts(&self) -> &Arc<KnownHosts> {
        &self.0.known_hosts
    }

    /// Connects and logs in; `on_phase` is told each stage. Dropping the future ends the dial.
    ///
    /// # Errors
    /// One for each stage. [`RemoteError::HostKey`] and [`RemoteError::Prompt`] are questions to a person.
    pub async fn dial(
        &self,
        target: &Target,
        credentials: &Credentials,
        on_phase: impl Fn(Phase) + Send + Sync,
    ) -> RemoteResult<Connection> {
        self.begin(target, credentials, true, None)
            .outcome(&self.0.conversations, on_phase)
            .await
    }

    /// As [`Self::dial`], without anybody who could answer: where the server asks, that is a refusal.
    ///
    /// # Errors
    /// As [`Self::dial`], never [`RemoteError::Prompt`].
    pub async fn dial_alone(
        &self,
        target: &Target,
        credentials: &Credentials,
        on_phase: impl Fn(Phase) + Send + Sync,
    ) -> RemoteResult<Connection> {
        self.begin(target, credentials, false, None)
            .outcome(&self.0.conversations, on_phase)
            .await
    }

    /// Answers a question and goes on. When the server has hung up meanwhile, or the prompt has expired, it is dialed again,
    /// and the answers are used if it asks the same.
    ///
    /// # Errors
    /// As [`Self::dial`]; [`RemoteError::PromptExpired`] for a prompt that nobody knows any more.
    pub async fn answer(&self, prompt_id: &str, answers: Vec<Secret>) -> RemoteResult<Connection> {
        let waiting = self.0.conversations.take(prompt_id, answers.len())?;
        let line = match waiting.deliver(answers) {
            conversation::Delivered::Goes(line) => line,
            conversation::Delivered::Again(request, replay) => self.begin(
                &request.target,
                &request.credentials,
                request.may_ask,
                Some(replay),
            ),
        };
        line.outcome(&self.0.conversations, |_| {}).await
    }

    fn begin(
        &self,
        target: &Target,
        credentials: &Credentials,
        may_ask: bool,
        replay: Option<Replay>,
    ) -> Line {
        let request = Request {
            target: target.clone(),
            credentials: credentials.clone(),
            may_ask,
        };
        let inner = self.0.clone();
        Line::new(request.clone(), replay, |voice| async move {
            inner.run(request, voice).await
        })
    }
}

impl Inner {
    async fn run(
        self: Arc<Self>,
        request: Request,
        voice: conversation::Voice,
    ) -> RemoteResult<Connection> {
        voice.phase(Phase::Resolving);
        let hops = self.way_to(&request.target).await?;
        let mut way: Vec<Connection> = Vec::new();
        let last = hops.len().saturating_sub(1);
        for (index, hop) in hops.iter().enumerate() {
            self.attempts.check(&hop.target)?;
            let login = Login::new(hop, &request, index == last, &self.config);
            let reached = self.reach(hop, login, &way, &voice).await;
            if matches!(reached, Err(RemoteError::Authentication { .. })) {
                self.attempts.count(&hop.target);
            }
            match reached {
                Ok(connection) => way.push(connection),
                Err(error) if index == last => return Err(error),
                // These name the host that they are about.
                Err(error @ (RemoteError::HostKey(_) | RemoteError::Prompt(_))) => {
                    return Err(error);
                }
                Err(error) => {
                    return Err(RemoteError::Jump {
                        hop: hop.target.to_string(),
                        source: Box::new(error),
                    });
                }
            }
        }
        way.pop()
            .ok_or_else(|| RemoteError::Invalid(format!("there is no way to {}", request.target)))
    }

    async fn way_to(&self, target: &Target) -> RemoteResult<Vec<Hop>> {
        let config = self.config.clone();
        let target = target.clone();
        let planned =
            tokio::task::spawn_blocking(move || way::plan(&config.ssh_config(), &config, &target));
        planned
            .await
            .map_err(|error| RemoteError::Invalid(error.to_string()))?
    }

    /// One hop: connects to it over those before it and logs in, again where the server hangs up on too many keys.
    async fn reach(
        &self,
        hop: &Hop,
        mut login: Login,
        way: &[Connection],
        voice: &conversation::Voice,
    ) -> RemoteResult<Connection> {
        for _ in 0..CONNECTIONS_PER_LOGIN {
            let opened = address::open(hop, way, voice).await?;
            let mut made = handshake::shake_hands(hop, opened, &self.known_hosts, voice).await?;
            voice.phase(Phase::Authenticating);
            match login.log_in(&mut made, voice).await? {
                authentication::LoggedIn::Yes => return made.connection(hop, way.to_vec()),
                authentication::LoggedIn::OnAnotherConnection => {}
            }
        }
        Err(login.refusal())
    }
}

/// Text of the far side for people: one line of limited length, without control characters and marks that reorder text.
fn cleaned(text: &str, limit: usize) -> String {
    let mut line = String::new();
    for letter in text.chars() {
        let letter = match letter {
            '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}' => {
                continue;
            }
            control if control.is_control() => ' ',
            other => other,
        };
        if line.len() + letter.len_utf8() > limit {
            line.push('…');
            break;
        }
        line.push(letter);
    }
    line.trim().to_owned()
}
