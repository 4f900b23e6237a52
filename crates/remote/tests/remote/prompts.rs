//! Questions of a server: rounds, steps, and what happens when people take their time.

use runicorn_remote::{
    Connection, Credentials, PromptQuestion, RemoteError, RemoteResult, Secret, Target,
};

use crate::support::local::Local;
use crate::support::russh_server::{Behaviour, Round, RusshServer};

struct Case {
    server: RusshServer,
    local: Local,
    target: Target,
}

async fn case(behaviour: Behaviour) -> Case {
    let server = RusshServer::start(behaviour).await;
    let local = Local::new();
    local.know(&server.known_hosts());
    let target = Target::new("somebody", "127.0.0.1", server.port()).unwrap();
    Case {
        server,
        local,
        target,
    }
}

async fn rounds(rounds: Vec<Round>) -> Case {
    case(Behaviour {
        rounds,
        ..Behaviour::default()
    })
    .await
}

fn asked(outcome: RemoteResult<Connection>) -> PromptQuestion {
    match outcome {
        Err(RemoteError::Prompt(question)) => *question,
        other => panic!("no question: {:?}", other.err()),
    }
}

impl Case {
    async fn dial(&self, credentials: &Credentials) -> RemoteResult<Connection> {
        self.local.dial(&self.target, credentials).await
    }

    async fn answer(
        &self,
        question: &PromptQuestion,
        answers: &[&str],
    ) -> RemoteResult<Connection> {
        let answers = answers.iter().map(|answer| Secret::new(*answer)).collect();
        self.local.dialer.answer(&question.prompt_id, answers).await
    }
}

fn password(text: &str) -> Credentials {
    Credentials {
        password: Some(Secret::new(text)),
        ..Credentials::default()
    }
}

#[tokio::test]
async fn several_rounds_are_asked_one_after_the_other() {
    let mut second = Round::of(&[("Code:", "hush7q 123456"), ("PIN:", "99")]);
    second.name = "Second factor".to_owned();
    second.instructions = "Look at your phone".to_owned();
    second.prompts[0].1 = true;
    let case = rounds(vec![
        Round::of(&[("Password:", "hush7q secret")]),
        Round::default(),
        second,
    ])
    .await;
    let first = asked(case.dial(&Credentials::default()).await);
    assert_eq!(first.prompts.len(), 1);
    let second = asked(case.answer(&first, &["hush7q secret"]).await);
    assert_ne!(second.prompt_id, first.prompt_id);
    assert_eq!(second.name, "Second factor");
    assert_eq!(second.instructions, "Look at your phone");
    let shown: Vec<_> = second
        .prompts
        .iter()
        .map(|prompt| (prompt.text.as_str(), prompt.echo))
        .collect();
    assert_eq!(shown, [("Code:", true), ("PIN:", false)]);
    let connection = case
        .answer(&second, &["hush7q 123456", "99"])
        .await
        .unwrap();
    assert!(connection.is_live());
    assert_eq!(case.server.accepted(), 1);
}

#[tokio::test]
async fn a_given_password_answers_one_hidden_question_and_no_other() {
    let case = rounds(vec![
        Round::of(&[("Password:", "hush7q secret")]),
        Round::of(&[("Code:", "hush7q 123456")]),
    ])
    .await;
    let code = asked(case.dial(&password("hush7q secret")).await);
    assert_eq!(code.prompts[0].text, "Code:");
    assert!(case.answer(&code, &["hush7q 123456"]).await.is_ok());
}

#[tokio::test]
async fn a_key_and_then_a_code_are_one_login() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    crate::support::sshd::make_key(&key, "ed25519", "");
    let public = std::fs::read_to_string(folder.path().join("key.pub")).unwrap();
    let case = case(Behaviour {
        key: Some(russh::keys::PublicKey::from_openssh(&public).unwrap()),
        rounds: vec![Round::of(&[("Code:", "hush7q 123456")])],
        ..Behaviour::default()
    })
    .await;
    let credentials = Credentials {
        private_key_path: Some(key),
        ..Credentials::default()
    };
    let code = asked(case.dial(&credentials).await);
    assert!(case.answer(&code, &["hush7q 123456"]).await.is_ok());
}

