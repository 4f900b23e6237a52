//! The one task of a session: it waits for whatever happens next, lets the [`Machine`] decide, and does that.
//!
//! Long work (connecting, taking up the line, starting a viewer) is one job at a time beside the loop, so that a stop or a
//! person is heard at any moment. When nobody holds the session's commands any more, the task ends without a word; the far
//! side then ends by its lease.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use futures_util::future::BoxFuture;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::time::MissedTickBehavior;

use super::machine::{Act, Event, Far, Machine};
use super::view::Session;
use crate::connection::Connection;
use crate::connections::Connections;
use crate::error::{Phase, RemoteError, RemoteResult};
use crate::info::{RemoteEvent, SessionStatus};
use crate::times::Times;
use crate::tunnel::{Road, Way};
use crate::viewer::{Builds, Ended, Line, Remembered, Setting, Started, end_on, far, start};

/// Signs of life whose answers are still waited for.
const OPEN_BEATS: usize = 64;
/// How long the loop may be held up by a link that takes nothing in.
const BEAT_LIMIT: Duration = Duration::from_secs(1);
/// The clock on the wall runs ahead of ours by this much only when the machine slept.
const SLEPT: Duration = Duration::from_secs(5);
/// What was left behind by crashed apps is looked for this long.
const SWEEP_LIMIT: Duration = Duration::from_mins(2);

/// What others want of a session.
pub(crate) enum Command {
    /// Look at the link now.
    Wake,
    /// A person wants it to work now.
    Reconnect,
    /// End it; how its viewer ended.
    Stop(oneshot::Sender<(Option<u32>, Ended)>),
}

/// What all sessions share.
#[derive(Clone)]
pub(crate) struct Household {
    pub(crate) connections: Connections,
    pub(crate) builds: Arc<Builds>,
    pub(crate) times: Times,
}

/// What the loop wakes up for.
enum Happening {
    Event(Event<'static>),
    Heard(u64, Far),
    Done(Done),
    Command(Command),
    /// The app forgot us.
    Abandoned,
}

/// A job that is over.
enum Done {
    Linked(RemoteResult<Connection>),
    Attached(RemoteResult<(Connection, Line, Far)>),
    Launched(RemoteResult<Box<Started>>),
}

/// Runs a session to its end. `first` is told how the first start went.
pub(crate) async fn supervise(
    session: Arc<Session>,
    connection: Connection,
    household: Household,
    commands: mpsc::UnboundedReceiver<Command>,
    first: oneshot::Sender<RemoteResult<()>>,
) {
    let mut supervisor = Supervisor::new(session, connection, household, commands, first);
    supervisor.launch();
    supervisor.run().await;
}

struct Supervisor {
    session: Arc<Session>,
    household: Household,
    commands: mpsc::UnboundedReceiver<Command>,
    connected: broadcast::Receiver<RemoteEvent>,
    first: Option<oneshot::Sender<RemoteResult<()>>>,
    machine: Machine,
    connection: Connection,
    line: Option<Line>,
    way: Option<Way>,
    remembered: Remembered,
    job: Option<BoxFuture<'static, Done>>,
    retry_at: Option<Instant>,
    beat: tokio::time::Interval,
    beats: u64,
    asked: VecDeque<(u64, Instant)>,
    clocks: (Instant, SystemTime),
    /// The error of a first start that failed, for who waits for it.
    failure: Option<RemoteError>,
}

impl Supervisor {
    fn new(
        session: Arc<Session>,
        connection: Connection,
        household: Household,
        commands: mpsc::UnboundedReceiver<Command>,
        first: oneshot::Sender<RemoteResult<()>>,
    ) -> Self {
        let mut beat = tokio::time::interval(household.times.beat);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            machine: Machine::new(household.times.clone(), Instant::now()),
            connected: household.connections.subscribe(),
            session,
            household,
            commands,
            first: Some(first),
            connection,
            line: None,
            way: None,
            remembered: Remembered::default(),
            job: None,
            retry_at: None,
            beat,
            beats: 0,
            asked: VecDeque::new(),
            clocks: (Instant::now(), SystemTime::now()),
            failure: None,
        }
    }

