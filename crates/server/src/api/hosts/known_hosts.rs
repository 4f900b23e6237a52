//! The keys that other machines are known by.

use axum::Json;
use axum::extract::State;
use runicorn_remote::{AcceptError, KnownHost};
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::blocking::{blocking, blocking_ok};
use crate::error::{ApiError, ApiResult};
use crate::validate::{Body, Fields, Shape};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(accept))
        .routes(routes!(list))
        .routes(routes!(remove))
}

/// It worked.
#[derive(Serialize, utoipa::ToSchema)]
struct Accepted {
    ok: bool,
}

struct AcceptBody {
    host: String,
    port: u16,
    key_type: String,
    public_key: String,
    fingerprint: String,
}

impl Shape for AcceptBody {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            host: fields.text("host"),
            port: u16::try_from(fields.int("port", 1..=65_535)).unwrap_or(0),
            key_type: fields.text("key_type"),
            public_key: fields.text_within("public_key", 1..=8192),
            fingerprint: fields.text("fingerprint_sha256"),
        }
    }
}

/// Accepts a host key that the server has just asked about, as `{"host", "port", "key_type", "public_key", "fingerprint_sha256"}`.
#[utoipa::path(post, path = "/api/remote/known-hosts/accept", operation_id = "accept_host_key", tag = "hosts", request_body = Object,
    responses((status = 200, body = Accepted), (status = 400, body = crate::ErrorBody), (status = 409, body = crate::ErrorBody)))]
async fn accept(State(app): State<App>, Body(body): Body<AcceptBody>) -> ApiResult<Json<Accepted>> {
    blocking(move || {
        let known = app.remote().known_hosts();
        let (kind, key) = (&body.key_type, &body.public_key);
        known
            .accept(&body.host, body.port, kind, key, &body.fingerprint)
            .map_err(refused)
    })
    .await?;
    Ok(Json(Accepted { ok: true }))
}

fn refused(error: AcceptError) -> ApiError {
    match error {
        AcceptError::Invalid(text) => ApiError::bad_request("INVALID_HOST_KEY", text),
        other => runicorn_remote::RemoteError::from(other).into(),
    }
}

/// The keys of our own file.
#[derive(Serialize, utoipa::ToSchema)]
struct KnownHostsAnswer {
    entries: Vec<KnownHostEntry>,
}

/// A host and one of its keys.
#[derive(Serialize, utoipa::ToSchema)]
struct KnownHostEntry {
    host: String,
    port: u16,
    known_hosts_host: String,
    key_type: String,
    key_base64: String,
    fingerprint_sha256: String,
}

impl From<KnownHost> for KnownHostEntry {
    fn from(known: KnownHost) -> Self {
        Self {
            host: known.host,
            port: known.port,
            known_hosts_host: known.known_hosts_host,
            key_type: known.key_type,
            key_base64: known.key_base64,
            fingerprint_sha256: known.fingerprint_sha256,
        }
    }
}

/// Lists the accepted host keys.
#[utoipa::path(get, path = "/api/remote/known-hosts/list", operation_id = "list_host_keys", tag = "hosts",
    responses((status = 200, body = KnownHostsAnswer)))]
async fn list(State(app): State<App>) -> ApiResult<Json<KnownHostsAnswer>> {
    blocking_ok(move || {
        let known = app.remote().known_hosts().list();
        Json(KnownHostsAnswer {
            entries: known.into_iter().map(KnownHostEntry::from).collect(),
        })
    })
    .await
}

struct RemoveBody {
    host: String,
    port: u16,
    key_type: String,
}

impl Shape for RemoveBody {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            host: fields.text("host"),
            port: u16::try_from(fields.int("port", 1..=65_535)).unwrap_or(0),
            key_type: fields.text("key_type"),
        }
    }
}

/// Whether there was such a key.
#[derive(Serialize, utoipa::ToSchema)]
struct Removed {
    ok: bool,
    changed: bool,
}

/// Forgets a host key `{"host", "port", "key_type"}`.
#[utoipa::path(post, path = "/api/remote/known-hosts/remove", operation_id = "remove_host_key", tag = "hosts", request_body = Object,
    responses((status = 200, body = Removed), (status = 400, body = crate::ErrorBody)))]
async fn remove(State(app): State<App>, Body(body): Body<RemoveBody>) -> ApiResult<Json<Removed>> {
    let changed = blocking(move || {
        let known = app.remote().known_hosts();
        known
            .remove(&body.host, body.port, &body.key_type)
            .map_err(refused)
    })
    .await?;
    Ok(Json(Removed { ok: true, changed }))
}
