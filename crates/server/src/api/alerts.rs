//! What a person wants to be told of, and what happened to the runs that they watch.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::alerts::{AlertEvent, AlertRules, EVENTS_KEPT, RunEvent};
use crate::app::App;
use crate::blocking::blocking;
use crate::error::{ApiError, ApiResult};
use crate::validate::{Fields, Params, Shape, Typed};

/// The routes of this room.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(show_rules, replace_rules))
        .routes(routes!(list_alerts))
        .routes(routes!(see_alerts))
}

/// Shows what to look for.
#[utoipa::path(get, path = "/api/alert-rules", tag = "alerts", responses((status = 200, body = AlertRules)))]
async fn show_rules(State(app): State<App>) -> Json<AlertRules> {
    Json(app.alerts().rules())
}

/// Replaces all rules. They are followed when the answer comes.
#[utoipa::path(put, path = "/api/alert-rules", tag = "alerts", request_body = AlertRules,
    responses((status = 200, body = AlertRules), (status = 422, body = crate::ErrorBody)))]
async fn replace_rules(
    State(app): State<App>,
    Typed(rules): Typed<AlertRules>,
) -> ApiResult<Json<AlertRules>> {
    blocking(move || {
        app.alerts().set_rules(rules)?;
        Ok::<_, ApiError>(Json(app.alerts().rules()))
    })
    .await
}

struct ListParams {
    after: i64,
    limit: i64,
}

impl Shape for ListParams {
    fn read(fields: &mut Fields<'_>) -> Self {
        let most = i64::try_from(EVENTS_KEPT).unwrap_or(i64::MAX);
        Self {
            after: fields.int_or("after", 0..=i64::MAX, 0),
            limit: fields.int_or("limit", 0..=most, most),
        }
    }
}

/// What happened to watched runs.
#[derive(Serialize, utoipa::ToSchema)]
struct AlertsAnswer {
    /// Newest first, at most 200.
    events: Vec<AlertAnswer>,
    /// Number of the newest event, whether it is listed or not.
    newest: u64,
    /// Events up to this number were looked at.
    seen: u64,
}

/// One event.
#[derive(Serialize, utoipa::ToSchema)]
struct AlertAnswer {
    id: u64,
    /// Unix seconds.
    at: f64,
    event: RunEvent,
    run: String,
    /// The run's alias, or its id.
    name: String,
    /// Folder of the run.
    path: String,
    /// Whether the run belongs to the storage root that is shown.
    here: bool,
    /// The word of the run's state, for an end.
    status: Option<String>,
    /// How long nothing was written, for a stall.
    silent_secs: Option<f64>,
    /// The first metrics that are NaN or infinite.
    metrics: Vec<String>,
}

impl AlertAnswer {
    fn of(event: AlertEvent, root: &str) -> Self {
        Self {
            id: event.id,
            at: event.at,
            event: event.told.event,
            run: event.run,
            name: event.name,
            path: event.path,
            here: event.root == root,
            status: event.told.status,
            silent_secs: event.told.silent_secs,
            metrics: event.told.metrics,
        }
    }
}

/// Lists what happened to watched runs.
#[utoipa::path(get, path = "/api/alerts", tag = "alerts",
    params(("after" = Option<u64>, Query, description = "Only events after this number"), ("limit" = Option<u64>, Query, description = "0 to 200")),
    responses((status = 200, body = AlertsAnswer)))]
async fn list_alerts(
    State(app): State<App>,
    Params(params): Params<ListParams>,
) -> Json<AlertsAnswer> {
    let found = app.alerts().events_after(params.after.unsigned_abs());
    let root = app.store().root().display().to_string();
    let limit = usize::try_from(params.limit).unwrap_or(EVENTS_KEPT);
    let events = found.listed.into_iter().take(limit);
    Json(AlertsAnswer {
        events: events.map(|event| AlertAnswer::of(event, &root)).collect(),
        newest: found.newest,
        seen: found.seen,
    })
}

/// Up to where.
#[derive(Deserialize, utoipa::ToSchema)]
struct SeenQuestion {
    up_to: u64,
}

/// Where a person has looked to.
#[derive(Serialize, utoipa::ToSchema)]
struct SeenAnswer {
    seen: u64,
}

/// Notes that a person has looked at all events up to a number.
#[utoipa::path(post, path = "/api/alerts/seen", tag = "alerts", request_body = SeenQuestion,
    responses((status = 200, body = SeenAnswer), (status = 422, body = crate::ErrorBody)))]
async fn see_alerts(
    State(app): State<App>,
    Typed(question): Typed<SeenQuestion>,
) -> ApiResult<Json<SeenAnswer>> {
    blocking(move || {
        app.alerts().see(question.up_to)?;
        let seen = app.alerts().events_after(u64::MAX).seen;
        Ok::<_, ApiError>(Json(SeenAnswer { seen }))
    })
    .await
}
