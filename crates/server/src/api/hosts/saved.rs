//! Saved servers and connections: the documented list of free objects.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::blocking::blocking;
use crate::error::ApiResult;
use crate::remote_failure::OrFailed;
use crate::validate::JsonList;

const FAILED: &str = "Failed to save connections: ";

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, save))
}

/// The saved list. Servers carry `hasSavedPassword`, `hasSavedPrivateKey` and `hasSavedPassphrase` in place of their secrets.
#[derive(Serialize, utoipa::ToSchema)]
struct SavedList {
    ok: bool,
    #[schema(value_type = Vec<Object>)]
    connections: Vec<Value>,
}

/// Lists what was saved.
#[utoipa::path(get, path = "/api/remote/connections/saved", operation_id = "list_saved_connections", tag = "hosts",
    responses((status = 200, body = SavedList)))]
async fn list(State(app): State<App>) -> ApiResult<Json<SavedList>> {
    let connections = blocking(move || app.remote().saved().list()).await?;
    Ok(Json(SavedList {
        ok: true,
        connections,
    }))
}

/// The list was saved.
#[derive(Serialize, utoipa::ToSchema)]
struct ListSaved {
    ok: bool,
    message: &'static str,
}

/// Saves the whole list. A secret that is not named stays as it was; secrets are never returned.
#[utoipa::path(post, path = "/api/remote/connections/saved", operation_id = "save_connections", tag = "hosts",
    request_body = Vec<Object>, responses((status = 200, body = ListSaved), (status = 422, body = crate::ErrorBody)))]
async fn save(State(app): State<App>, JsonList(items): JsonList) -> ApiResult<Json<ListSaved>> {
    blocking(move || app.remote().saved().replace(items).or_failed(FAILED)).await?;
    Ok(Json(ListSaved {
        ok: true,
        message: "Connections saved successfully",
    }))
}
