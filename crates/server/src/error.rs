//! Every failure becomes one body: `{"detail", "error", "code", "details"}`.
//!
//! `detail` is what the documented clients read (a sentence, or the list of a failed validation),
//! `error` is the same as one line, `code` is stable, `details` says more when there is more to say.
//! A failure that nobody can act on is logged here, once, and shown without its insides.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use runicorn_experiments::StoreError;
use runicorn_experiments::error::is_unreachable;
use serde::Serialize;
use serde_json::Value;

/// What a handler returns.
pub(crate) type ApiResult<T> = Result<T, ApiError>;

/// A failed request: a status, a stable code and the words for a person.
#[derive(Debug, Clone)]
pub struct ApiError(Box<Failure>);

/// Kept apart so that every `Result` of a handler stays small.
#[derive(Debug, Clone)]
struct Failure {
    status: StatusCode,
    code: &'static str,
    detail: Value,
    details: Option<String>,
    phase: Option<&'static str>,
    retry_after_secs: Option<u64>,
}

/// The body of every failed request.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ErrorBody {
    /// A sentence, or the list of problems of a failed validation.
    #[schema(value_type = Object)]
    pub detail: Value,
    /// The same as one line of text.
    pub error: String,
    /// Stable word that programs may compare.
    pub code: String,
    /// What else there is to say; the same as `error` when there is nothing.
    pub details: String,
    /// The stage of connecting to another machine in which it failed, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// Seconds to wait, where waiting helps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

impl ApiError {
    /// An error with a status, a code of the table in this file's users and a sentence.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self(Box::new(Failure {
            status,
            code,
            detail: Value::String(detail.into()),
            details: None,
            phase: None,
            retry_after_secs: None,
        }))
    }

    /// 400: the request itself must change.
    pub fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// 403: never for this caller.
    pub fn forbidden(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, detail)
    }

    /// 404: there is no such thing.
    pub fn not_found(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, detail)
    }

    /// 404 of every unknown run.
    pub fn run_not_found() -> Self {
        Self::not_found("RUN_NOT_FOUND", "Run not found")
    }

    /// 404 of every unknown route.
    pub fn unknown_route() -> Self {
        Self::not_found("NOT_FOUND", "Not Found")
    }

    /// 405 of every method that a route lacks.
    pub fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "METHOD_NOT_ALLOWED",
            "Method Not Allowed",
        )
    }

    /// 409: it exists already, or something else is in the way.
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// 410: a documented route whose task something else has taken over.
    pub fn gone(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::GONE, "GONE", detail)
    }

    /// 413: more than this server takes.
    pub fn too_large(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "TOO_LARGE", detail)
    }

    /// 422 with the list that `FastAPI` would give.
    pub fn invalid(problems: Vec<Value>) -> Self {
        Self(Box::new(Failure {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            code: "VALIDATION_FAILED",
            detail: Value::Array(problems),
            details: None,
            phase: None,
            retry_after_secs: None,
        }))
    }

    /// 422 for one value that has the right shape and still cannot be served; `place` is the list of names that lead to it.
    pub fn invalid_value(place: &Value, message: &str, input: &Value) -> Self {
        Self::invalid(vec![serde_json::json!({
            "type": "value_error", "loc": place, "msg": message, "input": input,
        })])
    }

    /// 429 with the seconds to wait.
    pub fn rate_limited(retry_after_secs: u64) -> Self {
        let mut error = Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "RATE_LIMITED",
            "Rate limit exceeded",
        );
        error.0.retry_after_secs = Some(retry_after_secs);
        error
    }

    /// 500 for what nobody can act on: logged with its cause, answered without it.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed inside the server");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "INTERNAL",
            "Internal Server Error",
        )
    }

    /// 503: it may work later.
    pub fn unavailable(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail)
    }

    /// Adds what else there is to say.
    #[must_use]
    pub fn with_details(mut self, details: impl Into<String>) -> Self {
        self.0.details = Some(details.into());
        self
    }

    /// Replaces `detail` by an object, where a contract demands one.
    #[must_use]
    pub fn with_detail_value(mut self, detail: Value) -> Self {
        self.0.detail = detail;
        self
    }

    /// Names the stage of connecting to another machine.
    #[must_use]
    pub fn with_phase(mut self, phase: Option<&'static str>) -> Self {
        self.0.phase = phase;
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn with_retry_after(mut self, secs: u64) -> Self {
        self.0.retry_after_secs = Some(secs);
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// The body as it is sent.
    pub fn body(&self) -> ErrorBody {
        let error = match &self.0.detail {
            Value::String(text) => text.clone(),
            Value::Array(problems) => summary_of(problems),
            _ => self.0.code.to_owned(),
        };
        ErrorBody {
            details: self.0.details.clone().unwrap_or_else(|| error.clone()),
            error,
            detail: self.0.detail.clone(),
            code: self.0.code.to_owned(),
            phase: self.0.phase.map(str::to_owned),
            retry_after: self.0.retry_after_secs,
        }
    }
}

/// One line for a list of problems: `downsample: Input should be …`.
fn summary_of(problems: &[Value]) -> String {
    let lines: Vec<String> = problems
        .iter()
        .map(|problem| {
            let place: Vec<String> = problem["loc"]
                .as_array()
                .into_iter()
                .flatten()
                .skip(1)
                .map(|part| {
                    part.as_str()
                        .map_or_else(|| part.to_string(), str::to_owned)
                })
                .collect();
            let message = problem["msg"].as_str().unwrap_or_default();
            if place.is_empty() {
                message.to_owned()
            } else {
                format!("{}: {message}", place.join("."))
            }
        })
        .collect();
    lines.join("; ")
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{} {}: {}",
            self.0.status.as_u16(),
            self.0.code,
            self.body().error
        )
    }
}