    async fn run(&mut self) {
        loop {
            match self.next().await {
                Happening::Event(event) => {
                    self.take(event).await;
                }
                Happening::Heard(number, far) => self.heard(number, far).await,
                Happening::Done(done) => self.done(done).await,
                Happening::Command(Command::Wake) => {
                    self.take(Event::Woken).await;
                }
                Happening::Command(Command::Reconnect) => {
                    let connections = &self.household.connections;
                    connections.forget_refusal(&self.session.target);
                    self.take(Event::Reconnect).await;
                }
                Happening::Command(Command::Stop(reply)) => {
                    let ended = self.stop(Phase::Stopped).await;
                    // Who asked may be gone.
                    reply.send(ended).unwrap_or_default();
                    return;
                }
                Happening::Abandoned => return,
            }
            self.show();
            if let Some(failure) = self.failure.take() {
                self.stop(Phase::Failed).await;
                self.tell_first(Err(failure));
                return;
            }
        }
    }

    /// Waits for whatever comes first.
    async fn next(&mut self) -> Happening {
        let is_watched = self.machine.has_line();
        let slow_at = self.machine.slow_at();
        let target = &self.session.target;
        tokio::select! {
            biased;
            command = self.commands.recv() => command.map_or(Happening::Abandoned, Happening::Command),
            done = whichever(&mut self.job) => Happening::Done(done),
            () = self.connection.ended(), if is_watched => Happening::Event(Event::LinkEnded),
            heard = listen(&mut self.line), if is_watched => match heard {
                Ok((number, far)) => Happening::Heard(number, far),
                Err(_) => Happening::Event(Event::LineEnded),
            },
            () = self.session.doubt.notified() => Happening::Event(Event::Doubt),
            () = until(self.retry_at), if self.retry_at.is_some() => Happening::Event(Event::RetryDue),
            () = until(slow_at), if slow_at.is_some() => Happening::Event(Event::Silent),
            () = connected(&mut self.connected, target) => Happening::Event(Event::LinkBack),
            _ = self.beat.tick() => Happening::Event(slept(&mut self.clocks)),
        }
    }

    /// Lets the machine decide and does that. True when it gave up.
    async fn take(&mut self, event: Event<'_>) -> bool {
        if matches!(event, Event::LinkBack)
            && self
                .household
                .connections
                .get(&self.session.target)
                .is_err()
        {
            return false;
        }
        if matches!(event, Event::RetryDue) {
            self.retry_at = None;
        }
        let act = self.machine.on(event, Instant::now());
        match act {
            Act::Nothing => {}
            Act::Beat => self.beat().await,
            Act::CutAndLink => {
                self.connection.cut();
                self.link();
            }
            Act::Link => self.link(),
            Act::Wait(until) => self.retry_at = Some(until),
            Act::Attach => self.attach(),
            Act::Launch => self.launch(),
            Act::GiveUp => return true,
        }
        false
    }

    async fn heard(&mut self, number: u64, far: Far) {
        while let Some((asked, at)) = self.asked.pop_front() {
            if asked == number {
                let latency = at.elapsed();
                self.session.show(|seen| seen.latency = Some(latency));
                break;
            }
        }
        self.take(Event::Answer(far)).await;
    }

    async fn beat(&mut self) {
        let Some(line) = &mut self.line else { return };
        self.beats += 1;
        self.asked.push_back((self.beats, Instant::now()));
        if self.asked.len() > OPEN_BEATS {
            self.asked.pop_front();
        }
        let sent = tokio::time::timeout(BEAT_LIMIT, line.beat(self.beats)).await;
        if !matches!(sent, Ok(Ok(()))) {
            tracing::debug!(session = self.session.id(), "a sign of life did not go out");
        }
    }

