//! Questions of the server to a person (keyboard-interactive), in as many rounds as it likes, within reason.

use rand::RngExt;
use russh::client::{KeyboardInteractiveAuthResponse as Reply, Prompt};
use zeroize::Zeroizing;

use super::authentication::{Answer, Login};
use super::conversation::Voice;
use super::handshake::Made;
use crate::error::{PromptField, PromptQuestion, RemoteError, RemoteResult};
use crate::secret::Secret;

/// Questions at once.
const MOST_PROMPTS: usize = 16;
/// Of each text.
const TEXT_BYTES: usize = 4096;
/// Of one login.
const MOST_ROUNDS: usize = 32;

/// How the questions ended.
pub(super) enum Round {
    /// The server has decided.
    Over(Answer),
    /// It had hung up before the answers came; they are kept for another connection.
    HungUp,
}

/// Goes through all rounds. A single hidden question is answered with a given password, once.
pub(super) async fn answer_questions(
    login: &mut Login,
    made: &mut Made,
    voice: &Voice,
) -> RemoteResult<Round> {
    login.note_try("keyboard-interactive");
    let username = login.username.clone();
    let asked = made
        .handle
        .authenticate_keyboard_interactive_start(username, None);
    let mut reply = login.timed(asked).await?;
    for _ in 0..MOST_ROUNDS {
        let (name, instructions, prompts) = match reply {
            Ok(Reply::Success) => return Ok(Round::Over(Answer::Accepted)),
            Ok(Reply::Failure {
                remaining_methods,
                partial_success,
            }) => {
                return Ok(Round::Over(
                    login.not_yet(&remaining_methods, partial_success),
                ));
            }
            Ok(Reply::InfoRequest {
                name,
                instructions,
                prompts,
            }) => (name, instructions, prompts),
            Err(error) => {
                tracing::debug!(%error, "hung up between questions");
                return Ok(Round::Over(Answer::Gone));
            }
        };
        let question = question(&login.host, &name, &instructions, &prompts)?;
        let answers = match without_a_person(login, &question) {
            Some(answers) => answers,
            None if !login.may_ask => return Err(login.refusal()),
            None => {
                let prompts = question.prompts.clone();
                let answers = voice
                    .ask(question)
                    .await
                    .ok_or(RemoteError::PromptExpired)?;
                if made.has_hung_up().await {
                    voice.keep_for_another_connection(prompts, answers);
                    return Ok(Round::HungUp);
                }
                answers
            }
        };
        let answers = answers.iter().map(|answer| answer.reveal().to_owned());
        let asked = made
            .handle
            .authenticate_keyboard_interactive_respond(answers.collect());
        reply = login.timed(asked).await?;
    }
    Err(RemoteError::TooMuchOutput {
        what: format!("the login of {}", login.host),
        limit_bytes: MOST_ROUNDS * TEXT_BYTES,
    })
}

/// Rounds without questions, and the password where it is clear that it is meant.
fn without_a_person(login: &mut Login, question: &PromptQuestion) -> Option<Vec<Secret>> {
    match question.prompts.as_slice() {
        [] => Some(Vec::new()),
        [only] if !only.echo && !login.password_was_used => {
            let password = login.credentials.password.clone()?;
            login.password_was_used = true;
            Some(vec![password])
        }
        _ => None,
    }
}

fn question(
    host: &str,
    name: &str,
    instructions: &str,
    prompts: &[Prompt],
) -> RemoteResult<PromptQuestion> {
    if prompts.len() > MOST_PROMPTS {
        return Err(RemoteError::TooMuchOutput {
            what: format!("the login of {host}"),
            limit_bytes: MOST_PROMPTS * TEXT_BYTES,
        });
    }
    let prompts = prompts.iter().map(|prompt| PromptField {
        text: super::cleaned(&prompt.prompt, TEXT_BYTES),
        echo: prompt.echo,
    });
    Ok(PromptQuestion {
        prompt_id: unguessable(),
        host: host.to_owned(),
        name: super::cleaned(name, TEXT_BYTES),
        instructions: super::cleaned(instructions, TEXT_BYTES),
        prompts: prompts.collect(),
    })
}

/// A question of our own.
pub(super) fn hidden_question(host: &str, text: &str) -> PromptQuestion {
    PromptQuestion {
        prompt_id: unguessable(),
        host: host.to_owned(),
        name: String::new(),
        instructions: String::new(),
        prompts: hidden_prompts(text),
    }
}

/// Keeps the answer to such a question for another connection.
pub(super) fn keep(voice: &Voice, text: &str, answer: Secret) {
    voice.keep_for_another_connection(hidden_prompts(text), vec![answer]);
}

fn hidden_prompts(text: &str) -> Vec<PromptField> {
    vec![PromptField {
        text: super::cleaned(text, TEXT_BYTES),
        echo: false,
    }]
}

fn unguessable() -> String {
    let bytes: Zeroizing<[u8; 16]> = Zeroizing::new(rand::rng().random());
    hex::encode(bytes.as_slice())
}
