//! Documented routes whose task something else has taken over, and the tagging helper that the documented server keeps beside
//! its runs without ever using it.

use axum::Json;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use serde_json::{Map, Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::error::ApiError;
use crate::validate::JsonObject;

/// The routes of this room.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(tag))
        .routes(routes!(search))
        .routes(routes!(delete))
        .route("/api/unified/{*rest}", any(gone))
        .route("/api/unified", any(gone))
        .route("/api/ssh/{*rest}", any(gone))
        .route("/api/ssh", any(gone))
}

/// The file synchronisation over SSH of version 0.4.
async fn gone() -> Response {
    ApiError::gone(
        "Synchronising files over SSH has been replaced by remote viewers: use /api/remote/*",
    )
    .with_details(
        "POST /api/remote/connect, then POST /api/remote/viewer/start; nothing is copied any more",
    )
    .into_response()
}

/// Tags a run in the helper's own store, which knows no runs. Tags of runs: `PATCH /api/runs/{id}`.
#[utoipa::path(post, path = "/api/experiments/tag", tag = "experiments", request_body = Object,
    responses((status = 200, body = Object)))]
async fn tag(_body: JsonObject) -> Json<Value> {
    Json(json!({"success": false}))
}

/// Searches the helper's own store, which knows no runs.
#[utoipa::path(get, path = "/api/experiments/search", tag = "experiments", responses((status = 200, body = Object)))]
async fn search() -> Json<Value> {
    Json(json!({"experiments": []}))
}

/// Deletes from the helper's own store, which knows no runs. Runs: `POST /api/runs/soft-delete`.
#[utoipa::path(delete, path = "/api/experiments/delete", tag = "experiments", request_body = Object,
    responses((status = 200, body = Object)))]
async fn delete(JsonObject(body): JsonObject) -> Json<Value> {
    let ids = body
        .get("run_ids")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let results: Map<String, Value> = ids
        .filter_map(Value::as_str)
        .map(|id| (id.to_owned(), Value::Bool(false)))
        .collect();
    Json(json!({"results": results}))
}
