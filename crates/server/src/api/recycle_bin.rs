//! The recycle bin: delete softly, list, restore, empty, delete for ever.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use runicorn_experiments::{
    AssetReference, DeleteReason, PurgedRun, RecycledRun, RestoreProblem, RunId, RunStore,
    StoreError,
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::blocking::{blocking, blocking_ok};
use crate::error::{ApiError, ApiResult};
use crate::validate::{Fields, JsonObject, Params, Shape, UrlPath};

/// Most runs that one request may delete softly or restore, and delete for ever.
const MAX_RUNS: usize = 100;
const MAX_PURGED: usize = 50;

/// The routes of this room.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(soft_delete))
        .routes(routes!(list))
        .routes(routes!(restore))
        .routes(routes!(empty))
        .routes(routes!(purge_one))
        .routes(routes!(purge_many))
}

/// A request about several runs.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the body in the document")]
struct RunIds {
    run_ids: Vec<String>,
}

/// What came of one run.
#[derive(Serialize, utoipa::ToSchema)]
struct ItemResult {
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl ItemResult {
    fn of(outcome: Result<(), String>) -> Self {
        Self {
            success: outcome.is_ok(),
            error: outcome.err(),
        }
    }
}

/// Puts runs into the recycle bin.
#[utoipa::path(post, path = "/api/runs/soft-delete", tag = "recycle-bin", request_body = RunIds, responses((status = 200, body = Object)))]
async fn soft_delete(
    State(app): State<App>,
    JsonObject(body): JsonObject,
) -> ApiResult<Json<Value>> {
    let ids = run_ids(&body, MAX_RUNS, "delete")?;
    let store = app.store();
    let (done, results) = blocking_ok(move || each(&ids, |id| delete_one(&store, id))).await?;
    let total = results.len();
    Ok(Json(
        json!({"deleted_count": done, "results": results, "message": format!("Soft deleted {done} of {total} runs")}),
    ))
}

/// Puts one run into the recycle bin, and says in a word or a sentence why not.
pub(super) fn delete_one(store: &RunStore, id: &str) -> Result<(), String> {
    store
        .soft_delete(id, DeleteReason::User)
        .map_err(|error| match error {
            StoreError::RunNotFound { .. } => "run not found".to_owned(),
            other => other.to_string(),
        })
}

/// Lists the recycle bin, newest deletion first.
#[utoipa::path(get, path = "/api/recycle-bin", tag = "recycle-bin", responses((status = 200, body = Object)))]
async fn list(State(app): State<App>) -> ApiResult<Json<Value>> {
    let store = app.store();
    let runs = blocking_ok(move || {
        let root = store.root().to_owned();
        store
            .recycled()
            .iter()
            .map(|run| recycled(run, &root))
            .collect::<Vec<_>>()
    })
    .await?;
    Ok(Json(json!({"deleted_runs": runs})))
}

fn recycled(run: &RecycledRun, root: &std::path::Path) -> Value {
    json!({
        "id": run.row.id.as_str(),
        "path": run.path,
        "alias": run.row.alias,
        "created_time": run.row.created_at,
        "deleted_at": run.deleted_at,
        "delete_reason": run.reason,
        "original_status": run.original_status,
        "run_dir": root.join(&run.row.directory).to_string_lossy(),
    })
}

/// Brings runs back.
#[utoipa::path(post, path = "/api/recycle-bin/restore", tag = "recycle-bin", request_body = RunIds, responses((status = 200, body = Object)))]
async fn restore(State(app): State<App>, JsonObject(body): JsonObject) -> ApiResult<Json<Value>> {
    let ids = run_ids(&body, MAX_RUNS, "restore")?;
    let store = app.store();
    let one = move |id: &str| {
        store
            .restore(id)
            .map_err(|problem: RestoreProblem| problem.to_string())
    };
    let (done, results) = blocking_ok(move || each(&ids, one)).await?;
    let total = results.len();
    Ok(Json(
        json!({"restored_count": done, "results": results, "message": format!("Restored {done} of {total} runs")}),
    ))
}

/// Removes every run of the recycle bin for ever.
#[utoipa::path(post, path = "/api/recycle-bin/empty", tag = "recycle-bin", request_body = Object, responses((status = 200, body = Object)))]
async fn empty(State(app): State<App>, JsonObject(body): JsonObject) -> ApiResult<Json<Value>> {
    // "no" is not a yes: only a clear one counts
    let confirmed = match body.get("confirm") {
        Some(Value::Bool(yes)) => *yes,
        Some(Value::Number(number)) => number.as_f64() == Some(1.0),
        Some(Value::String(word)) => matches!(word.to_lowercase().as_str(), "true" | "yes" | "1"),
        _ => false,
    };
    if !confirmed {
        return Err(ApiError::bad_request(
            "CONFIRM_REQUIRED",
            "Must set confirm=true to permanently delete",
        ));
    }
    let store = app.store();
    let (removed, problems) = blocking_ok(move || store.empty_recycle_bin()).await?;
    Ok(Json(
        json!({"permanently_deleted": removed, "message": format!("Permanently deleted {removed} runs"), "errors": problems}),
    ))
}

struct PurgeParams {
    dry_run: bool,
}

impl Shape for PurgeParams {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            dry_run: fields.flag_or("dry_run", false),
        }
    }
}

