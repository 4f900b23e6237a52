//! Proving who we are, in OpenSSH's order: keys, then questions of the server, then the password.
//!
//! What a person gave counts: a given key or password is tried before anything else that could do the same, and when the
//! server refuses it, nothing else is tried behind the person's back. Several steps (a key and then a code) are one login.
//! A server hangs up after a few refused keys, so keys are offered a few at a time, on further connections if need be.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use russh::MethodKind;
use russh::client::AuthResult;
use russh::client::Handle;
use tokio::time::timeout;

use super::conversation::Voice;
use super::handshake::Made;
use super::identities::{self, Identity};
use super::keyboard::{self, Round};
use super::private_key::KeyText;
use super::way::Hop;
use super::{DialerConfig, Request, STAGE_LIMIT};
use crate::connection::Client;
use crate::error::{Phase, RemoteError, RemoteResult};
use crate::secret::{Credentials, Secret};
use crate::ssh_config::ResolvedHost;

/// OpenSSH's server hangs up at the sixth refusal; a password or a code may still have to come.
const KEYS_PER_CONNECTION: usize = 4;

/// Whether that was it.
pub(super) enum LoggedIn {
    Yes,
    /// There is more to try, but not on this connection.
    OnAnotherConnection,
}

/// What the server said to one step.
pub(super) enum Answer {
    Accepted,
    /// Right, and more is wanted.
    AcceptedInPart,
    Refused,
    /// It hung up.
    Gone,
}

/// One way to try.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    GivenKey,
    Identity,
    Keyboard,
    Password,
    AskForPassword,
}

impl Step {
    fn method(self) -> &'static str {
        match self {
            Self::GivenKey | Self::Identity => "publickey",
            Self::Keyboard => "keyboard-interactive",
            Self::Password | Self::AskForPassword => "password",
        }
    }
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "each says of one thing whether it has been"
)]
/// A login from its first step to its last, over as many connections as it takes.
pub(super) struct Login {
    pub(super) host: String,
    pub(super) username: String,
    pub(super) credentials: Credentials,
    pub(super) may_ask: bool,
    pub(super) is_target: bool,
    settings: ResolvedHost,
    pub(super) agent_socket: Option<PathBuf>,
    given: Option<VecDeque<Identity>>,
    pub(super) identities: Option<VecDeque<Identity>>,
    offered: Vec<MethodKind>,
    tried: Vec<String>,
    /// Something that a person gave was refused.
    given_was_refused: bool,
    pub(super) password_was_used: bool,
    keyboard_was_used: bool,
    asked_for_password: bool,
    /// A key that the server would accept, if only we could open it.
    pub(super) locked: Option<RemoteError>,
    pub(super) keys_here: usize,
    has_part: bool,
    left: Duration,
}

impl Login {
    pub(super) fn new(
        hop: &Hop,
        request: &Request,
        is_target: bool,
        config: &DialerConfig,
    ) -> Self {
        let mut credentials = request.credentials.clone();
        if !is_target {
            // The password belongs to the target; no other machine ever sees it.
            credentials.password = None;
        }
        let socket = identities::agent_socket(&hop.settings, config.agent_socket.as_ref());
        Self {
            host: hop.target.host.clone(),
            username: hop.target.username.clone(),
            agent_socket: socket.filter(|_| credentials.use_agent),
            credentials,
            may_ask: request.may_ask,
            is_target,
            settings: hop.settings.clone(),
            given: None,
            identities: None,
            offered: Vec::new(),
            tried: Vec::new(),
            given_was_refused: false,
            password_was_used: false,
            keyboard_was_used: false,
            asked_for_password: false,
            locked: None,
            keys_here: 0,
            has_part: false,
            left: STAGE_LIMIT,
        }
    }