impl std::error::Error for ApiError {}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.0.status, Json(self.body())).into_response();
        if let Some(secs) = self.0.retry_after_secs {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(secs));
        }
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let text = error.to_string();
        match error {
            StoreError::RunNotFound { .. } => Self::run_not_found().with_details(text),
            StoreError::InvalidRunId { .. } => Self::bad_request("INVALID_RUN_ID", text),
            StoreError::InvalidPath { .. } => Self::bad_request("INVALID_PATH", text),
            StoreError::Unsafe { .. } => {
                Self::forbidden("UNSAFE_PATH", "Unsafe path").with_details(text)
            }
            StoreError::RootUnavailable { .. } => Self::unavailable("STORAGE_UNAVAILABLE", text),
            StoreError::Busy { .. } => Self::unavailable("BUSY", text),
            StoreError::TooLarge { .. } => Self::too_large(text),
            StoreError::Damaged { .. } => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "DAMAGED", text)
            }
            StoreError::Io {
                ref source,
                ref path,
            } => Self::of_io(source, path),
            other => Self::internal(other),
        }
    }
}

impl ApiError {
    /// A file that could not be read or written: the words of the system, a status by who can act.
    pub(crate) fn of_io(error: &std::io::Error, path: &std::path::Path) -> Self {
        use std::io::ErrorKind;
        let text = format!("{}: {error}", path.display());
        match error.kind() {
            ErrorKind::NotFound => {
                Self::not_found("FILE_NOT_FOUND", "File not found").with_details(text)
            }
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "DISK_FULL", text)
            }
            ErrorKind::ReadOnlyFilesystem => Self::conflict("READ_ONLY", text),
            ErrorKind::PermissionDenied => Self::forbidden("PERMISSION_DENIED", text),
            _ if is_unreachable(error) => Self::unavailable("STORAGE_UNAVAILABLE", text),
            _ => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "IO_FAILED", text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn what_the_system_says_becomes_a_status_by_who_can_act() {
        use rustix::io::Errno;
        let check = |errno: Errno, status: u16, code: &str| {
            let error = std::io::Error::from(errno);
            let answer: ApiError = StoreError::io("/root/x", error).into();
            assert_eq!((answer.status().as_u16(), answer.code()), (status, code));
        };
        check(Errno::NOENT, 404, "FILE_NOT_FOUND");
        check(Errno::NOSPC, 507, "DISK_FULL");
        check(Errno::DQUOT, 507, "DISK_FULL");
        check(Errno::ROFS, 409, "READ_ONLY");
        check(Errno::ACCESS, 403, "PERMISSION_DENIED");
        check(Errno::PERM, 403, "PERMISSION_DENIED");
        check(Errno::STALE, 503, "STORAGE_UNAVAILABLE");
        check(Errno::TIMEDOUT, 503, "STORAGE_UNAVAILABLE");
        check(Errno::HOSTUNREACH, 503, "STORAGE_UNAVAILABLE");
        check(Errno::NOTCONN, 503, "STORAGE_UNAVAILABLE");
        check(Errno::IO, 500, "IO_FAILED");
    }
}
