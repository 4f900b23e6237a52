//! An in-process SSH server for what OpenSSH cannot do: rounds of questions of any shape, steps, and bad behaviour.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use russh::keys::{Algorithm, PrivateKey, PublicKey};
use russh::server::{
    Auth, ChannelOpenHandle, Config, Handle, Handler, Msg, Response, Session, VerifiedPublicKey,
};
use russh::{Channel, MethodKind, MethodSet};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// One round of questions: their texts and whether the answer may be seen, and the right answers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Round {
    pub(crate) name: String,
    pub(crate) instructions: String,
    pub(crate) prompts: Vec<(String, bool)>,
    pub(crate) answers: Vec<String>,
}

impl Round {
    /// Hidden questions.
    pub(crate) fn of(questions: &[(&str, &str)]) -> Self {
        Self {
            prompts: questions
                .iter()
                .map(|(text, _)| ((*text).to_owned(), false))
                .collect(),
            answers: questions
                .iter()
                .map(|(_, answer)| (*answer).to_owned())
                .collect(),
            ..Self::default()
        }
    }
}

/// How it behaves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Behaviour {
    /// This key comes first; alone it is enough when there are no rounds.
    pub(crate) key: Option<PublicKey>,
    /// Then these.
    pub(crate) rounds: Vec<Round>,
    /// Or this password, alone.
    pub(crate) password: Option<String>,
    /// A greeting before the login.
    pub(crate) banner: Option<String>,
}

/// It listens until it is dropped.
pub(crate) struct RusshServer {
    port: u16,
    host_key: PublicKey,
    state: Arc<State>,
    task: JoinHandle<()>,
}

struct State {
    behaviour: Behaviour,
    sessions: Mutex<Vec<JoinHandle<()>>>,
    /// Handles of logged-in connections.
    logged_in: watch::Sender<Vec<Handle>>,
    /// Connections so far.
    accepted: watch::Sender<usize>,
    /// Passwords that came.
    passwords: Mutex<Vec<String>>,
}

