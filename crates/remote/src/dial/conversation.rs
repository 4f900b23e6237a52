//! A dial and its caller: stages and questions come up, answers go down.
//!
//! A caller holds the [`Line`] of its dial and drops it, and with it the dial, when it is dropped itself. Only while a
//! question is open the line rests in [`Conversations`] under the id of the question.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::Request;
use crate::connection::Connection;
use crate::error::{Phase, PromptField, PromptQuestion, RemoteError, RemoteResult};
use crate::secret::Secret;

/// So long a question waits with its connection.
const PATIENCE: Duration = Duration::from_mins(10);
/// So long it is known afterwards, so that a late answer dials again.
const MEMORY: Duration = Duration::from_hours(1);
/// More questions than this never wait; the oldest goes.
const WAITING: usize = 64;

/// What the task tells.
enum Told {
    Phase(Phase),
    Question(PromptQuestion, oneshot::Sender<Vec<Secret>>),
    Done(RemoteResult<Connection>),
}

/// Answers that were given to a connection that is gone: used once more when the same is asked.
pub(super) struct Replay {
    prompts: Vec<PromptField>,
    answers: Vec<Secret>,
}

/// The dial's end: tells and asks.
pub(super) struct Voice {
    up: mpsc::UnboundedSender<Told>,
    replay: Mutex<Option<Replay>>,
    patience: Duration,
}

/// The caller's end.
pub(super) struct Line {
    request: Request,
    from: mpsc::UnboundedReceiver<Told>,
    /// Ends the task when the line is dropped.
    _task: AbortOnDrop,
}

/// A question that is open, with the line to its dial.
pub(super) struct Waiting {
    line: Line,
    question: PromptQuestion,
    answer: oneshot::Sender<Vec<Secret>>,
    since: Instant,
}

/// What became of an answer.
pub(super) enum Delivered {
    /// The dial has it.
    Goes(Line),
    /// The dial is over; it takes a new one.
    Again(Request, Replay),
}

/// Open questions by their ids.
#[derive(Default)]
pub(super) struct Conversations(Mutex<HashMap<String, Waiting>>);

struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Tells stages from where nothing can be asked.
pub(super) struct PhaseTeller(mpsc::UnboundedSender<Told>);

impl PhaseTeller {
    pub(super) fn phase(&self, phase: Phase) {
        if self.0.send(Told::Phase(phase)).is_err() {
            tracing::trace!("nobody listens to a dial any more");
        }
    }
}

impl Voice {
    pub(super) fn phase(&self, phase: Phase) {
        self.tell(Told::Phase(phase));
    }

    pub(super) fn to_tell(&self) -> PhaseTeller {
        PhaseTeller(self.up.clone())
    }

    /// Asks and waits. `None`: nobody answered in time.
    pub(super) async fn ask(&self, question: PromptQuestion) -> Option<Vec<Secret>> {
        if let Some(replay) = self.replay.lock().take()
            && replay.prompts == question.prompts
        {
            return Some(replay.answers);
        }
        let (answer, answered) = oneshot::channel();
        self.tell(Told::Question(question, answer));
        tokio::time::timeout(self.patience, answered)
            .await
            .ok()?
            .ok()
    }

    /// Keeps answers for the case that the same is asked again on another connection.
    pub(super) fn keep_for_another_connection(
        &self,
        prompts: Vec<PromptField>,
        answers: Vec<Secret>,
    ) {
        *self.replay.lock() = Some(Replay { prompts, answers });
    }

    fn tell(&self, told: Told) {
        if self.up.send(told).is_err() {
            tracing::trace!("nobody listens to a dial any more");
        }
    }
}

impl Line {
    /// Starts a dial as a task.
    pub(super) fn new<F>(
        request: Request,
        replay: Option<Replay>,
        dial: impl FnOnce(Voice) -> F,
    ) -> Self
    where
        F: Future<Output = RemoteResult<Connection>> + Send + 'static,
    {
        Self::with_patience(request, replay, PATIENCE, dial)
    }

    fn with_patience<F>(
        request: Request,
        replay: Option<Replay>,
        patience: Duration,
        dial: impl FnOnce(Voice) -> F,
    ) -> Self
    where
        F: Future<Output = RemoteResult<Connection>> + Send + 'static,
    {
        let (up, from) = mpsc::unbounded_channel();
        let voice = Voice {
            up: up.clone(),
            replay: Mutex::new(replay),
            patience,
        };
        let dialing = dial(voice);
        let task = tokio::spawn(async move {
            let done = dialing.await;
            if up.send(Told::Done(done)).is_err() {
                tracing::trace!("nobody waits for a dial any more");
            }
        });
        Self {
            request,
            from,
            _task: AbortOnDrop(task),
        }
    }

