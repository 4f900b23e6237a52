//! Runs as older clients know them: `/api/experiments` of the 0.6 client, `/api/v2/experiments` of 0.4. Both answer from the runs on disk,
//! and really filter, sort and page.

use std::cmp::Ordering;
use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::State;
use runicorn_experiments::metrics::{RunMetrics, Table};
use runicorn_experiments::{RunRow, RunStore};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::recycle_bin::{delete_one, each};
use crate::api::runs::WHOLE_LIST_PATIENCE;
use crate::app::App;
use crate::blocking::{blocking, blocking_ok};
use crate::error::{ApiError, ApiResult};
use crate::validate::{Fields, JsonObject, Params, Shape, UrlPath};

/// The routes of this room.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_experiments))
        .routes(routes!(page_experiments))
        .routes(routes!(show_experiment))
        .routes(routes!(delete_experiments))
}

/// Most runs that one request may delete.
const MAX_DELETED: usize = 1000;

/// First segment of a path, and the rest or `default`.
fn project_and_name(path: &str) -> (&str, &str) {
    let (project, name) = path.split_once('/').unwrap_or((path, ""));
    (project, if name.is_empty() { "default" } else { name })
}

struct Wanted {
    project: Option<String>,
    name: Option<String>,
    status: Option<String>,
    limit: Option<i64>,
    offset: i64,
}

impl Shape for Wanted {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            project: fields.optional_text("project"),
            name: fields.optional_text("name"),
            status: fields.optional_text("status"),
            limit: fields.optional_int("limit", 0..=i64::MAX),
            offset: fields.int_or("offset", 0..=i64::MAX, 0),
        }
    }
}

/// Whether a filter lets a value through; an absent or empty one lets everything.
fn lets(filter: Option<&str>, value: &str) -> bool {
    filter.is_none_or(|wanted| wanted.is_empty() || wanted == value)
}

/// Runs for the 0.6 client.
#[derive(Serialize, utoipa::ToSchema)]
struct ExperimentsAnswer {
    #[schema(value_type = Vec<Object>)]
    experiments: Vec<Value>,
}

/// Lists runs for the 0.6 client, newest first.
#[utoipa::path(get, path = "/api/experiments", tag = "older clients",
    params(("project" = Option<String>, Query, description = "First segment of the path"),
        ("name" = Option<String>, Query, description = "The rest of the path"),
        ("status" = Option<String>, Query), ("limit" = Option<i64>, Query), ("offset" = Option<i64>, Query)),
    responses((status = 200, body = ExperimentsAnswer)))]
async fn list_experiments(
    State(app): State<App>,
    Params(wanted): Params<Wanted>,
) -> ApiResult<Json<ExperimentsAnswer>> {
    blocking(move || {
        let store = app.store();
        let list = store.complete_list(WHOLE_LIST_PATIENCE);
        let fits = |row: &&Arc<RunRow>| {
            let (project, name) = project_and_name(row.path.as_str());
            lets(wanted.project.as_deref(), project)
                && lets(wanted.name.as_deref(), name)
                && lets(wanted.status.as_deref(), &row.status)
        };
        let count = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
        let limit = wanted.limit.map_or(usize::MAX, count);
        let rows = list
            .rows()
            .filter(fits)
            .skip(count(wanted.offset))
            .take(limit);
        let experiments = rows.map(|row| experiment_of_0_6(&store, row)).collect();
        Ok::<_, ApiError>(Json(ExperimentsAnswer { experiments }))
    })
    .await
}

fn experiment_of_0_6(store: &RunStore, row: &RunRow) -> Value {
    let (project, name) = project_and_name(row.path.as_str());
    json!({
        "id": row.id.as_str(),
        "project": project,
        "name": name,
        "status": row.status,
        "created_at": row.created_at,
        "updated_at": updated_at(row),
        "summary": store.summary(row),
        "tags": row.tags,
        "alias": row.alias,
        "path": row.path.as_str(),
    })
}

fn updated_at(row: &RunRow) -> f64 {
    row.ended_at.or(row.last_write_at).unwrap_or(row.created_at)
}

