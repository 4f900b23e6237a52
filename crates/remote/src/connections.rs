//! The live connections: one for each target, one lock for each target, so that a slow host keeps nobody else waiting.
//!
//! What was given for a connection is kept in memory as long as the connection is wanted, so that a broken one can be made
//! again without a person. When the server refuses that, no further attempt is made until a person has connected again.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::broadcast;

use crate::connection::Connection;
use crate::dial::Dialer;
use crate::error::{Phase, RemoteError, RemoteResult};
use crate::info::{ConnectionInfo, RemoteEvent};
use crate::secret::{Credentials, Secret};
use crate::target::Target;

/// Events that a slow listener may miss before it has to ask anew.
const EVENTS: usize = 256;
/// Open questions whose credentials are remembered.
const QUESTIONS: usize = 64;

/// All connections. Cheap to clone.
#[derive(Clone)]
pub struct Connections(Arc<Inner>);

struct Inner {
    dialer: Dialer,
    entries: Mutex<HashMap<Target, Arc<Entry>>>,
    /// Whose login waits for an answer, by the id of the question.
    asked: Mutex<HashMap<String, (Target, Credentials)>>,
    events: broadcast::Sender<RemoteEvent>,
}

#[derive(Default)]
struct Entry {
    /// Held while the target is dialed.
    dialing: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    connection: Option<Connection>,
    /// What the connection was made with; absent when it is not wanted any more.
    credentials: Option<Credentials>,
    /// What the server said to the last attempt without a person.
    refused: Option<Refusal>,
    /// Counts disconnects, so that a dial that was under way then does not come back to life.
    generation: u64,
}

/// An [`RemoteError::Authentication`] that can be told again.
#[derive(Clone)]
struct Refusal {
    host: String,
    username: String,
    tried: Vec<String>,
    offered: Vec<String>,
}

impl Connections {
    /// None yet.
    pub fn new(dialer: Dialer) -> Self {
        Self(Arc::new(Inner {
            dialer,
            entries: Mutex::default(),
            asked: Mutex::default(),
            events: broadcast::Sender::new(EVENTS),
        }))
    }

    /// What dials.
    pub fn dialer(&self) -> &Dialer {
        &self.0.dialer
    }

    /// Connects, or returns the live connection when nothing was given that it has not proved already. Anything else that is
    /// given for a live connection is really checked, by a login of its own.
    ///
    /// # Errors
    /// As [`Dialer::dial`]. A live connection stays what it was.
    pub async fn connect(
        &self,
        target: Target,
        credentials: Credentials,
    ) -> RemoteResult<Connection> {
        let entry = self.entry(&target);
        let _dialing = entry.dialing.lock().await;
        let generation = entry.state.lock().generation;
        if let Some(live) = entry.live()
            && entry.has_proved(&credentials)
        {
            return Ok(live);
        }
        let is_check = entry.live().is_some();
        let dialed = self
            .0
            .dialer
            .dial(&target, &credentials, |phase| {
                if !is_check {
                    self.tell(&target, phase);
                }
            })
            .await;
        self.settle(&target, &entry, generation, credentials, dialed)
    }

    /// Answers a question of [`Self::connect`] and goes on with it.
    ///
    /// # Errors
    /// As [`Dialer::answer`].
    pub async fn answer(&self, prompt_id: &str, answers: Vec<Secret>) -> RemoteResult<Connection> {
        let asked = self.0.asked.lock().get(prompt_id).cloned();
        let (target, credentials) = asked.ok_or(RemoteError::PromptExpired)?;
        let entry = self.entry(&target);
        let _dialing = entry.dialing.lock().await;
        let generation = entry.state.lock().generation;
        let dialed = self.0.dialer.answer(prompt_id, answers).await;
        // After a wrong number of answers the question is still open.
        if !matches!(dialed, Err(RemoteError::Invalid(_))) {
            self.0.asked.lock().remove(prompt_id);
        }
        self.settle(&target, &entry, generation, credentials, dialed)
    }

    /// The live connection.
    ///
    /// # Errors
    /// [`RemoteError::NotConnected`].
    pub fn get(&self, target: &Target) -> RemoteResult<Connection> {
        let entry = self.0.entries.lock().get(target).cloned();
        entry
            .and_then(|entry| entry.live())
            .ok_or_else(|| RemoteError::NotConnected(target.clone()))
    }