    /// # Errors
    /// [`RemoteError::Authentication`], [`RemoteError::PassphraseNeeded`] and the like; a lost link.
    pub(super) async fn log_in(
        &mut self,
        made: &mut Made,
        voice: &Voice,
    ) -> RemoteResult<LoggedIn> {
        self.keys_here = 0;
        self.has_part = false;
        self.left = STAGE_LIMIT;
        let username = self.username.clone();
        let asked = made.handle.authenticate_none(username);
        let mut answer = self.timed(asked).await.map(|result| self.heard(result))?;
        loop {
            match answer {
                Answer::Accepted => return Ok(LoggedIn::Yes),
                Answer::AcceptedInPart => {
                    self.has_part = true;
                    self.given_was_refused = false;
                    self.keyboard_was_used = false;
                }
                Answer::Refused => {}
                Answer::Gone if self.tried.is_empty() => {
                    return Err(self.hung_up(made));
                }
                Answer::Gone => return self.elsewhere(),
            }
            let Some(step) = self.next_step() else {
                return Err(self.refusal());
            };
            if step == Step::Identity && self.keys_here >= KEYS_PER_CONNECTION && !self.has_part {
                return Ok(LoggedIn::OnAnotherConnection);
            }
            if matches!(step, Step::Keyboard | Step::AskForPassword)
                && let Some(locked) = self.locked.take()
            {
                return Err(locked);
            }
            answer = match self.take_step(step, made, voice).await? {
                Some(answer) => answer,
                None => return Ok(LoggedIn::OnAnotherConnection),
            };
        }
    }

    /// Every way was refused, or a key could not be opened.
    pub(super) fn refusal(&mut self) -> RemoteError {
        if let Some(locked) = self.locked.take() {
            return locked;
        }
        RemoteError::Authentication {
            host: self.host.clone(),
            username: self.username.clone(),
            tried: self.tried.clone(),
            offered: self
                .offered
                .iter()
                .map(|method| <&str>::from(method).to_owned())
                .collect(),
        }
    }

    fn hung_up(&self, made: &Made) -> RemoteError {
        let said = made.last_words.lock().take();
        tracing::debug!(host = self.host, said, "hung up before a login was tried");
        RemoteError::LinkLost(self.host.clone())
    }

    /// After the server has hung up: on another connection, if there is anything left to try.
    fn elsewhere(&mut self) -> RemoteResult<LoggedIn> {
        if self.next_step().is_some() && !self.has_part {
            Ok(LoggedIn::OnAnotherConnection)
        } else {
            Err(self.refusal())
        }
    }

    fn offers(&self, method: MethodKind) -> bool {
        self.offered.contains(&method)
    }

    fn next_step(&self) -> Option<Step> {
        let has_given_key =
            self.credentials.private_key.is_some() || self.credentials.private_key_path.is_some();
        let key_comes_first = has_given_key && self.is_target;
        let more =
            |keys: &Option<VecDeque<Identity>>| keys.as_ref().is_none_or(|keys| !keys.is_empty());
        let may_go_on = !self.given_was_refused;
        let has_password = self.credentials.password.is_some() && !self.password_was_used;
        let password_first = has_password && may_go_on;
        let asks =
            self.offers(MethodKind::KeyboardInteractive) && !self.keyboard_was_used && may_go_on;
        let keys = self.offers(MethodKind::PublicKey);
        let mut steps = Vec::new();
        if keys && key_comes_first && more(&self.given) {
            steps.push(Step::GivenKey);
        }
        if password_first && asks {
            steps.push(Step::Keyboard);
        }
        if password_first && self.offers(MethodKind::Password) {
            steps.push(Step::Password);
        }
        if keys && !key_comes_first && may_go_on && more(&self.identities) {
            steps.push(Step::Identity);
        }
        if keys && has_given_key && !self.is_target && more(&self.given) {
            steps.push(Step::GivenKey);
        }
        if asks && self.may_ask {
            steps.push(Step::Keyboard);
        }
        if self.offers(MethodKind::Password)
            && !self.is_target
            && self.may_ask
            && !self.asked_for_password
        {
            steps.push(Step::AskForPassword);
        }
        self.preferred(steps)
    }

    /// `PreferredAuthentications` leaves methods out and orders the others.
    fn preferred(&self, steps: Vec<Step>) -> Option<Step> {
        let Some(preferred) = &self.settings.preferred_authentications else {
            return steps.into_iter().next();
        };
        let rank = |step: &Step| preferred.iter().position(|name| name == step.method());
        steps
            .into_iter()
            .filter(|step| rank(step).is_some())
            .min_by_key(|step| rank(step))
    }

