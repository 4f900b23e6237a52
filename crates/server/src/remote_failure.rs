//! What goes wrong on the way to another machine, as a status that says who must act. The documented server says 500 to all
//! of it; its words stay.

use axum::http::StatusCode;
use runicorn_remote::{RemoteError, RemoteResult};
use serde_json::json;

use crate::error::{ApiError, ApiResult};

/// What a client that may try again should wait after a lost link.
const LINK_RETRY_SECS: u64 = 2;

/// A failure behind the documented words of a route, `Connection failed: ` say. What has documented words of its own keeps
/// them.
pub(crate) fn failed(prefix: &str, error: &RemoteError) -> ApiError {
    let code = error.code();
    let phase = error.phase().map(runicorn_remote::Phase::word);
    let text = error.to_string();
    let answer = match error {
        RemoteError::HostKey(question) => ApiError::conflict(code, text).with_detail_value(json!({
            "code": code,
            "message": "Host key verification failed",
            "host_key": question,
        })),
        RemoteError::Prompt(question) => ApiError::conflict(code, text.clone())
            .with_detail_value(prompt_detail(code, &text, question)),
        RemoteError::TooManyAttempts {
            retry_after_secs, ..
        } => ApiError::new(StatusCode::TOO_MANY_REQUESTS, code, text)
            .with_retry_after(*retry_after_secs),
        RemoteError::BadTarget(_)
        | RemoteError::NotConnected(_)
        | RemoteError::SessionNotFound(_)
        | RemoteError::EnvironmentNotFound(_)
        | RemoteError::PythonFailed { .. } => ApiError::new(status(error), code, text),
        RemoteError::ViewerFailed { log_tail, .. } if !log_tail.is_empty() => {
            ApiError::new(status(error), code, format!("{prefix}{text}"))
                .with_details(log_tail.clone())
        }
        // The path is the caller's own; the documented words leave it out.
        RemoteError::Path { detail, .. } if !prefix.is_empty() => {
            ApiError::new(status(error), code, format!("{prefix}{detail}")).with_details(text)
        }
        RemoteError::LinkLost(_) => ApiError::new(status(error), code, format!("{prefix}{text}"))
            .with_retry_after(LINK_RETRY_SECS),
        _ => ApiError::new(status(error), code, format!("{prefix}{text}")),
    };
    answer.with_phase(phase)
}

impl From<RemoteError> for ApiError {
    fn from(error: RemoteError) -> Self {
        failed("", &error)
    }
}

/// A result of `remote` as that of a documented route.
pub(crate) trait OrFailed<T> {
    /// See [`failed`].
    fn or_failed(self, prefix: &str) -> ApiResult<T>;
}

impl<T> OrFailed<T> for RemoteResult<T> {
    fn or_failed(self, prefix: &str) -> ApiResult<T> {
        self.map_err(|error| failed(prefix, &error))
    }
}

fn prompt_detail(
    code: &str,
    text: &str,
    question: &runicorn_remote::PromptQuestion,
) -> serde_json::Value {
    json!({
        "code": code,
        "message": text,
        "prompt_id": question.prompt_id,
        "host": question.host,
        "name": question.name,
        "instructions": question.instructions,
        "prompts": question.prompts,
    })
}

