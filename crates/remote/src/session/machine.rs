//! What a session does next, as a value: no clock, no network, every case in one `match`.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::error::{Phase, RemoteError};
use crate::info::SessionStatus;
use crate::times::Times;

/// A link that must prove itself (after sleep, say) has this long.
const PROOF: Duration = Duration::from_secs(5);

/// What the far side says about the viewer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Far {
    /// It lives.
    Up,
    /// It does not; its exit status where one is known.
    Down(String),
    /// Nothing of the session is there any more.
    Gone,
    /// Nobody there would end it, or no sign of life can be left: it must start anew.
    Unguarded,
}

/// What happened.
#[derive(Debug)]
pub(crate) enum Event<'a> {
    /// It is time for a sign of life.
    Beat,
    /// [`Machine::slow_at`] has come.
    Silent,
    /// The far side answered.
    Answer(Far),
    /// The link is over.
    LinkEnded,
    /// The line of the session is over, the link is not known to be.
    LineEnded,
    /// Sleep ended or the network changed.
    Woken,
    /// Somebody noticed that no stream gets through.
    Doubt,
    /// The wait before the next attempt is over.
    RetryDue,
    /// There is a link.
    Linked,
    /// There is none.
    LinkFailed(&'a RemoteError),
    /// The session's line is there again.
    Attached(Far),
    /// It is not.
    AttachFailed(&'a RemoteError),
    /// A viewer was started and bytes go through.
    Launched,
    /// No viewer was started.
    LaunchFailed(&'a RemoteError),
    /// A person wants it to work now.
    Reconnect,
    /// Somebody connected to the same target.
    LinkBack,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Nothing.
    Nothing,
    /// Leave a sign of life.
    Beat,
    /// Cut the link and make another.
    CutAndLink,
    /// Get a link, the living one if there is one.
    Link,
    /// Wait until then; [`Event::RetryDue`].
    Wait(Instant),
    /// Take the session's line up again.
    Attach,
    /// Start a viewer (again).
    Launch,
    /// End it: the first start failed.
    GiveUp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// A viewer is being started; for the first time?
    Launching { is_first: bool },
    /// It works, perhaps slowly.
    Up { is_slow: bool },
    /// The link is being made.
    Linking,
    /// …and will be, then.
    Waiting,
    /// The line is being taken up.
    Attaching,
    /// The link lives, the viewer died too often.
    Troubled,
    /// Only a person can help.
    NeedsPerson,
    /// The first start failed.
    Failed,
}

/// The state of a session.
pub(crate) struct Machine {
    times: Times,
    mode: Mode,
    heard_at: Instant,
    prove_until: Option<Instant>,
    failures: usize,
    restarts: VecDeque<Instant>,
    reconnects: u32,
    error: Option<(String, String)>,
}

impl Machine {
    /// Before the first start; its act is [`Act::Launch`].
    pub(crate) fn new(times: Times, now: Instant) -> Self {
        Self {
            times,
            mode: Mode::Launching { is_first: true },
            heard_at: now,
            prove_until: None,
            failures: 0,
            restarts: VecDeque::new(),
            reconnects: 0,
            error: None,
        }
    }

    /// The documented state and the stage; `launching` is the stage of a start that is under way.
    pub(crate) fn status(&self, launching: Phase) -> (SessionStatus, Phase) {
        match self.mode {
            Mode::Launching { is_first: true } => (SessionStatus::Connecting, launching),
            Mode::Launching { is_first: false } => (SessionStatus::Reconnecting, launching),
            Mode::Up { is_slow: false } => (SessionStatus::Running, Phase::Running),
            Mode::Linking | Mode::Waiting | Mode::Attaching => {
                (SessionStatus::Reconnecting, Phase::Reconnecting)
            }
            Mode::Up { is_slow: true } | Mode::Troubled => {
                (SessionStatus::Degraded, Phase::Degraded)
            }
            Mode::NeedsPerson => (SessionStatus::Disconnected, Phase::Failed),
            Mode::Failed => (SessionStatus::Stopped, Phase::Failed),
        }
    }

    /// Code and sentence of what is wrong.
    pub(crate) fn error(&self) -> Option<(String, String)> {
        self.error.clone()
    }

    /// How often the link was made again.
    pub(crate) fn reconnects(&self) -> u32 {
        self.reconnects
    }

    /// Do streams get through?
    pub(crate) fn is_up(&self) -> bool {
        matches!(self.mode, Mode::Up { .. })
    }

    /// Will streams get through again without a person?
    pub(crate) fn is_hopeless(&self) -> bool {
        matches!(self.mode, Mode::NeedsPerson | Mode::Failed | Mode::Troubled)
    }

    /// Is the line of the session in use?
    pub(crate) fn has_line(&self) -> bool {
        matches!(self.mode, Mode::Up { .. } | Mode::Troubled)
    }

    /// When silence will have lasted too long.
    pub(crate) fn slow_at(&self) -> Option<Instant> {
        let is_quick = self.mode == Mode::Up { is_slow: false };
        is_quick.then(|| self.heard_at + self.times.degraded)
    }

    /// Takes what happened and says what to do.
    pub(crate) fn on(&mut self, event: Event<'_>, now: Instant) -> Act {
        match (event, self.mode) {
            (Event::Beat, Mode::Up { .. } | Mode::Troubled) => self.beat(now),
            (Event::Silent, Mode::Up { is_slow: false }) => {
                self.mode = Mode::Up {
                    is_slow: self.silence(now) >= self.times.degraded,
                };
                Act::Nothing
            }
            (Event::Answer(far), Mode::Up { .. }) => self.answered(far, now),
            (Event::Answer(_), Mode::Troubled) => {
                self.heard(now);
                Act::Nothing
            }
            (Event::LinkEnded, Mode::Up { .. } | Mode::Troubled)
            | (Event::Woken | Event::RetryDue, Mode::Waiting) => self.link(Act::Link),
            (Event::LineEnded, Mode::Up { .. } | Mode::Troubled)
            | (Event::LinkBack, Mode::NeedsPerson | Mode::Waiting)
            | (Event::Linked, Mode::Linking) => self.attach(),
            (Event::Woken | Event::Doubt | Event::Reconnect, Mode::Up { .. }) => {
                let until = now + PROOF.min(self.times.cut);
                self.prove_until.get_or_insert(until);
                Act::Beat
            }
            (
                Event::Reconnect,
                Mode::Waiting | Mode::NeedsPerson | Mode::Troubled | Mode::Linking,
            ) => {
                self.failures = 0;
                self.restarts.clear();
                self.link(Act::Link)
            }
            (Event::LinkFailed(error), Mode::Linking) => self.not_linked(error, now),
            (Event::Attached(far), Mode::Attaching) => self.attached(far, now),
            (Event::AttachFailed(error), Mode::Attaching) => self.again(error, now),
            (Event::Launched, Mode::Launching { .. }) => {
                self.up(now);
                Act::Beat
            }
            (Event::LaunchFailed(error), Mode::Launching { is_first }) => {
                self.not_launched(error, is_first, now)
            }
            _ => Act::Nothing,
        }
    }

    fn silence(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.heard_at)
    }

    fn beat(&mut self, now: Instant) -> Act {
        let silence = self.silence(now);
        let has_failed_proof = self.prove_until.is_some_and(|until| now >= until);
        if silence >= self.times.cut || has_failed_proof {
            return self.link(Act::CutAndLink);
        }
        if let Mode::Up { is_slow } = &mut self.mode {
            *is_slow = silence >= self.times.degraded;
        }
        Act::Beat
    }

    fn heard(&mut self, now: Instant) {
        self.heard_at = now;
        self.prove_until = None;
    }

    fn answered(&mut self, far: Far, now: Instant) -> Act {
        self.heard(now);
        if far == Far::Up {
            self.mode = Mode::Up { is_slow: false };
            return Act::Nothing;
        }
        self.restart(far, now)
    }

    fn attached(&mut self, far: Far, now: Instant) -> Act {
        self.reconnects += 1;
        if far == Far::Up {
            self.up(now);
            return Act::Beat;
        }
        self.heard(now);
        self.restart(far, now)
    }

    fn up(&mut self, now: Instant) {
        self.heard(now);
        self.failures = 0;
        self.error = None;
        self.mode = Mode::Up { is_slow: false };
    }

    fn link(&mut self, act: Act) -> Act {
        self.prove_until = None;
        self.mode = Mode::Linking;
        act
    }

    fn attach(&mut self) -> Act {
        self.mode = Mode::Attaching;
        Act::Attach
    }

    /// A viewer that died is started again, within bounds. One that the far side took away with its lease costs nothing.
    fn restart(&mut self, far: Far, now: Instant) -> Act {
        let sentence = match far {
            Far::Gone | Far::Up => {
                self.mode = Mode::Launching { is_first: false };
                return Act::Launch;
            }
            Far::Down(status) if status.is_empty() => "the viewer on the server ended".to_owned(),
            Far::Down(status) => format!("the viewer on the server ended with status {status}"),
            Far::Unguarded => "what watches over the viewer on the server ended".to_owned(),
        };
        self.launch_again("VIEWER_FAILED", &sentence, now)
    }

    fn launch_again(&mut self, code: &str, sentence: &str, now: Instant) -> Act {
        let within = self.times.restarts_within;
        self.restarts
            .retain(|at| now.saturating_duration_since(*at) < within);
        self.error = Some((code.to_owned(), sentence.to_owned()));
        if self.restarts.len() >= self.times.restarts {
            self.mode = Mode::Troubled;
            self.heard(now);
            return Act::Nothing;
        }
        self.restarts.push_back(now);
        self.mode = Mode::Launching { is_first: false };
        Act::Launch
    }

    fn not_linked(&mut self, error: &RemoteError, now: Instant) -> Act {
        if needs_person(error) {
            self.error = Some(told(error));
            self.mode = Mode::NeedsPerson;
            return Act::Nothing;
        }
        self.again(error, now)
    }

    fn again(&mut self, error: &RemoteError, now: Instant) -> Act {
        self.error = Some(told(error));
        self.failures += 1;
        self.mode = Mode::Waiting;
        Act::Wait(now + self.times.wait_after(self.failures))
    }

    fn not_launched(&mut self, error: &RemoteError, is_first: bool, now: Instant) -> Act {
        if is_first {
            self.error = Some(told(error));
            self.mode = Mode::Failed;
            return Act::GiveUp;
        }
        if is_of_link(error) {
            return self.again(error, now);
        }
        let (code, sentence) = told(error);
        self.launch_again(&code, &sentence, now)
    }
}

fn told(error: &RemoteError) -> (String, String) {
    (error.code().to_owned(), error.to_string())
}

fn is_of_link(error: &RemoteError) -> bool {
    matches!(
        error,
        RemoteError::LinkLost(_) | RemoteError::Timeout { .. } | RemoteError::NotConnected(_)
    )
}

/// Refusals stop the attempts: asking again would lock a person out, and only a person can answer.
fn needs_person(error: &RemoteError) -> bool {
    match error {
        RemoteError::Jump { source, .. } => needs_person(source),
        RemoteError::HostKey(_)
        | RemoteError::HostKeyRevoked { .. }
        | RemoteError::Prompt(_)
        | RemoteError::PromptExpired
        | RemoteError::PassphraseNeeded { .. }
        | RemoteError::PassphraseWrong { .. }
        | RemoteError::KeyUnusable { .. }
        | RemoteError::Authentication { .. }
        | RemoteError::TooManyAttempts { .. }
        | RemoteError::NotConnected(_)
        | RemoteError::BadTarget(_)
        | RemoteError::Invalid(_)
        | RemoteError::Cancelled => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