    /// `None`: go on with another connection.
    async fn take_step(
        &mut self,
        step: Step,
        made: &mut Made,
        voice: &Voice,
    ) -> RemoteResult<Option<Answer>> {
        match step {
            Step::GivenKey => {
                if self.given.is_none() {
                    self.given = Some(self.given_identities()?);
                }
                let next = self.given.as_mut().and_then(VecDeque::pop_front);
                let answer = self.offer(next, made, voice).await?;
                let was_last = self.given.as_ref().is_some_and(VecDeque::is_empty);
                if matches!(answer, Answer::Refused) && was_last && self.is_target {
                    self.given_was_refused = true;
                }
                Ok(Some(answer))
            }
            Step::Identity => {
                if self.identities.is_none() {
                    let binding = made.handle.agent_session_binding();
                    let socket = self.agent_socket.as_deref();
                    let found = identities::gather(&self.settings, socket, binding).await;
                    self.identities = Some(found.into());
                }
                let next = self.identities.as_mut().and_then(VecDeque::pop_front);
                self.offer(next, made, voice).await.map(Some)
            }
            Step::Password => {
                self.password_was_used = true;
                let password = self.credentials.password.clone().unwrap_or_default();
                let answer = self.try_password(&password, &mut made.handle).await?;
                if matches!(answer, Answer::Refused) {
                    self.given_was_refused = true;
                }
                Ok(Some(answer))
            }
            Step::AskForPassword => {
                let text = format!("Password of {} on {}", self.username, self.host);
                let password = self.ask_one(&text, voice).await?;
                if made.has_hung_up().await {
                    keyboard::keep(voice, &text, password);
                    return Ok(None);
                }
                self.asked_for_password = true;
                self.try_password(&password, &mut made.handle)
                    .await
                    .map(Some)
            }
            Step::Keyboard => {
                self.keyboard_was_used = true;
                match keyboard::answer_questions(self, made, voice).await? {
                    Round::Over(answer) => {
                        if matches!(answer, Answer::Refused) && self.password_was_used {
                            self.given_was_refused = true;
                        }
                        Ok(Some(answer))
                    }
                    Round::HungUp => {
                        self.keyboard_was_used = false;
                        Ok(None)
                    }
                }
            }
        }
    }

    async fn try_password(
        &mut self,
        password: &Secret,
        handle: &mut Handle<Client>,
    ) -> RemoteResult<Answer> {
        self.tried.push("password".to_owned());
        let asked = handle.authenticate_password(self.username.clone(), password.reveal());
        let result = self.timed(asked).await?;
        Ok(self.heard(result))
    }

    fn given_identities(&self) -> RemoteResult<VecDeque<Identity>> {
        if let Some(text) = &self.credentials.private_key {
            let key = KeyText::read("given as text", text, None)?;
            return Ok(identities::given(key, None).into());
        }
        let Some(path) = &self.credentials.private_key_path else {
            return Ok(VecDeque::new());
        };
        let key = KeyText::of_file(path).unwrap_or_else(|| {
            Err(RemoteError::KeyUnusable {
                key: path.display().to_string(),
                detail: "there is no such file".to_owned(),
            })
        })?;
        Ok(identities::given(key, Some(path)).into())
    }

    pub(super) async fn ask_one(&self, text: &str, voice: &Voice) -> RemoteResult<Secret> {
        let question = keyboard::hidden_question(&self.host, text);
        let answers = voice
            .ask(question)
            .await
            .ok_or(RemoteError::PromptExpired)?;
        Ok(answers.into_iter().next().unwrap_or_default())
    }

    /// Takes in what the server said, and what it would still take.
    pub(super) fn heard(&mut self, result: Result<AuthResult, russh::Error>) -> Answer {
        match result {
            Ok(AuthResult::Success) => Answer::Accepted,
            Ok(AuthResult::Failure {
                remaining_methods,
                partial_success,
            }) => self.not_yet(&remaining_methods, partial_success),
            Err(error) => {
                tracing::debug!(%error, "a login step failed");
                Answer::Gone
            }
        }
    }

    pub(super) fn not_yet(&mut self, remaining: &[MethodKind], in_part: bool) -> Answer {
        if remaining.is_empty() {
            return Answer::Gone;
        }
        self.offered = remaining.to_vec();
        if in_part {
            Answer::AcceptedInPart
        } else {
            Answer::Refused
        }
    }

    pub(super) fn note_try(&mut self, what: &str) {
        self.tried.push(what.to_owned());
    }

    /// Waits for the server, within what is left of the stage. Time in which a person thinks is not counted.
    pub(super) async fn timed<F: Future>(&mut self, work: F) -> RemoteResult<F::Output> {
        let since = Instant::now();
        let done = timeout(self.left, work).await;
        self.left = self.left.saturating_sub(since.elapsed());
        done.ok().ok_or_else(|| RemoteError::Timeout {
            host: self.host.clone(),
            phase: Phase::Authenticating,
            limit: STAGE_LIMIT,
        })
    }
}