    /// Listens until the dial is done or asks.
    pub(super) async fn outcome(
        mut self,
        conversations: &Conversations,
        on_phase: impl Fn(Phase) + Send + Sync,
    ) -> RemoteResult<Connection> {
        while let Some(told) = self.from.recv().await {
            match told {
                Told::Phase(phase) => on_phase(phase),
                Told::Done(done) => return done,
                Told::Question(question, answer) => {
                    conversations.keep(Waiting {
                        line: self,
                        question: question.clone(),
                        answer,
                        since: Instant::now(),
                    });
                    return Err(RemoteError::Prompt(Box::new(question)));
                }
            }
        }
        Err(RemoteError::Cancelled)
    }
}

impl Waiting {
    /// Hands the answers to the dial.
    pub(super) fn deliver(self, answers: Vec<Secret>) -> Delivered {
        let replay = Replay {
            prompts: self.question.prompts,
            answers: answers.clone(),
        };
        match self.answer.send(answers) {
            Ok(()) => Delivered::Goes(self.line),
            Err(_gone) => Delivered::Again(self.line.request.clone(), replay),
        }
    }
}

impl Conversations {
    fn keep(&self, waiting: Waiting) {
        let mut all = self.0.lock();
        all.retain(|_, waiting| waiting.since.elapsed() < MEMORY);
        if all.len() >= WAITING {
            let oldest = all.iter().min_by_key(|(_, waiting)| waiting.since);
            if let Some(id) = oldest.map(|(id, _)| id.clone()) {
                all.remove(&id);
            }
        }
        all.insert(waiting.question.prompt_id.clone(), waiting);
    }

    /// # Errors
    /// [`RemoteError::PromptExpired`] when there is no such question; [`RemoteError::Invalid`] for another number of answers
    /// than were asked for, which leaves the question open.
    pub(super) fn take(&self, prompt_id: &str, answers: usize) -> RemoteResult<Waiting> {
        let mut all = self.0.lock();
        let asked = all
            .get(prompt_id)
            .map(|waiting| waiting.question.prompts.len())
            .ok_or(RemoteError::PromptExpired)?;
        if asked != answers {
            return Err(RemoteError::Invalid(format!(
                "{asked} answers are needed, {answers} were given"
            )));
        }
        all.remove(prompt_id).ok_or(RemoteError::PromptExpired)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Credentials;
    use crate::target::Target;

    fn request() -> Request {
        Request {
            target: Target::new("u", "h", 22).unwrap(),
            credentials: Credentials::default(),
            may_ask: true,
        }
    }

    fn question() -> PromptQuestion {
        PromptQuestion {
            prompt_id: "id".to_owned(),
            host: "h".to_owned(),
            name: String::new(),
            instructions: String::new(),
            prompts: vec![PromptField {
                text: "Code:".to_owned(),
                echo: false,
            }],
        }
    }

    /// Asks, and ends as cancelled with the right answer.
    async fn dial(voice: Voice) -> RemoteResult<Connection> {
        match voice.ask(question()).await {
            Some(answers) if answers == [Secret::new("1")] => Err(RemoteError::Cancelled),
            _ => Err(RemoteError::PromptExpired),
        }
    }

    #[tokio::test]
    async fn an_expired_question_ends_its_dial_and_a_late_answer_dials_again() {
        let conversations = Conversations::default();
        let line = Line::with_patience(request(), None, Duration::from_millis(1), dial);
        let asked = line.outcome(&conversations, |_| {}).await;
        assert!(matches!(asked, Err(RemoteError::Prompt(_))));
        let mut waiting = conversations.take("id", 1).unwrap();
        waiting.answer.closed().await;
        let Delivered::Again(request, replay) = waiting.deliver(vec![Secret::new("1")]) else {
            panic!("the old dial took it");
        };
        let again = Line::new(request, Some(replay), dial);
        let done = again.outcome(&conversations, |_| {}).await;
        assert!(matches!(done, Err(RemoteError::Cancelled)));
    }

    #[tokio::test]
    async fn answers_are_not_used_for_another_question() {
        let conversations = Conversations::default();
        let replay = Replay {
            prompts: Vec::new(),
            answers: vec![Secret::new("1")],
        };
        let line = Line::new(request(), Some(replay), dial);
        let asked = line.outcome(&conversations, |_| {}).await;
        assert!(matches!(asked, Err(RemoteError::Prompt(_))));
    }
}