#[tokio::test]
async fn a_wrong_answer_is_a_refused_login_and_is_not_tried_again() {
    let case = rounds(vec![Round::of(&[("Code:", "hush7q 123456")])]).await;
    let code = asked(case.dial(&Credentials::default()).await);
    let refused = case.answer(&code, &["hush7q hunter2"]).await.err().unwrap();
    assert_eq!(refused.code(), "AUTHENTICATION_FAILED", "{refused}");
    assert!(!format!("{refused} {refused:?}").contains("hush7q hunter2"));
    assert_eq!(case.server.accepted(), 1);
    let again = case.answer(&code, &["hush7q 123456"]).await.err().unwrap();
    assert_eq!(again.code(), "PROMPT_EXPIRED");
}

#[tokio::test]
async fn the_number_of_answers_must_be_right_and_the_question_stays_open() {
    let case = rounds(vec![Round::of(&[("Code:", "hush7q 123456")])]).await;
    let code = asked(case.dial(&Credentials::default()).await);
    for answers in [&[][..], &["1", "2"]] {
        let wrong = case.answer(&code, answers).await.err().unwrap();
        assert_eq!(wrong.code(), "INVALID_INPUT");
    }
    assert!(case.answer(&code, &["hush7q 123456"]).await.is_ok());
}

#[tokio::test]
async fn a_server_that_hung_up_meanwhile_is_dialed_again_and_gets_the_answer() {
    let case = rounds(vec![Round::of(&[("Code:", "hush7q 123456")])]).await;
    let code = asked(case.dial(&Credentials::default()).await);
    case.server.hang_up().await;
    let connection = case.answer(&code, &["hush7q 123456"]).await.unwrap();
    assert!(connection.is_live());
    assert_eq!(case.server.accepted(), 2);
}

#[tokio::test]
async fn where_nobody_can_answer_a_question_is_a_refusal() {
    let case = rounds(vec![
        Round::of(&[("Password:", "hush7q secret")]),
        Round::of(&[("Code:", "hush7q 123456")]),
    ])
    .await;
    for credentials in [Credentials::default(), password("hush7q secret")] {
        let alone = case
            .local
            .dialer
            .dial_alone(&case.target, &credentials, |_| {})
            .await;
        assert_eq!(alone.err().unwrap().code(), "AUTHENTICATION_FAILED");
    }
}

#[tokio::test]
async fn hostile_texts_are_cleaned_and_cut() {
    let mut round = Round::of(&[("\u{1b}]0;owned\u{7}Code\r\n:\u{202e}", "hush7q 123456")]);
    round.instructions = "x".repeat(20_000);
    let case = rounds(vec![round]).await;
    let question = asked(case.dial(&Credentials::default()).await);
    let text = &question.prompts[0].text;
    assert!(text.contains("Code"), "{text:?}");
    assert!(!text.contains(['\u{1b}', '\u{7}', '\r', '\n', '\u{202e}']));
    assert!(question.instructions.len() < 5_000);
}

#[tokio::test]
async fn too_many_questions_at_once_and_too_many_rounds_are_an_error() {
    let many = Round::of(&[("Code:", "1"); 17]);
    let case = rounds(vec![many]).await;
    let error = case.dial(&Credentials::default()).await.err().unwrap();
    assert_eq!(error.code(), "TOO_MUCH_OUTPUT", "{error}");
    let case = rounds(vec![Round::default(); 100]).await;
    let error = case.dial(&Credentials::default()).await.err().unwrap();
    assert_eq!(error.code(), "TOO_MUCH_OUTPUT", "{error}");
}

#[tokio::test]
async fn an_unknown_prompt_is_expired() {
    let case = rounds(Vec::new()).await;
    let error = case.local.dialer.answer("nonsense", Vec::new()).await;
    assert_eq!(error.err().unwrap().code(), "PROMPT_EXPIRED");
}