impl RusshServer {
    /// Starts it.
    pub(crate) async fn start(behaviour: Behaviour) -> Self {
        let key = PrivateKey::random(&mut rand::rng(), Algorithm::Ed25519).unwrap();
        let host_key = key.public_key().clone();
        let config = Arc::new(Config {
            keys: vec![key],
            auth_rejection_time: Duration::ZERO,
            auth_rejection_time_initial: Some(Duration::ZERO),
            max_auth_attempts: 10,
            ..Config::default()
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State {
            behaviour,
            sessions: Mutex::default(),
            logged_in: watch::Sender::default(),
            accepted: watch::Sender::default(),
            passwords: Mutex::default(),
        });
        let task = tokio::spawn(accept(listener, config, state.clone()));
        Self {
            port,
            host_key,
            state,
            task,
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Its `known_hosts` line.
    pub(crate) fn known_hosts(&self) -> String {
        let key = self.host_key.to_openssh().unwrap();
        format!("[127.0.0.1]:{} {key}\n", self.port)
    }

    /// How many connections it has taken.
    pub(crate) fn accepted(&self) -> usize {
        *self.state.accepted.borrow()
    }

    /// Every password that was sent to it.
    pub(crate) fn passwords(&self) -> Vec<String> {
        self.state.passwords.lock().clone()
    }

    /// Closes all connections, without a word.
    pub(crate) async fn hang_up(&self) {
        let sessions = std::mem::take(&mut *self.state.sessions.lock());
        for session in sessions {
            session.abort();
            // Aborted or over by itself: its stream is closed now.
            session.await.unwrap_or_default();
        }
    }

    /// The handle of a logged-in connection.
    pub(crate) async fn logged_in(&self) -> Handle {
        let mut handles = self.state.logged_in.subscribe();
        let found = handles.wait_for(|handles| !handles.is_empty()).await;
        found.unwrap()[0].clone()
    }
}

impl Drop for RusshServer {
    fn drop(&mut self) {
        for session in self.state.sessions.lock().drain(..) {
            session.abort();
        }
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, config: Arc<Config>, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        state.accepted.send_modify(|count| *count += 1);
        let far_side = FarSide {
            state: state.clone(),
            round: 0,
            has_key: state.behaviour.key.is_none(),
        };
        let config = config.clone();
        // The session must die with its task, so its stream goes through one that can be dropped.
        let (ours, mut theirs) = tokio::io::duplex(64 * 1024);
        let served = tokio::spawn(async move {
            if let Ok(session) = russh::server::run_stream(config, ours, far_side).await {
                session.await.unwrap_or_default();
            }
        });
        drop(served);
        let carried = tokio::spawn(async move {
            let mut stream = stream;
            tokio::io::copy_bidirectional(&mut stream, &mut theirs)
                .await
                .unwrap_or_default();
        });
        state.sessions.lock().push(carried);
    }
}

struct FarSide {
    state: Arc<State>,
    round: usize,
    has_key: bool,
}

impl FarSide {
    fn methods(&self) -> MethodSet {
        let mut methods = MethodSet::empty();
        if !self.has_key {
            methods.push(MethodKind::PublicKey);
        } else if !self.state.behaviour.rounds.is_empty() {
            methods.push(MethodKind::KeyboardInteractive);
        }
        if self.state.behaviour.password.is_some() {
            methods.push(MethodKind::Password);
        }
        methods
    }

    fn reject(&self) -> Auth {
        Auth::Reject {
            proceed_with_methods: Some(self.methods()),
            partial_success: false,
        }
    }

    fn ask(&self) -> Auth {
        let round = &self.state.behaviour.rounds[self.round];
        Auth::Partial {
            name: Cow::Owned(round.name.clone()),
            instructions: Cow::Owned(round.instructions.clone()),
            prompts: round
                .prompts
                .iter()
                .map(|(text, echo)| (Cow::Owned(text.clone()), *echo))
                .collect(),
        }
    }
}

impl Handler for FarSide {
    type Error = russh::Error;

    async fn authentication_banner(&mut self) -> Result<Option<String>, Self::Error> {
        Ok(self.state.behaviour.banner.clone())
    }

    async fn auth_none(&mut self, _user: &str) -> Result<Auth, Self::Error> {
        Ok(self.reject())
    }

    async fn auth_password(&mut self, _user: &str, password: &str) -> Result<Auth, Self::Error> {
        self.state.passwords.lock().push(password.to_owned());
        if self.state.behaviour.password.as_deref() == Some(password) {
            return Ok(Auth::Accept);
        }
        Ok(self.reject())
    }

    async fn auth_publickey(
        &mut self,
        _user: &str,
        key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, Self::Error> {
        let wanted = self.state.behaviour.key.as_ref();
        if wanted.is_none_or(|wanted| wanted.key_data() != key.public_key.key_data()) {
            return Ok(self.reject());
        }
        self.has_key = true;
        if self.state.behaviour.rounds.is_empty() {
            return Ok(Auth::Accept);
        }
        Ok(Auth::Reject {
            proceed_with_methods: Some(self.methods()),
            partial_success: true,
        })
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        _user: &str,
        _submethods: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, Self::Error> {
        if !self.has_key || self.state.behaviour.rounds.is_empty() {
            return Ok(self.reject());
        }
        let Some(response) = response else {
            self.round = 0;
            return Ok(self.ask());
        };
        let answers: Vec<String> = response
            .map(|answer| String::from_utf8_lossy(&answer).into_owned())
            .collect();
        if answers != self.state.behaviour.rounds[self.round].answers {
            return Ok(self.reject());
        }
        self.round += 1;
        if self.round == self.state.behaviour.rounds.len() {
            return Ok(Auth::Accept);
        }
        Ok(self.ask())
    }

    async fn auth_succeeded(&mut self, session: &mut Session) -> Result<(), Self::Error> {
        let handle = session.handle();
        self.state
            .logged_in
            .send_modify(|handles| handles.push(handle));
        Ok(())
    }

    async fn channel_open_session(
        &mut self,
        _channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        reply.accept().await;
        Ok(())
    }
}