    /// Those that are wanted, in the order of their names; a broken one is among them as not connected.
    pub fn list(&self) -> Vec<ConnectionInfo> {
        let mut all: Vec<ConnectionInfo> = self
            .0
            .entries
            .lock()
            .iter()
            .filter(|(_, entry)| entry.state.lock().credentials.is_some())
            .map(|(target, entry)| ConnectionInfo {
                target: target.clone(),
                is_connected: entry.live().is_some(),
            })
            .collect();
        all.sort_by(|a, b| a.target.cmp(&b.target));
        all
    }

    /// Ends a connection and forgets what it was made with. False when there was none.
    pub async fn disconnect(&self, target: &Target) -> bool {
        let Some(entry) = self.0.entries.lock().get(target).cloned() else {
            return false;
        };
        let (connection, was_wanted) = {
            let mut state = entry.state.lock();
            state.generation += 1;
            state.refused = None;
            (state.connection.take(), state.credentials.take().is_some())
        };
        if let Some(connection) = connection {
            connection.close().await;
        }
        self.forget_unused(target, &entry);
        if was_wanted {
            self.tell(target, Phase::Stopped);
        }
        was_wanted
    }

    /// Makes a broken connection again with what is in memory, in ways that need no person. After a refusal every further
    /// call fails at once with it, until a person has connected again.
    ///
    /// # Errors
    /// As [`Dialer::dial_alone`]; [`RemoteError::NotConnected`] when the connection is not wanted.
    pub async fn redial(&self, target: &Target) -> RemoteResult<Connection> {
        let entry = self.0.entries.lock().get(target).cloned();
        let entry = entry.ok_or_else(|| RemoteError::NotConnected(target.clone()))?;
        let _dialing = entry.dialing.lock().await;
        if let Some(live) = entry.live() {
            return Ok(live);
        }
        let (credentials, refused, generation) = {
            let state = entry.state.lock();
            (
                state.credentials.clone(),
                state.refused.clone(),
                state.generation,
            )
        };
        let credentials = credentials.ok_or_else(|| RemoteError::NotConnected(target.clone()))?;
        if let Some(refused) = refused {
            return Err(refused.into());
        }
        self.tell(target, Phase::Reconnecting);
        let dialed = self
            .0
            .dialer
            .dial_alone(target, &credentials, |phase| self.tell(target, phase))
            .await;
        if let Err(error) = &dialed {
            entry.state.lock().refused = Refusal::of(error);
        }
        self.settle(target, &entry, generation, credentials, dialed)
    }

    /// A person wants it: the next [`Self::redial`] really asks the server again.
    pub(crate) fn forget_refusal(&self, target: &Target) {
        let entry = self.0.entries.lock().get(target).cloned();
        if let Some(entry) = entry {
            entry.state.lock().refused = None;
        }
    }

    /// Stages and ends of all connections. Who misses some asks for the list.
    pub fn subscribe(&self) -> broadcast::Receiver<RemoteEvent> {
        self.0.events.subscribe()
    }

    /// Tells the listeners something that is not about a connection itself.
    pub(crate) fn announce(&self, event: RemoteEvent) {
        if self.0.events.send(event).is_err() {
            tracing::trace!("nobody listens");
        }
    }

    /// Ends all connections.
    pub async fn close(&self) {
        let targets: Vec<Target> = self.0.entries.lock().keys().cloned().collect();
        let ends = targets.iter().map(|target| self.disconnect(target));
        futures_util::future::join_all(ends).await;
    }

    fn entry(&self, target: &Target) -> Arc<Entry> {
        let mut entries = self.0.entries.lock();
        entries.entry(target.clone()).or_default().clone()
    }