/// By what a page can be sorted.
const ORDERS: [&str; 11] = [
    "created_at",
    "updated_at",
    "started_at",
    "ended_at",
    "status",
    "project",
    "name",
    "id",
    "alias",
    "best_metric_value",
    "duration_seconds",
];

struct PageWanted {
    project: Option<String>,
    name: Option<String>,
    status: Option<String>,
    tags: Vec<String>,
    search: Option<String>,
    created: (Option<f64>, Option<f64>),
    best_metric: (Option<f64>, Option<f64>),
    include_deleted: bool,
    page: i64,
    per_page: i64,
    order_by: String,
    order_desc: bool,
}

impl Shape for PageWanted {
    fn read(fields: &mut Fields<'_>) -> Self {
        let tags = fields.optional_text("tags").unwrap_or_default();
        let order_by = fields.text_or("order_by", "created_at");
        if !ORDERS.contains(&order_by.as_str()) {
            fields.refuse(
                "order_by",
                &format!("Value should be one of {}", ORDERS.join(", ")),
            );
        }
        Self {
            project: fields.optional_text("project"),
            name: fields.optional_text("name"),
            status: fields.optional_text("status"),
            tags: tags
                .split(',')
                .map(str::trim)
                .filter(|tag| !tag.is_empty())
                .map(str::to_owned)
                .collect(),
            search: fields
                .optional_text("search")
                .map(|search| search.to_lowercase()),
            created: (
                fields.optional_float("created_after"),
                fields.optional_float("created_before"),
            ),
            best_metric: (
                fields.optional_float("best_metric_min"),
                fields.optional_float("best_metric_max"),
            ),
            include_deleted: fields.flag_or("include_deleted", false),
            page: fields.int_or("page", 1..=i64::MAX, 1),
            per_page: fields.int_or("per_page", 1..=1000, 50),
            order_by,
            order_desc: fields.flag_or("order_desc", true),
        }
    }
}

impl PageWanted {
    fn takes(&self, row: &RunRow) -> bool {
        let (project, name) = project_and_name(row.path.as_str());
        let within = |(least, most): (Option<f64>, Option<f64>), value: Option<f64>| {
            least.is_none_or(|least| value.is_some_and(|value| value >= least))
                && most.is_none_or(|most| value.is_some_and(|value| value <= most))
        };
        lets(self.project.as_deref(), project)
            && lets(self.name.as_deref(), name)
            && lets(self.status.as_deref(), &row.status)
            && self.tags.iter().all(|tag| row.tags.contains(tag))
            && self
                .search
                .as_deref()
                .is_none_or(|search| mentions(row, search))
            && within(self.created, Some(row.created_at))
            && within(self.best_metric, row.best_metric_value)
    }

    fn order(&self, a: &RunRow, b: &RunRow) -> Ordering {
        let ordered = match self.order_by.as_str() {
            "status" => a.status.cmp(&b.status),
            "project" | "name" => {
                let part = |row: &RunRow| {
                    let (project, name) = project_and_name(row.path.as_str());
                    if self.order_by == "name" {
                        name.to_owned()
                    } else {
                        project.to_owned()
                    }
                };
                part(a).cmp(&part(b))
            }
            "id" => a.id.cmp(&b.id),
            "alias" => a.alias.cmp(&b.alias),
            by => number(by, a).total_cmp(&number(by, b)),
        };
        let ordered = ordered.then_with(|| a.id.cmp(&b.id));
        if self.order_desc {
            ordered.reverse()
        } else {
            ordered
        }
    }
}

fn number(by: &str, row: &RunRow) -> f64 {
    let found = match by {
        "updated_at" => Some(updated_at(row)),
        "started_at" => row.started_at,
        "ended_at" => row.ended_at,
        "best_metric_value" => row.best_metric_value,
        "duration_seconds" => duration(row),
        _ => Some(row.created_at),
    };
    found.unwrap_or(f64::NEG_INFINITY)
}