/// Deletes a run for ever, with what only it saved.
#[utoipa::path(delete, path = "/api/runs/{id}/permanent", tag = "recycle-bin", params(("id" = String, Path), ("dry_run" = Option<bool>, Query)), responses((status = 200, body = Object)))]
async fn purge_one(
    State(app): State<App>,
    UrlPath(id): UrlPath<String>,
    Params(params): Params<PurgeParams>,
) -> ApiResult<Json<Value>> {
    RunId::standard(&id)?;
    let store = app.store();
    let purged = blocking(move || store.purge(&[id], params.dry_run)).await?;
    let purged = purged
        .first()
        .ok_or_else(|| ApiError::internal("nothing was purged"))?;
    if let Some(error) = purged.errors.first() {
        let failed = ApiError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "PURGE_FAILED",
            error.clone(),
        );
        return Err(failed.with_detail_value(json!({"message": error, "errors": purged.errors, "partial_failures": purged.left_behind})));
    }
    Ok(Json(purged_json(purged)))
}

/// Deletes several runs for ever.
#[utoipa::path(post, path = "/api/runs/permanent-delete", tag = "recycle-bin", request_body = RunIds, responses((status = 200, body = Object)))]
async fn purge_many(
    State(app): State<App>,
    JsonObject(body): JsonObject,
) -> ApiResult<Json<Value>> {
    let ids = run_ids(&body, MAX_PURGED, "delete")?;
    let dry_run = body
        .get("dry_run")
        .and_then(Value::as_bool)
        .unwrap_or(false);
    let store = app.store();
    let purged = blocking(move || store.purge(&ids, dry_run)).await?;
    let results: Map<String, Value> = purged
        .iter()
        .map(|run| (run.id.clone(), purged_json(run)))
        .collect();
    Ok(Json(json!({
        "deleted_count": purged.iter().filter(|run| run.errors.is_empty()).count(),
        "total_runs": purged.len(),
        "total_blobs_deleted": purged.iter().map(|run| run.blobs_deleted).sum::<u64>(),
        "total_bytes_freed": purged.iter().map(|run| run.bytes_freed).sum::<u64>(),
        "dry_run": dry_run,
        "results": results,
    })))
}

fn purged_json(run: &PurgedRun) -> Value {
    json!({
        "success": run.errors.is_empty(),
        "run_id": run.id,
        "run_dir_deleted": run.run_dir_deleted,
        "orphaned_assets": run.orphaned.iter().map(asset_json).collect::<Vec<_>>(),
        "kept_assets": run.kept.iter().map(asset_json).collect::<Vec<_>>(),
        "blobs_deleted": run.blobs_deleted,
        "manifests_deleted": run.manifests_deleted,
        "outputs_deleted": run.outputs_deleted,
        "bytes_freed": run.bytes_freed,
        "errors": run.errors,
        "partial_failures": run.left_behind,
    })
}

fn asset_json(asset: &AssetReference) -> Value {
    json!({
        "asset_id": asset.asset_id,
        "asset_type": asset.asset_type,
        "name": asset.name,
        "fingerprint": asset.fingerprint,
        "archive_uri": asset.archive_uri,
        "role": asset.role,
    })
}

/// Does one thing to each run and counts what worked.
pub(super) fn each(
    ids: &[String],
    mut one: impl FnMut(&str) -> Result<(), String>,
) -> (usize, Map<String, Value>) {
    let mut done = 0;
    let mut results = Map::new();
    for id in ids {
        let result = ItemResult::of(one(id));
        done += usize::from(result.success);
        results.insert(id.clone(), serde_json::to_value(result).unwrap_or_default());
    }
    (done, results)
}

/// `run_ids` of a body: a list, not empty, not too long, all of the documented form.
fn run_ids(body: &Map<String, Value>, limit: usize, verb: &str) -> ApiResult<Vec<String>> {
    let Some(ids) = body
        .get("run_ids")
        .and_then(Value::as_array)
        .filter(|ids| !ids.is_empty())
    else {
        return Err(ApiError::bad_request(
            "RUN_IDS_REQUIRED",
            "run_ids is required and must be a list",
        ));
    };
    if ids.len() > limit {
        return Err(ApiError::bad_request(
            "TOO_MANY_RUNS",
            format!("Cannot {verb} more than {limit} runs at once"),
        ));
    }
    ids.iter()
        .map(|id| {
            let text = id.as_str().map_or_else(|| python_text(id), str::to_owned);
            match id {
                Value::String(_) if RunId::standard(&text).is_ok() => Ok(text),
                _ => Err(StoreError::InvalidRunId { id: text }.into()),
            }
        })
        .collect()
}

/// A value as the documented server would print it within a sentence.
fn python_text(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        other => other.to_string(),
    }
}
