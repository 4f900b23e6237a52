//! Changing runs and paths: alias and tags, moving, making a path, deleting a path.

use axum::Json;
use axum::extract::State;
use runicorn_experiments::{MoveProblem, RunEdit, RunId, RunPath};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::blocking::{blocking, blocking_ok};
use crate::error::{ApiError, ApiResult};
use crate::validate::{Body, Fields, JsonObject, Shape, UrlPath};

/// Most runs that one request may move.
const MAX_MOVED: usize = 100;

/// The routes of this room.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(edit_run))
        .routes(routes!(move_runs))
        .routes(routes!(create_path))
        .routes(routes!(delete_path))
}

/// New alias and tags of a run; what is absent or null stays.
#[derive(utoipa::ToSchema)]
struct RunUpdate {
    alias: Option<String>,
    tags: Option<Vec<String>>,
}

impl Shape for RunUpdate {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            alias: fields.optional_text("alias"),
            tags: fields.optional_texts("tags"),
        }
    }
}

/// Changes alias and tags of a run.
#[utoipa::path(patch, path = "/api/runs/{id}", tag = "runs", params(("id" = String, Path)), request_body = RunUpdate, responses((status = 200, body = Object)))]
async fn edit_run(
    State(app): State<App>,
    UrlPath(id): UrlPath<String>,
    Body(update): Body<RunUpdate>,
) -> ApiResult<Json<Value>> {
    RunId::standard(&id)?;
    let store = app.store();
    let edit = RunEdit {
        alias: update.alias,
        tags: update.tags,
    };
    let edited = blocking(move || store.edit(&id, &edit)).await?;
    Ok(Json(
        json!({"ok": true, "alias": edited.alias, "tags": edited.tags}),
    ))
}

/// Runs and where they go.
#[derive(utoipa::ToSchema)]
struct RunMove {
    run_ids: Vec<String>,
    target_path: String,
}

impl Shape for RunMove {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            run_ids: fields.texts("run_ids"),
            target_path: fields.text("target_path"),
        }
    }
}

#[derive(Serialize)]
struct MovedRun {
    run_id: String,
    old_path: String,
    new_path: String,
}

#[derive(Serialize)]
struct UnmovedRun {
    run_id: String,
    error: String,
}

/// Moves runs to another path.
#[utoipa::path(post, path = "/api/runs/move", tag = "runs", request_body = RunMove, responses((status = 200, body = Object)))]
async fn move_runs(State(app): State<App>, Body(request): Body<RunMove>) -> ApiResult<Json<Value>> {
    let target = move_target(&request.target_path)?;
    if request.run_ids.is_empty() {
        return Err(ApiError::bad_request(
            "RUN_IDS_REQUIRED",
            "run_ids is required",
        ));
    }
    if request.run_ids.len() > MAX_MOVED {
        let text = format!("Cannot move more than {MAX_MOVED} runs at once");
        return Err(ApiError::bad_request("TOO_MANY_RUNS", text));
    }
    let store = app.store();
    let (moved, failed) = blocking_ok(move || {
        let (mut moved, mut failed) = (Vec::new(), Vec::new());
        for id in request.run_ids {
            let outcome = match RunId::standard(&id) {
                Err(_) => Err("invalid run_id format".to_owned()),
                Ok(_) => store
                    .move_run(&id, &target)
                    .map_err(|problem: MoveProblem| problem.to_string()),
            };
            match outcome {
                Ok(old) => moved.push(MovedRun {
                    run_id: id,
                    old_path: old.to_string(),
                    new_path: target.to_string(),
                }),
                Err(error) => failed.push(UnmovedRun { run_id: id, error }),
            }
        }
        (moved, failed)
    })
    .await?;
    Ok(Json(
        json!({"ok": true, "moved_count": moved.len(), "failed_count": failed.len(), "moved": moved, "failed": failed}),
    ))
}

fn move_target(path: &str) -> ApiResult<RunPath> {
    let path = path.trim().trim_matches('/');
    if path.is_empty() {
        return Err(ApiError::bad_request(
            "PATH_REQUIRED",
            "target_path is required",
        ));
    }
    let hidden = path
        .split(['/', '\\'])
        .any(|segment| segment.starts_with('.'));
    if hidden || path.contains("..") || path.contains(':') || path.chars().any(char::is_control) {
        return Err(ApiError::bad_request(
            "INVALID_PATH",
            "Path contains invalid characters or patterns",
        ));
    }
    if path.contains(['<', '>', '|', '*', '?']) {
        return Err(ApiError::bad_request(
            "INVALID_PATH",
            "Path contains forbidden characters",
        ));
    }
    if path.len() > 200 {
        let text = format!("Path too long: {} characters", path.len());
        return Err(ApiError::bad_request("INVALID_PATH", text));
    }
    Ok(RunPath::from_directory(path))
}

/// Makes an empty path.
#[utoipa::path(post, path = "/api/paths/create", tag = "paths", request_body = Object, responses((status = 200, body = Object)))]
async fn create_path(
    State(app): State<App>,
    JsonObject(body): JsonObject,
) -> ApiResult<Json<Value>> {
    let path = match body.get("path") {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let path = path.trim().trim_matches('/').to_owned();
    let target = new_path(&path)?;
    let store = app.store();
    if blocking(move || store.create_path(&target)).await? {
        Ok(Json(json!({"ok": true, "path": path})))
    } else {
        Err(ApiError::conflict("PATH_EXISTS", "Path already exists"))
    }
}

fn new_path(path: &str) -> ApiResult<RunPath> {
    let refuse = |text: &str| Err(ApiError::bad_request("INVALID_PATH", text));
    if path.is_empty() {
        return refuse("path is required");
    }
    if path.contains("..") {
        return refuse("path must not contain '..'");
    }
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "_/-. ".contains(letter);
    let hidden = path.split('/').any(|segment| segment.starts_with('.'));
    if hidden || path.len() > 200 || !path.chars().all(plain) {
        return refuse("path contains invalid characters");
    }
    Ok(RunPath::from_directory(path))
}

/// Puts every run of a path into the recycle bin.
#[utoipa::path(post, path = "/api/paths/soft-delete", tag = "paths", request_body = Object, responses((status = 200, body = Object)))]
async fn delete_path(
    State(app): State<App>,
    JsonObject(body): JsonObject,
) -> ApiResult<Json<Value>> {
    let path = body.get("path").and_then(Value::as_str).unwrap_or_default();
    if path.is_empty() {
        return Err(ApiError::bad_request("PATH_REQUIRED", "path is required"));
    }
    let exact = body.get("exact").and_then(Value::as_bool).unwrap_or(false);
    let (path, store) = (path.to_owned(), app.store());
    let wanted = path.clone();
    let outcome = blocking(move || store.soft_delete_path(&wanted, exact)).await?;
    let problems = (!outcome.problems.is_empty()).then_some(outcome.problems);
    let message = format!("Moved {} runs to recycle bin", outcome.deleted);
    Ok(Json(
        json!({"path": path, "deleted_count": outcome.deleted, "errors": problems, "message": message}),
    ))
}