fn duration(row: &RunRow) -> Option<f64> {
    row.started_at
        .zip(row.ended_at)
        .map(|(start, end)| (end - start).max(0.0))
}

fn mentions(row: &RunRow, search: &str) -> bool {
    let texts = [
        Some(row.id.as_str()),
        Some(row.path.as_str()),
        row.alias.as_deref(),
        row.best_metric_name.as_deref(),
    ];
    let mut texts = texts
        .into_iter()
        .flatten()
        .chain(row.tags.iter().map(String::as_str));
    texts.any(|text| text.to_lowercase().contains(search))
}

/// One page of runs.
#[derive(Serialize, utoipa::ToSchema)]
struct PageAnswer {
    #[schema(value_type = Vec<Object>)]
    experiments: Vec<Value>,
    /// Runs that the filters let through, on all pages.
    total: usize,
    page: i64,
    per_page: i64,
    has_next: bool,
    has_prev: bool,
    query_time_ms: f64,
}

/// Lists one page of the runs that the filters let through, sorted.
#[utoipa::path(get, path = "/api/v2/experiments", tag = "older clients",
    params(("project" = Option<String>, Query), ("name" = Option<String>, Query), ("status" = Option<String>, Query),
        ("tags" = Option<String>, Query, description = "Comma-separated; a run must have all of them"),
        ("search" = Option<String>, Query, description = "In id, path, alias, tags and best metric, any case"),
        ("created_after" = Option<f64>, Query), ("created_before" = Option<f64>, Query),
        ("best_metric_min" = Option<f64>, Query), ("best_metric_max" = Option<f64>, Query),
        ("include_deleted" = Option<bool>, Query), ("page" = Option<i64>, Query), ("per_page" = Option<i64>, Query),
        ("order_by" = Option<String>, Query), ("order_desc" = Option<bool>, Query)),
    responses((status = 200, body = PageAnswer), (status = 422, body = crate::ErrorBody)))]
async fn page_experiments(
    State(app): State<App>,
    Params(wanted): Params<PageWanted>,
) -> ApiResult<Json<PageAnswer>> {
    blocking(move || {
        let started = Instant::now();
        let store = app.store();
        let list = store.complete_list(WHOLE_LIST_PATIENCE);
        let deleted = list.deleted().iter().filter(|_| wanted.include_deleted);
        let mut rows: Vec<&Arc<RunRow>> = list
            .rows()
            .chain(deleted)
            .filter(|row| wanted.takes(row))
            .collect();
        rows.sort_by(|a, b| wanted.order(a, b));
        let before = wanted
            .page
            .saturating_sub(1)
            .saturating_mul(wanted.per_page);
        let before = usize::try_from(before).unwrap_or(usize::MAX);
        let taken = usize::try_from(wanted.per_page).unwrap_or_default();
        let experiments = rows
            .iter()
            .skip(before)
            .take(taken)
            .map(|row| experiment_of_0_4(&store, row));
        Ok::<_, ApiError>(Json(PageAnswer {
            experiments: experiments.collect(),
            total: rows.len(),
            page: wanted.page,
            per_page: wanted.per_page,
            has_next: before.saturating_add(taken) < rows.len(),
            has_prev: wanted.page > 1,
            query_time_ms: started.elapsed().as_secs_f64() * 1000.0,
        }))
    })
    .await
}

fn experiment_of_0_4(store: &RunStore, row: &RunRow) -> Value {
    let (project, name) = project_and_name(row.path.as_str());
    json!({
        "id": row.id.as_str(),
        "project": project,
        "name": name,
        "path": row.path.as_str(),
        "alias": row.alias,
        "tags": row.tags,
        "status": row.status,
        "created_at": row.created_at,
        "updated_at": updated_at(row),
        "started_at": row.started_at,
        "ended_at": row.ended_at,
        "duration_seconds": duration(row),
        "pid": row.pid,
        "hostname": row.hostname,
        "best_metric_name": row.best_metric_name,
        "best_metric_value": row.best_metric_value,
        "best_metric_step": row.best_metric_step,
        "best_metric_mode": row.best_metric_mode,
        "assets_count": row.assets_count,
        "is_deleted": row.deleted,
        "run_dir": store.root().join(&row.directory).display().to_string(),
    })
}