/// Who must act: the caller (4xx), the other machine (502), nobody but time (504).
fn status(error: &RemoteError) -> StatusCode {
    use RemoteError as E;
    match error {
        E::BadTarget(_) => StatusCode::BAD_REQUEST,
        E::Invalid(_)
        | E::PythonMissing
        | E::PythonFailed { .. }
        | E::RunicornMissing { .. }
        | E::RunicornTooOld { .. }
        | E::PlatformUnsupported { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        E::PassphraseNeeded { .. }
        | E::PassphraseWrong { .. }
        | E::KeyUnusable { .. }
        | E::Authentication { .. } => StatusCode::UNAUTHORIZED,
        E::NotConnected(_) | E::SessionNotFound(_) | E::EnvironmentNotFound(_) | E::Path { .. } => {
            StatusCode::NOT_FOUND
        }
        E::HostKey(_)
        | E::HostKeyRevoked { .. }
        | E::NoPendingHostKey { .. }
        | E::Prompt(_)
        | E::PromptExpired
        | E::RemotePortTaken { .. }
        | E::Cancelled => StatusCode::CONFLICT,
        E::TooManyAttempts { .. } => StatusCode::TOO_MANY_REQUESTS,
        E::Jump { source, .. } => status(source),
        E::Timeout { .. } => StatusCode::GATEWAY_TIMEOUT,
        E::Keyring(_) => StatusCode::SERVICE_UNAVAILABLE,
        E::File { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        E::Resolve { .. }
        | E::Refused { .. }
        | E::KeyExchange { .. }
        | E::ProxyCommand { .. }
        | E::LinkLost(_)
        | E::Forbidden { .. }
        | E::Command { .. }
        | E::TooMuchOutput { .. }
        | E::Install { .. }
        | E::ViewerFailed { .. } => StatusCode::BAD_GATEWAY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use runicorn_remote::{HostKeyQuestion, HostKeyReason, Phase, Target};
    use std::time::Duration;

    fn refused() -> RemoteError {
        RemoteError::Refused {
            host: "h".to_owned(),
            port: 1,
            detail: "Connection refused".to_owned(),
        }
    }

    #[test]
    fn the_status_says_who_must_act_and_the_body_which_stage_failed() {
        let target = Target::new("u", "h", 22).unwrap();
        let cases = [
            (refused(), 502, "CONNECTION_REFUSED", Some("connecting")),
            (
                RemoteError::Timeout {
                    host: "h".to_owned(),
                    phase: Phase::KeyExchange,
                    limit: Duration::from_secs(1),
                },
                504,
                "TIMEOUT",
                Some("key_exchange"),
            ),
            (
                RemoteError::Jump {
                    hop: "j".to_owned(),
                    source: Box::new(RemoteError::PassphraseNeeded {
                        key: "k".to_owned(),
                    }),
                },
                401,
                "PASSPHRASE_REQUIRED",
                Some("authenticating"),
            ),
            (
                RemoteError::TooManyAttempts {
                    target,
                    retry_after_secs: 9,
                },
                429,
                "RATE_LIMITED",
                Some("authenticating"),
            ),
        ];
        for (error, status, code, phase) in cases {
            let answer = failed("Connection failed: ", &error);
            assert_eq!((answer.status().as_u16(), answer.code()), (status, code));
            assert_eq!(answer.body().phase.as_deref(), phase, "{code}");
        }
    }

    #[test]
    fn documented_words_stand_before_ours_except_where_ours_are_documented() {
        let text = |error: RemoteError| failed("Connection failed: ", &error).body().error;
        assert_eq!(
            text(refused()),
            "Connection failed: connect to h port 1: Connection refused"
        );
        assert_eq!(
            text(RemoteError::SessionNotFound("x".to_owned())),
            "Session not found: x"
        );
    }

    #[test]
    fn a_host_key_is_a_question_in_the_documented_form() {
        let question = HostKeyQuestion {
            host: "h".to_owned(),
            port: 22,
            known_hosts_host: "h".to_owned(),
            key_type: "ssh-ed25519".to_owned(),
            fingerprint_sha256: "SHA256:x".to_owned(),
            public_key: "ssh-ed25519 AAAA".to_owned(),
            reason: HostKeyReason::Unknown,
            expected_fingerprint_sha256: None,
            expected_public_key: None,
            randomart: String::new(),
        };
        let body = failed(
            "Connection failed: ",
            &RemoteError::HostKey(Box::new(question)),
        )
        .body();
        assert_eq!(body.code, "HOST_KEY_CONFIRMATION_REQUIRED");
        assert_eq!(body.detail["code"], "HOST_KEY_CONFIRMATION_REQUIRED");
        assert_eq!(body.detail["host_key"]["reason"], "unknown");
        assert!(body.detail["host_key"].get("expected_public_key").is_none());
    }
}
