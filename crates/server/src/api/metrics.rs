//! Metrics of a run as the documents have them: one table by step, whole or thinned out, and the points of the 0.6 client.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use runicorn_experiments::metrics::{Columns, Rows, RunMetrics, Table};
use runicorn_experiments::{RunStore, StoreError};
use serde::Serialize;
use tokio::sync::mpsc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::blocking::blocking;
use crate::compression::SentAsIs;
use crate::error::ApiResult;
use crate::validate::{Fields, Params, Shape, UrlPath};

/// Larger tables are sent while they are written.
const WHOLE_CELLS: usize = 200_000;
/// What the documented server says; ours is limited by bytes.
pub(crate) const DOCUMENTED_MAX_SIZE: u64 = 100;

/// The routes of this room.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(show_metrics))
        .routes(routes!(show_metrics_step))
        .routes(routes!(show_cache_stats))
        .routes(routes!(show_progress))
        .routes(routes!(show_points))
}

struct TableParams {
    downsample: Option<i64>,
}

impl Shape for TableParams {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            downsample: fields.optional_int("downsample", 100..=50_000),
        }
    }
}

/// A run's metrics by step.
#[derive(utoipa::ToSchema)]
#[schema(as = MetricTable)]
#[expect(dead_code, reason = "describes what is written byte by byte")]
struct TableAnswer {
    /// `global_step`, then the other names sorted; empty when there is nothing.
    columns: Vec<String>,
    /// One object per step with every column; absent and non-finite values are null.
    #[schema(value_type = Vec<Object>)]
    rows: Vec<BTreeMap<String, String>>,
    /// Steps there are.
    total: usize,
    /// Steps sent.
    sampled: usize,
}

/// The metrics of a run as one table by step.
#[utoipa::path(get, path = "/api/runs/{run_id}/metrics", tag = "metrics",
    params(("run_id" = String, Path), ("downsample" = Option<i64>, Query, description = "Rows to send, 100 to 50,000")),
    responses((status = 200, body = TableAnswer), (status = 404, body = crate::ErrorBody), (status = 422, body = crate::ErrorBody)))]
async fn show_metrics(
    State(app): State<App>,
    Params(params): Params<TableParams>,
    UrlPath(run_id): UrlPath<String>,
) -> ApiResult<Response> {
    table(app, run_id, params).await
}

/// The same as `/metrics`.
#[utoipa::path(get, path = "/api/runs/{run_id}/metrics_step", tag = "metrics",
    params(("run_id" = String, Path), ("downsample" = Option<i64>, Query, description = "Rows to send, 100 to 50,000")),
    responses((status = 200, body = TableAnswer), (status = 404, body = crate::ErrorBody), (status = 422, body = crate::ErrorBody)))]
async fn show_metrics_step(
    State(app): State<App>,
    Params(params): Params<TableParams>,
    UrlPath(run_id): UrlPath<String>,
) -> ApiResult<Response> {
    table(app, run_id, params).await
}

async fn table(app: App, run_id: String, params: TableParams) -> ApiResult<Response> {
    let downsample = params
        .downsample
        .and_then(|rows| usize::try_from(rows).ok());
    let (columns, rows, mut response) = blocking(move || {
        let columns = columns_of(&app, &app.store(), &run_id)?;
        let table = Table::of(&columns);
        let rows = table.rows(downsample);
        let response = headers_of(&table, &rows);
        Ok::<_, StoreError>((columns, rows, response))
    })
    .await?;
    *response.body_mut() = body(columns, rows).await?;
    Ok(response)
}

fn columns_of(app: &App, store: &RunStore, run_id: &str) -> Result<Arc<Columns>, StoreError> {
    let run = store.find(run_id)?;
    Ok(app.metrics().of_run(&run)?.columns)
}

fn headers_of(table: &Table<'_>, rows: &Rows) -> Response {
    let mut response = ().into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(
        HeaderName::from_static("x-row-count"),
        HeaderValue::from(rows.len()),
    );
    headers.insert(
        HeaderName::from_static("x-total-count"),
        HeaderValue::from(table.total()),
    );
    if let Some(step) = table
        .last_step(rows)
        .and_then(|step| HeaderValue::from_str(&step).ok())
    {
        headers.insert(HeaderName::from_static("x-last-step"), step);
    }
    response.extensions_mut().insert(SentAsIs);
    response
}

/// A small table in one piece, a large one piece by piece; writing stops when the client goes away.
async fn body(columns: Arc<Columns>, rows: Rows) -> ApiResult<Body> {
    let cells = rows.len() * (Table::of(&columns).names().count() + 1);
    if cells <= WHOLE_CELLS {
        let write = move || {
            let mut bytes = Vec::new();
            Table::of(&columns).write_json(&rows, &mut |piece| {
                if bytes.is_empty() {
                    bytes = piece;
                } else {
                    bytes.extend(piece);
                }
                true
            });
            bytes
        };
        return crate::blocking::blocking_ok(write).await.map(Body::from);
    }
    let (sender, receiver) = mpsc::channel::<Bytes>(4);
    drop(tokio::task::spawn_blocking(move || {
        Table::of(&columns).write_json(&rows, &mut |piece| {
            sender.blocking_send(piece.into()).is_ok()
        });
    }));
    let pieces = futures_util::stream::unfold(receiver, |mut receiver| async {
        let piece = receiver.recv().await?;
        Some((Ok::<_, std::convert::Infallible>(piece), receiver))
    });
    // A compressor asks once more after the end.
    Ok(Body::from_stream(futures_util::StreamExt::fuse(pieces)))
}