/// One run for a 0.4 client.
#[derive(Serialize, utoipa::ToSchema)]
struct ExperimentAnswer {
    #[schema(value_type = Object)]
    experiment: Value,
    #[schema(value_type = Object)]
    metrics_summary: Value,
    environment_available: bool,
    file_count: usize,
}

/// Shows one run for a 0.4 client.
#[utoipa::path(get, path = "/api/v2/experiments/{id}", tag = "older clients", params(("id" = String, Path, description = "A run")),
    responses((status = 200, body = ExperimentAnswer), (status = 404, body = crate::ErrorBody)))]
async fn show_experiment(
    State(app): State<App>,
    UrlPath(id): UrlPath<String>,
) -> ApiResult<Json<ExperimentAnswer>> {
    blocking(move || {
        let store = app.store();
        let detail = store.detail(&id)?;
        let columns = app.metrics().of_run(&detail.dir)?.columns;
        let metrics = RunMetrics::of(&columns).metrics;
        let first = metrics
            .iter()
            .filter_map(|metric| metric.first_step)
            .reduce(f64::min);
        let last = metrics
            .iter()
            .filter_map(|metric| metric.last_step)
            .reduce(f64::max);
        let names: Vec<&str> = metrics.iter().map(|metric| metric.name.as_str()).collect();
        Ok::<_, ApiError>(Json(ExperimentAnswer {
            experiment: experiment_of_0_4(&store, &detail.row),
            metrics_summary: json!({
                "total_data_points": Table::of(&columns).total(),
                "available_metrics": names,
                "step_range": [first, last],
            }),
            environment_available: detail.environment.is_some(),
            file_count: detail.files.len(),
        }))
    })
    .await
}

/// Runs to delete.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the body in the document")]
struct ExpIds {
    exp_ids: Vec<String>,
}

/// Puts up to a thousand runs into the recycle bin, for a 0.4 client.
#[utoipa::path(post, path = "/api/v2/experiments/batch-delete", tag = "older clients", request_body = ExpIds,
    responses((status = 200, body = Object), (status = 400, body = crate::ErrorBody)))]
async fn delete_experiments(
    State(app): State<App>,
    JsonObject(body): JsonObject,
) -> ApiResult<Json<Value>> {
    let started = Instant::now();
    let ids = experiment_ids(&body)?;
    let store = app.store();
    let (done, results) = blocking_ok(move || each(&ids, |id| delete_one(&store, id))).await?;
    let total = results.len();
    Ok(Json(json!({
        "deleted_count": done,
        "failed_count": total - done,
        "results": results,
        "message": format!("Soft deleted {done} of {total} experiments"),
        "query_time_ms": started.elapsed().as_secs_f64() * 1000.0,
    })))
}

/// `exp_ids` of a body: a list of texts, not empty, not too long.
fn experiment_ids(body: &Map<String, Value>) -> ApiResult<Vec<String>> {
    let ids = body.get("exp_ids").and_then(Value::as_array);
    let texts: Option<Vec<String>> = ids.filter(|ids| !ids.is_empty()).and_then(|ids| {
        ids.iter()
            .map(|id| id.as_str().map(str::to_owned))
            .collect()
    });
    let ids = texts.ok_or_else(|| {
        ApiError::bad_request(
            "EXP_IDS_REQUIRED",
            "exp_ids is required and must be a list of ids",
        )
    })?;
    if ids.len() > MAX_DELETED {
        return Err(ApiError::bad_request(
            "TOO_MANY_RUNS",
            format!("Cannot delete more than {MAX_DELETED} experiments at once"),
        ));
    }
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_project_and_a_name() {
        let check = |path: &str, expected: (&str, &str)| {
            assert_eq!(project_and_name(path), expected, "{path}");
        };
        check("cv/detection/yolo", ("cv", "detection/yolo"));
        check("default", ("default", "default"));
        check("", ("", "default"));
    }
}