    /// Takes the outcome of a dial in.
    fn settle(
        &self,
        target: &Target,
        entry: &Arc<Entry>,
        generation: u64,
        credentials: Credentials,
        dialed: RemoteResult<Connection>,
    ) -> RemoteResult<Connection> {
        match dialed {
            Ok(made) => {
                let kept = entry.keep(made.clone(), credentials, generation, target)?;
                if kept.is_same(&made) {
                    self.watch(target, entry, &kept);
                    self.tell(target, Phase::Running);
                }
                Ok(kept)
            }
            Err(error) => {
                if let RemoteError::Prompt(question) = &error {
                    let mut asked = self.0.asked.lock();
                    if asked.len() >= QUESTIONS {
                        asked.clear();
                    }
                    asked.insert(question.prompt_id.clone(), (target.clone(), credentials));
                } else if entry.live().is_none() {
                    self.tell(target, Phase::Failed);
                }
                self.forget_unused(target, entry);
                Err(error)
            }
        }
    }

    /// Tells when it ends.
    fn watch(&self, target: &Target, entry: &Arc<Entry>, connection: &Connection) {
        let ended = connection.ended_token();
        let events = self.0.events.clone();
        let target = target.clone();
        let entry = Arc::downgrade(entry);
        tokio::spawn(async move {
            ended.cancelled().await;
            // After a disconnect that has been told already.
            let is_wanted = entry
                .upgrade()
                .is_some_and(|entry| entry.state.lock().credentials.is_some());
            if is_wanted {
                tell(&events, &target, Phase::Reconnecting);
            }
        });
    }

    fn tell(&self, target: &Target, phase: Phase) {
        tell(&self.0.events, target, phase);
    }

    /// An entry that stands for nothing and that nobody else holds goes, or they would pile up with every mistyped host.
    fn forget_unused(&self, target: &Target, entry: &Arc<Entry>) {
        let mut entries = self.0.entries.lock();
        let is_unused = {
            let state = entry.state.lock();
            state.credentials.is_none() && state.connection.is_none()
        };
        // The map's and the caller's.
        if is_unused && Arc::strong_count(entry) <= 2 {
            entries.remove(target);
        }
    }
}

fn tell(events: &broadcast::Sender<RemoteEvent>, target: &Target, phase: Phase) {
    let event = RemoteEvent::Connection {
        target: target.clone(),
        phase,
    };
    if events.send(event).is_err() {
        tracing::trace!(%target, ?phase, "nobody listens");
    }
}

impl Entry {
    fn live(&self) -> Option<Connection> {
        let state = self.state.lock();
        state.connection.clone().filter(Connection::is_live)
    }

    /// True when nothing was given beyond what the live connection was made with.
    fn has_proved(&self, given: &Credentials) -> bool {
        let state = self.state.lock();
        let Some(proved) = &state.credentials else {
            return false;
        };
        is_same(given.password.as_ref(), proved.password.as_ref())
            && is_same(given.private_key.as_ref(), proved.private_key.as_ref())
            && is_same(
                given.private_key_path.as_ref(),
                proved.private_key_path.as_ref(),
            )
            && is_same(given.passphrase.as_ref(), proved.passphrase.as_ref())
    }

    /// Keeps a new connection, or the one that is live already, and what was proved by the new one.
    fn keep(
        &self,
        made: Connection,
        credentials: Credentials,
        generation: u64,
        target: &Target,
    ) -> RemoteResult<Connection> {
        let mut state = self.state.lock();
        if state.generation != generation {
            made.cut();
            return Err(RemoteError::NotConnected(target.clone()));
        }
        state.credentials = Some(credentials);
        state.refused = None;
        if let Some(live) = state.connection.clone().filter(Connection::is_live) {
            made.cut();
            return Ok(live);
        }
        state.connection = Some(made.clone());
        Ok(made)
    }
}

/// True when nothing else was given than what was proved.
fn is_same<T: PartialEq>(given: Option<&T>, proved: Option<&T>) -> bool {
    given.is_none() || given == proved
}

impl Refusal {
    fn of(error: &RemoteError) -> Option<Self> {
        match error {
            RemoteError::Authentication {
                host,
                username,
                tried,
                offered,
            } => Some(Self {
                host: host.clone(),
                username: username.clone(),
                tried: tried.clone(),
                offered: offered.clone(),
            }),
            _ => None,
        }
    }
}

impl From<Refusal> for RemoteError {
    fn from(refusal: Refusal) -> Self {
        Self::Authentication {
            host: refusal.host,
            username: refusal.username,
            tried: refusal.tried,
            offered: refusal.offered,
        }
    }
}