/// What the metric cache has done.
#[derive(Serialize, utoipa::ToSchema)]
struct CacheStatsAnswer {
    /// Runs held.
    size: u64,
    /// What the documented server says; ours is limited by bytes.
    max_size: u64,
    hits: u64,
    misses: u64,
    incremental_updates: u64,
    /// 0 to 1.
    hit_rate: f64,
    /// 0 to 1.
    incremental_rate: f64,
    /// Memory held, about.
    bytes: u64,
    /// Memory that may be held.
    limit_bytes: u64,
}

/// What the metric cache has done.
#[utoipa::path(get, path = "/api/metrics/cache/stats", tag = "metrics", responses((status = 200, body = CacheStatsAnswer)))]
async fn show_cache_stats(State(app): State<App>) -> Json<CacheStatsAnswer> {
    let stats = app.metrics().stats();
    let all = stats.hits + stats.misses + stats.incremental_updates;
    let rate = |count: u64| {
        if all == 0 {
            0.0
        } else {
            count as f64 / all as f64
        }
    };
    Json(CacheStatsAnswer {
        size: stats.size,
        max_size: DOCUMENTED_MAX_SIZE.max(stats.size),
        hits: stats.hits,
        misses: stats.misses,
        incremental_updates: stats.incremental_updates,
        hit_rate: rate(stats.hits),
        incremental_rate: rate(stats.incremental_updates),
        bytes: stats.bytes,
        limit_bytes: stats.limit_bytes,
    })
}

/// The documents' answer for every run.
#[derive(Serialize, utoipa::ToSchema)]
struct ProgressAnswer {
    available: bool,
    status: &'static str,
}

/// Always `{"available":false,"status":"unknown"}`, also for an unknown run, as documented.
#[utoipa::path(get, path = "/api/runs/{run_id}/progress", tag = "metrics", params(("run_id" = String, Path)),
    responses((status = 200, body = ProgressAnswer)))]
async fn show_progress(UrlPath(_run_id): UrlPath<String>) -> Json<ProgressAnswer> {
    Json(ProgressAnswer {
        available: false,
        status: "unknown",
    })
}

struct PointParams {
    metrics: Option<String>,
    limit: Option<i64>,
}

impl Shape for PointParams {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            metrics: fields.optional_text("metrics"),
            limit: fields.optional_int("limit", 0..=i64::MAX),
        }
    }
}

/// Points of each numeric metric.
#[derive(Serialize, utoipa::ToSchema)]
struct PointsAnswer {
    metrics: BTreeMap<String, Vec<Point>>,
}

/// One point.
#[derive(Serialize, utoipa::ToSchema)]
struct Point {
    /// The step; a whole number.
    #[schema(value_type = i64)]
    step: serde_json::Number,
    /// Null when it is not finite.
    value: Option<f64>,
    /// Unix seconds.
    timestamp: Option<f64>,
}

/// The numeric metrics of a run point by point, ordered by step; `metrics=a,b` chooses, `limit` is per metric.
#[utoipa::path(get, path = "/api/metrics/{run_id}", tag = "metrics",
    params(("run_id" = String, Path), ("metrics" = Option<String>, Query), ("limit" = Option<i64>, Query)),
    responses((status = 200, body = PointsAnswer), (status = 404, body = crate::ErrorBody)))]
async fn show_points(
    State(app): State<App>,
    Params(params): Params<PointParams>,
    UrlPath(run_id): UrlPath<String>,
) -> ApiResult<Json<PointsAnswer>> {
    blocking(move || {
        let columns = columns_of(&app, &app.store(), &run_id)?;
        let wanted = params.metrics.filter(|names| !names.is_empty());
        let wanted: Option<Vec<&str>> = wanted
            .as_deref()
            .map(|names| names.split(',').map(str::trim).collect());
        let limit = params
            .limit
            .and_then(|limit| usize::try_from(limit).ok())
            .unwrap_or(usize::MAX);
        let found = RunMetrics::of(&columns)
            .metrics
            .into_iter()
            .map(|metric| metric.name);
        let chosen = found.filter(|name| {
            name != "stage"
                && wanted
                    .as_ref()
                    .is_none_or(|wanted| wanted.contains(&name.as_str()))
        });
        let metrics = chosen
            .map(|name| (name.clone(), points(&columns, &name, limit)))
            .collect();
        Ok::<_, StoreError>(Json(PointsAnswer { metrics }))
    })
    .await
}

fn points(columns: &Columns, name: &str, limit: usize) -> Vec<Point> {
    let points = columns.points_by_step(name, limit).into_iter();
    points
        .map(|point| Point {
            step: whole(point.step),
            value: point.value,
            timestamp: point.timestamp,
        })
        .collect()
}

/// A step as a JSON integer.
fn whole(step: f64) -> serde_json::Number {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "steps beyond 64 bits keep the nearest that fits"
    )]
    serde_json::Number::from(step as i64)
}