    // --- jobs ---

    fn link(&mut self) {
        self.line = None;
        self.retry_at = None;
        let connections = self.household.connections.clone();
        let target = self.session.target.clone();
        self.job = Some(Box::pin(async move {
            Done::Linked(connections.redial(&target).await)
        }));
    }

    fn attach(&mut self) {
        self.line = None;
        self.retry_at = None;
        let (session, household) = (self.session.clone(), self.household.clone());
        self.job = Some(Box::pin(async move {
            Done::Attached(attach(&session, &household).await)
        }));
    }

    fn launch(&mut self) {
        self.line = None;
        let session = self.session.clone();
        let household = self.household.clone();
        let remembered = self.remembered.clone();
        let connection = self.connection.clone();
        self.remembered.is_again = true;
        self.job = Some(Box::pin(async move {
            let stages = session.clone();
            let tell = move |phase| stages.show(|seen| seen.phase = phase);
            let setting = Setting {
                connection: &connection,
                order: &session.order,
                remembered: &remembered,
                builds: &household.builds,
                times: &household.times,
                trace: &session.trace,
                tell: &tell,
            };
            Done::Launched(start(&setting).await.map(Box::new))
        }));
    }

    async fn done(&mut self, done: Done) {
        let event = match done {
            Done::Linked(Ok(connection)) => {
                self.connection = connection;
                Event::Linked
            }
            Done::Linked(Err(error)) => {
                self.take(Event::LinkFailed(&error)).await;
                return;
            }
            Done::Attached(Ok((connection, line, far))) => {
                self.connection = connection;
                self.line = Some(line);
                self.asked.clear();
                Event::Attached(far)
            }
            Done::Attached(Err(error)) => {
                self.take(Event::AttachFailed(&error)).await;
                return;
            }
            Done::Launched(Ok(started)) => {
                self.started(*started);
                Event::Launched
            }
            Done::Launched(Err(error)) => {
                tracing::debug!(%error, session = self.session.id(), "a viewer did not start");
                if self.take(Event::LaunchFailed(&error)).await {
                    self.failure = Some(error);
                }
                return;
            }
        };
        self.take(event).await;
    }

    fn started(&mut self, started: Started) {
        self.remembered.kind = Some(started.kind);
        self.remembered.transport = Some(started.way.transport());
        self.remembered.port = Some(started.port).filter(|port| *port > 0);
        self.session.show(|seen| {
            seen.viewer = started.kind;
            seen.version = Some(started.version);
            seen.pid = Some(started.pid);
            seen.port = started.port;
            seen.transport = started.way.transport();
            seen.installed_bytes += started.installed_bytes;
        });
        self.way = Some(started.way);
        self.line = Some(started.line);
        self.asked.clear();
        if self.first.is_some() {
            self.tell_first(Ok(()));
            self.sweep();
        }
    }

    /// Looks for what crashed apps left there; nobody waits for it.
    fn sweep(&self) {
        let (connection, times) = (self.connection.clone(), self.household.times.clone());
        tokio::spawn(async move {
            let swept = async {
                let mut line = Line::open(&connection, &times).await?;
                line.ask_within(&["sweep"], SWEEP_LIMIT).await
            };
            match swept.await {
                Ok(swept) if swept.is_empty() => {}
                Ok(swept) => tracing::info!(
                    count = swept.len(),
                    "ended what an earlier app left on the server"
                ),
                Err(error) => tracing::debug!(%error, "the server was not swept"),
            }
        });
    }

