//! The older store of saved connections, `/api/config/ssh_connections`.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::blocking::blocking;
use crate::error::{ApiError, ApiResult};
use crate::validate::{JsonObject, UrlPath};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, save))
        .routes(routes!(show))
        .routes(routes!(remove))
}

/// The connections, latest last; `has_password` and the like in place of secrets.
#[derive(Serialize, utoipa::ToSchema)]
struct SshConnectionList {
    #[schema(value_type = Vec<Object>)]
    connections: Vec<Value>,
}

/// Lists the connections.
#[utoipa::path(get, path = "/api/config/ssh_connections", operation_id = "list_ssh_connections", tag = "hosts",
    responses((status = 200, body = SshConnectionList)))]
async fn list(State(app): State<App>) -> ApiResult<Json<SshConnectionList>> {
    let connections = blocking(move || app.remote().ssh_connections().list()).await?;
    Ok(Json(SshConnectionList { connections }))
}

/// What a change answers.
#[derive(Serialize, utoipa::ToSchema)]
struct Changed {
    ok: bool,
    message: &'static str,
}

/// Saves a connection; one of the same machine and user is replaced.
#[utoipa::path(post, path = "/api/config/ssh_connections", operation_id = "save_ssh_connection", tag = "hosts",
    request_body = Object, responses((status = 200, body = Changed)))]
async fn save(State(app): State<App>, JsonObject(entry): JsonObject) -> ApiResult<Json<Changed>> {
    blocking(move || app.remote().ssh_connections().save(entry)).await?;
    Ok(Json(Changed {
        ok: true,
        message: "SSH connection saved",
    }))
}

/// One connection.
#[derive(Serialize, utoipa::ToSchema)]
struct SshConnectionAnswer {
    ok: bool,
    #[schema(value_type = Object)]
    connection: Value,
}

/// Shows a connection, without its secrets.
#[utoipa::path(get, path = "/api/config/ssh_connections/{key}/details", operation_id = "show_ssh_connection", tag = "hosts",
    params(("key" = String, Path, description = "`host:port@username`")),
    responses((status = 200, body = SshConnectionAnswer), (status = 404, body = crate::ErrorBody)))]
async fn show(
    State(app): State<App>,
    UrlPath(key): UrlPath<String>,
) -> ApiResult<Json<SshConnectionAnswer>> {
    let wanted = key.clone();
    let found = blocking(move || app.remote().ssh_connections().get(&wanted)).await?;
    let connection = found.ok_or_else(|| {
        ApiError::not_found(
            "CONNECTION_NOT_FOUND",
            format!("Connection not found: {key}"),
        )
    })?;
    Ok(Json(SshConnectionAnswer {
        ok: true,
        connection,
    }))
}

/// Forgets a connection and its secrets.
#[utoipa::path(delete, path = "/api/config/ssh_connections/{key}", operation_id = "remove_ssh_connection", tag = "hosts",
    params(("key" = String, Path, description = "`host:port@username`")), responses((status = 200, body = Changed)))]
async fn remove(State(app): State<App>, UrlPath(key): UrlPath<String>) -> ApiResult<Json<Changed>> {
    blocking(move || app.remote().ssh_connections().remove(&key)).await?;
    Ok(Json(Changed {
        ok: true,
        message: "SSH connection removed",
    }))
}
