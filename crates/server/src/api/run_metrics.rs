//! What metrics runs have, with their extremes: what charts there can be, before any curve is asked for.

use axum::Json;
use axum::extract::State;
use runicorn_experiments::metrics::{MetricSummary, Reading, RunMetrics};
use runicorn_experiments::{RunDir, RunStatus, RunStore, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::blocking::blocking;
use crate::error::{ApiError, ApiResult};
use crate::validate::{Typed, UrlPath};

/// Runs in one question.
pub(super) const MAX_RUNS: usize = 1000;

/// The routes of this room.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(show_run_metrics))
        .routes(routes!(show_metrics_of_runs))
}

/// What metrics a run has.
#[derive(Serialize, utoipa::ToSchema)]
struct RunMetricsAnswer {
    run: String,
    /// Metric lines of the run.
    rows: u64,
    /// Size of its file.
    bytes: u64,
    /// Whether more may come.
    live: bool,
    /// What could not be read, in words.
    problems: Vec<String>,
    metrics: Vec<MetricAnswer>,
    /// Names of what was recorded as text only.
    texts: Vec<String>,
    /// Names that are no metrics but serve as `x: "metric:<name>"`.
    axes: Vec<String>,
}

/// One numeric metric.
#[derive(Serialize, utoipa::ToSchema)]
struct MetricAnswer {
    name: String,
    points: u64,
    /// Of those, NaN and infinities.
    non_finite: u64,
    min: Option<f64>,
    max: Option<f64>,
    /// Null when it is not finite.
    last: Option<f64>,
    first_step: Option<f64>,
    last_step: Option<f64>,
    /// Unix seconds.
    first_time: Option<f64>,
    /// Unix seconds.
    last_time: Option<f64>,
}

/// What metrics a run has, with their extremes.
#[utoipa::path(get, path = "/api/run-metrics/{run_id}", tag = "metrics", params(("run_id" = String, Path)),
    responses((status = 200, body = RunMetricsAnswer), (status = 404, body = crate::ErrorBody)))]
async fn show_run_metrics(
    State(app): State<App>,
    UrlPath(run_id): UrlPath<String>,
) -> ApiResult<Json<RunMetricsAnswer>> {
    blocking(move || {
        let store = app.store();
        let run = store.find(&run_id)?;
        Ok::<_, StoreError>(Json(metrics_of(&app, &store, &run)))
    })
    .await
}

/// Which runs.
#[derive(Deserialize, utoipa::ToSchema)]
struct RunMetricsQuestion {
    /// At most 1,000.
    runs: Vec<String>,
}

/// What metrics runs have.
#[derive(Serialize, utoipa::ToSchema)]
struct ManyRunMetricsAnswer {
    /// In the order of the question.
    runs: Vec<RunMetricsAnswer>,
    /// Runs that are not here.
    missing: Vec<String>,
}

/// What metrics many runs have, with their extremes, in one answer.
#[utoipa::path(post, path = "/api/run-metrics", tag = "metrics", request_body = RunMetricsQuestion,
    responses((status = 200, body = ManyRunMetricsAnswer), (status = 422, body = crate::ErrorBody)))]
async fn show_metrics_of_runs(
    State(app): State<App>,
    Typed(question): Typed<RunMetricsQuestion>,
) -> ApiResult<Json<ManyRunMetricsAnswer>> {
    if question.runs.len() > MAX_RUNS {
        return Err(ApiError::invalid_value(
            &json!(["body", "runs"]),
            "at most 1000 runs at once",
            &question.runs.len().into(),
        ));
    }
    blocking(move || {
        let store = app.store();
        let mut answer = ManyRunMetricsAnswer {
            runs: Vec::new(),
            missing: Vec::new(),
        };
        for id in question.runs {
            match store.find(&id) {
                Ok(run) => answer.runs.push(metrics_of(&app, &store, &run)),
                Err(StoreError::RunNotFound { .. }) => answer.missing.push(id),
                Err(error) => return Err(error),
            }
        }
        Ok::<_, StoreError>(Json(answer))
    })
    .await
}

fn metrics_of(app: &App, store: &RunStore, run: &RunDir) -> RunMetricsAnswer {
    let (reading, problem) = match app.metrics().of_run(run) {
        Ok(reading) => (reading, None),
        Err(error) => (Reading::default(), Some(error.to_string())),
    };
    let found = RunMetrics::of(&reading.columns);
    RunMetricsAnswer {
        run: run.id.to_string(),
        rows: reading.columns.rows(),
        bytes: reading.bytes,
        live: is_live(store, run.id.as_str()),
        problems: problem.into_iter().chain(problems(&reading)).collect(),
        metrics: found.metrics.into_iter().map(metric_answer).collect(),
        texts: found.texts,
        axes: found.axes,
    }
}

fn metric_answer(metric: MetricSummary) -> MetricAnswer {
    MetricAnswer {
        name: metric.name,
        points: metric.points,
        non_finite: metric.non_finite,
        min: metric.min,
        max: metric.max,
        last: metric.last.filter(|last| last.is_finite()),
        first_step: metric.first_step,
        last_step: metric.last_step,
        first_time: metric.first_time,
        last_time: metric.last_time,
    }
}

fn problems(reading: &Reading) -> Vec<String> {
    let unread = reading.unread;
    let lines = |count: u64| {
        if count == 1 {
            "1 line".to_owned()
        } else {
            format!("{count} lines")
        }
    };
    let mut problems = Vec::new();
    if unread.garbage_lines > 0 {
        problems.push(format!(
            "{} of events.jsonl could not be read",
            lines(unread.garbage_lines)
        ));
    }
    if unread.long_lines > 0 {
        problems.push(format!(
            "{} of events.jsonl of more than 32 MiB left out",
            lines(unread.long_lines)
        ));
    }
    if unread.torn_bytes > 0 {
        problems.push("the last line of events.jsonl is not complete".to_owned());
    }
    problems
}

/// Whether a run may write more.
pub(super) fn is_live(store: &RunStore, run_id: &str) -> bool {
    store
        .list()
        .get(run_id)
        .is_some_and(|row| row.state() == RunStatus::Running)
}
