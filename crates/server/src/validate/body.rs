//! JSON bodies: read whole within a limit of size and time, parsed, then read as a shape.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::fields::{Fields, Shape, Source, problem};
use super::json_position::first_fault;
use crate::error::ApiError;

/// No documented body comes near this.
const BODY_LIMIT_BYTES: usize = 8 << 20;
/// A body that is still not here after this long is not coming.
const BODY_TIME_LIMIT: Duration = Duration::from_secs(30);

/// A JSON object body as `T`.
pub(crate) struct Body<T>(pub(crate) T);

/// A JSON object body as it came, for routes that look at its members themselves.
pub(crate) struct JsonObject(pub(crate) Map<String, Value>);

/// A JSON list body as it came.
pub(crate) struct JsonList(pub(crate) Vec<Value>);

/// A JSON body of any form as a serde type; for routes of our own, where one problem at a time is enough.
pub(crate) struct Typed<T>(pub(crate) T);

impl<T: Shape, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ApiError> {
        let value = if T::SEPARATE_FIELDS {
            read_json(request).await?.unwrap_or_else(|| json!({}))
        } else {
            read_json(request).await?.ok_or_else(missing_body)?
        };
        let object = object_of(value)?;
        let mut fields = Fields::new(Source::Body {
            object: &object,
            separate: T::SEPARATE_FIELDS,
        });
        let shaped = T::read(&mut fields);
        let problems = fields.into_problems();
        if problems.is_empty() {
            Ok(Self(shaped))
        } else {
            Err(ApiError::invalid(problems))
        }
    }
}

impl<S: Send + Sync> FromRequest<S> for JsonObject {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ApiError> {
        let value = read_json(request).await?.ok_or_else(missing_body)?;
        Ok(Self(object_of(value)?))
    }
}

impl<S: Send + Sync> FromRequest<S> for JsonList {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ApiError> {
        match read_json(request).await?.ok_or_else(missing_body)? {
            Value::Array(items) => Ok(Self(items)),
            other => Err(ApiError::invalid(vec![problem(
                "list_type",
                json!(["body"]),
                "Input should be a valid list",
                &other,
                None,
            )])),
        }
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Typed<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ApiError> {
        let value = read_json(request).await?.ok_or_else(missing_body)?;
        serde_json::from_value(value.clone())
            .map(Self)
            .map_err(|error| {
                let entry = problem(
                    "value_error",
                    json!(["body"]),
                    &error.to_string(),
                    &value,
                    None,
                );
                ApiError::invalid(vec![entry])
            })
    }
}

/// The parsed body, or `None` when it is empty. A body whose type is not JSON is a text, as it is to the documented
/// server: that stops a plain HTML form of another site from passing as a JSON call.
async fn read_json(request: Request) -> Result<Option<Value>, ApiError> {
    let is_json = has_json_type(request.headers());
    let bytes = read_bytes(request).await?;
    if bytes.is_empty() {
        return Ok(None);
    }
    if !is_json {
        return Ok(Some(Value::String(
            String::from_utf8_lossy(&bytes).into_owned(),
        )));
    }
    match serde_json::from_slice(&bytes) {
        Ok(value) => Ok(Some(value)),
        Err(_) => Err(not_json(&bytes)),
    }
}

async fn read_bytes(request: Request) -> Result<Bytes, ApiError> {
    let body = Limited::new(request.into_body(), BODY_LIMIT_BYTES);
    match tokio::time::timeout(BODY_TIME_LIMIT, body.collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(ApiError::too_large(format!(
            "The body is larger than {BODY_LIMIT_BYTES} bytes"
        ))),
        Ok(Err(error)) => Err(ApiError::bad_request(
            "BODY_BROKEN",
            format!("The body broke off: {error}"),
        )),
        Err(_elapsed) => Err(ApiError::new(
            axum::http::StatusCode::REQUEST_TIMEOUT,
            "BODY_TIMEOUT",
            "The body did not arrive in time",
        )),
    }
}

fn has_json_type(headers: &HeaderMap) -> bool {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = content_type
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn object_of(value: Value) -> Result<Map<String, Value>, ApiError> {
    match value {
        Value::Object(object) => Ok(object),
        other => Err(ApiError::invalid(vec![problem(
            "dict_type",
            json!(["body"]),
            "Input should be a valid dictionary",
            &other,
            None,
        )])),
    }
}

fn missing_body() -> ApiError {
    ApiError::invalid(vec![problem(
        "missing",
        json!(["body"]),
        "Field required",
        &Value::Null,
        None,
    )])
}

fn not_json(bytes: &[u8]) -> ApiError {
    let text = String::from_utf8_lossy(bytes);
    let fault = first_fault(&text);
    ApiError::invalid(vec![problem(
        "json_invalid",
        json!(["body", fault.position]),
        "JSON decode error",
        &json!({}),
        Some(json!({"error": fault.reason})),
    )])
}