    /// Ends everything on the far side, in bounded time.
    async fn stop(&mut self, last: Phase) -> (Option<u32>, Ended) {
        self.job = None;
        self.line = None;
        self.session.show(|seen| {
            seen.status = SessionStatus::Stopped;
            seen.phase = Phase::Stopping;
        });
        self.session
            .road
            .send_replace(Road::Dead("it was stopped".to_owned()));
        let trace = self.session.trace.lock().clone();
        let limit = self.household.times.grace + Duration::from_secs(10);
        let connections = &self.household.connections;
        let connection = connections
            .get(&self.session.target)
            .unwrap_or_else(|_| self.connection.clone());
        let work = async {
            let mut line = Line::open(&connection, &self.household.times).await?;
            end_on(
                &mut line,
                &self.session.order,
                &self.household.times,
                trace.shell,
            )
            .await
        };
        let ended = match tokio::time::timeout(limit, work).await {
            Ok(Ok(ended)) => ended,
            Ok(Err(error)) => {
                tracing::debug!(%error, session = self.session.id(), "left to its lease");
                (None, Ended::LeftToLease)
            }
            Err(_late) => (None, Ended::LeftToLease),
        };
        self.session.show(|seen| seen.phase = last);
        ended
    }

    // --- what others see ---

    fn show(&mut self) {
        let machine = &self.machine;
        self.session.show(|seen| {
            (seen.status, seen.phase) = machine.status(seen.phase);
            seen.error = machine.error();
            seen.reconnects = machine.reconnects();
        });
        let road = match (&self.way, machine.error()) {
            (Some(way), _) if machine.is_up() => {
                Road::Open(Arc::new((self.connection.clone(), way.clone())))
            }
            (_, Some((_, why))) if machine.is_hopeless() => Road::Dead(why),
            _ => Road::Closed,
        };
        self.session.road.send_if_modified(|now| {
            let is_other = !road.is_same(now);
            if is_other {
                *now = road;
            }
            is_other
        });
    }

    fn tell_first(&mut self, outcome: RemoteResult<()>) {
        if let Some(first) = self.first.take()
            && first.send(outcome).is_err()
        {
            tracing::debug!("nobody waits for a start any more");
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        // Who still opens streams lets the link go.
        let why = "nobody keeps this session any more".to_owned();
        self.session.road.send_replace(Road::Dead(why));
    }
}

/// Takes the session's line up again, over whatever link there is.
async fn attach(session: &Session, household: &Household) -> RemoteResult<(Connection, Line, Far)> {
    let connection = household.connections.get(&session.target)?;
    let mut line = Line::open(&connection, &household.times).await?;
    let trace = session.trace.lock().clone();
    let Some(dir) = trace.dir else {
        return Ok((connection, line, Far::Gone));
    };
    session.trace.lock().shell = Some(line.hello().process.clone());
    let answer = line.ask(&["attach", &dir, &session.order.owner]).await?;
    let words = answer.last().map_or("gone", String::as_str);
    let far = far(words);
    Ok((connection, line, far))
}

async fn whichever(job: &mut Option<BoxFuture<'static, Done>>) -> Done {
    match job {
        Some(work) => {
            let done = work.await;
            *job = None;
            done
        }
        None => std::future::pending().await,
    }
}

async fn listen(line: &mut Option<Line>) -> RemoteResult<(u64, Far)> {
    match line {
        Some(line) => line.heard().await,
        None => std::future::pending().await,
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

/// Resolves when somebody has connected to the target.
async fn connected(events: &mut broadcast::Receiver<RemoteEvent>, wanted: &crate::Target) {
    loop {
        match events.recv().await {
            Ok(RemoteEvent::Connection {
                target,
                phase: Phase::Running,
            }) if target == *wanted => return,
            Ok(_) => {}
            // Something was missed; the loop looks whether there is a link.
            Err(broadcast::error::RecvError::Lagged(_)) => return,
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// A tick, or the end of a sleep when the clock on the wall went on without us.
fn slept(clocks: &mut (Instant, SystemTime)) -> Event<'static> {
    let now = (Instant::now(), SystemTime::now());
    let ours = now.0.saturating_duration_since(clocks.0);
    let walls = now.1.duration_since(clocks.1).unwrap_or_default();
    *clocks = now;
    if walls > ours + SLEPT {
        Event::Woken
    } else {
        Event::Beat
    }
}
