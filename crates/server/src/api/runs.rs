//! Runs: the documented list and detail, the status check, the environment.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use runicorn_experiments::{RunDetail, RunRow, RunStatus, RunStore, StoreError, layout};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::blocking::blocking;
use crate::error::{ApiError, ApiResult};
use crate::validate::UrlPath;

/// A documented list must be whole: the first look at a root is awaited this long.
pub(crate) const WHOLE_LIST_PATIENCE: Duration = Duration::from_mins(1);

/// The routes of this room.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_runs))
        .routes(routes!(show_run))
        .routes(routes!(check_statuses))
        .routes(routes!(show_environment))
}

/// A run in a list.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct RunItem<'a> {
    id: &'a str,
    run_dir: String,
    /// When it was created, in Unix seconds.
    created_time: f64,
    /// The word in its status file, or `failed` when its process is gone.
    status: &'a str,
    pid: Option<i64>,
    best_metric_value: Option<f64>,
    best_metric_name: Option<&'a str>,
    path: &'a str,
    alias: Option<&'a str>,
    tags: &'a [String],
    assets_count: u64,
}

impl<'a> RunItem<'a> {
    pub(crate) fn of(store: &RunStore, row: &'a RunRow) -> Self {
        Self {
            id: row.id.as_str(),
            run_dir: store.root().join(&row.directory).display().to_string(),
            created_time: row.created_at,
            status: &row.status,
            pid: row.pid,
            best_metric_value: row.best_metric_value,
            best_metric_name: row.best_metric_name.as_deref(),
            path: row.path.as_str(),
            alias: row.alias.as_deref(),
            tags: &row.tags,
            assets_count: row.assets_count,
        }
    }
}

/// Lists all runs, newest first. Carries an `ETag`; nothing unchanged is sent twice.
#[utoipa::path(get, path = "/api/runs", tag = "runs",
    responses((status = 200, body = Vec<RunItem<'_>>), (status = 304, description = "Nothing changed")))]
async fn list_runs(State(app): State<App>, headers: HeaderMap) -> ApiResult<Response> {
    blocking(move || {
        let store = app.store();
        let list = store.complete_list(WHOLE_LIST_PATIENCE);
        let make = || {
            let items: Vec<RunItem<'_>> = list.rows().map(|row| RunItem::of(&store, row)).collect();
            serde_json::to_vec(&items).unwrap_or_default()
        };
        let answer = app.list_answers().get("runs", list.cursor(), make);
        Ok::<_, ApiError>(answer.respond(&headers))
    })
    .await
}

/// One run.
#[derive(Serialize, utoipa::ToSchema)]
struct RunAnswer {
    id: String,
    status: String,
    pid: Option<i64>,
    run_dir: String,
    path: String,
    alias: Option<String>,
    tags: Vec<String>,
    created_time: f64,
    /// When it was started, in Unix seconds.
    start_time: Option<f64>,
    /// How long it took or has taken so far, in seconds.
    duration: Option<f64>,
    /// The log file, whether it exists or not.
    logs: String,
    /// The metrics file, whether it exists or not.
    metrics: String,
    metrics_step: String,
    #[schema(value_type = Object)]
    assets: Map<String, Value>,
    assets_count: u64,
    #[schema(value_type = Object)]
    summary: Map<String, Value>,
}

impl RunAnswer {
    fn of(detail: RunDetail) -> Self {
        let row = detail.row;
        let file = |name: &str| detail.dir.dir.join(name).display().to_string();
        let is_running = RunStatus::from_word(&row.status) == RunStatus::Running;
        let until = row
            .ended_at
            .or_else(|| is_running.then(crate::api::health::unix_now));
        Self {
            run_dir: detail.dir.dir.display().to_string(),
            logs: file(layout::LOGS),
            metrics: file(layout::EVENTS),
            metrics_step: file(layout::EVENTS),
            id: row.id.to_string(),
            status: row.status,
            pid: row.pid,
            path: row.path.to_string(),
            alias: row.alias,
            tags: row.tags,
            created_time: row.created_at,
            start_time: row.started_at,
            duration: row
                .started_at
                .zip(until)
                .map(|(start, end)| (end - start).max(0.0)),
            assets: detail.assets,
            assets_count: row.assets_count,
            summary: detail.summary,
        }
    }
}

/// Shows one run.
#[utoipa::path(get, path = "/api/runs/{id}", tag = "runs", params(("id" = String, Path, description = "A run")),
    responses((status = 200, body = RunAnswer), (status = 404, body = crate::ErrorBody)))]
async fn show_run(
    State(app): State<App>,
    UrlPath(id): UrlPath<String>,
) -> ApiResult<Json<RunAnswer>> {
    blocking(move || {
        app.store()
            .detail(&id)
            .map(|detail| Json(RunAnswer::of(detail)))
    })
    .await
}

/// What a status check saw and did.
#[derive(Serialize, utoipa::ToSchema)]
struct StatusAnswer {
    /// Runs that were recorded as running.
    checked: u64,
    /// Those that are recorded as failed from now on.
    updated: u64,
    message: String,
}

/// Looks for runs whose process is gone, and records them as failed.
#[utoipa::path(post, path = "/api/status/check", tag = "runs", responses((status = 200, body = StatusAnswer)))]
async fn check_statuses(State(app): State<App>) -> ApiResult<Json<StatusAnswer>> {
    let check = blocking(move || app.store().check_statuses()).await?;
    Ok(Json(StatusAnswer {
        checked: check.checked,
        updated: check.updated,
        message: format!(
            "Checked {} running experiments, updated {} statuses",
            check.checked, check.updated
        ),
    }))
}

/// The environment a run recorded, if it did.
#[derive(Serialize, utoipa::ToSchema)]
struct EnvironmentAnswer {
    available: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    environment: Option<Value>,
}

/// Shows the environment that a run recorded.
#[utoipa::path(get, path = "/api/environment/{id}", tag = "runs", params(("id" = String, Path, description = "A run")),
    responses((status = 200, body = EnvironmentAnswer), (status = 404, body = crate::ErrorBody)))]
async fn show_environment(
    State(app): State<App>,
    UrlPath(id): UrlPath<String>,
) -> ApiResult<Json<EnvironmentAnswer>> {
    let asked = id.clone();
    let environment = blocking(move || {
        app.store().environment(&id).map_err(|error| match error {
            StoreError::RunNotFound { .. } => {
                ApiError::not_found("RUN_NOT_FOUND", format!("Run {asked} not found"))
            }
            error => error.into(),
        })
    })
    .await?;
    Ok(Json(EnvironmentAnswer {
        available: environment.is_some(),
        environment,
    }))
}
