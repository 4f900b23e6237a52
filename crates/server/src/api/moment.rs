//! From a place on the x axis of a chart to the time it was recorded at, and back: how a chart and a log point to each other.

use axum::Json;
use axum::extract::State;
use runicorn_experiments::StoreError;
use runicorn_experiments::metrics::{Axis, Moment, Near};
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::blocking::blocking;
use crate::error::ApiResult;
use crate::validate::{Fields, Params, Shape, UrlPath};

/// The routes of this room.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show_moment))
}

struct MomentParams {
    axis: Axis,
    metric: Option<String>,
    near: Near,
}

impl Shape for MomentParams {
    fn read(fields: &mut Fields<'_>) -> Self {
        let axis = Axis::parse(&fields.text_or("x", "step"));
        if axis.is_none() {
            fields.refuse("x", "no such axis");
        }
        let near = match (fields.optional_float("at"), fields.optional_float("time")) {
            (Some(x), None) => Some(Near::X(x)),
            (None, Some(time)) => Some(Near::Time(time)),
            _ => {
                fields.refuse("at", "either 'at' or 'time' should be given");
                None
            }
        };
        Self {
            axis: axis.unwrap_or(Axis::Step),
            metric: fields.optional_text("metric"),
            near: near.unwrap_or(Near::X(0.0)),
        }
    }
}

/// A recorded row.
#[derive(Serialize, utoipa::ToSchema)]
struct MomentAnswer {
    run: String,
    /// Its place on the axis; null when no row has both a place and a time.
    x: Option<f64>,
    /// Unix seconds.
    time: Option<f64>,
}

/// The recorded row nearest to a place on an axis or to a time: its place and its time. Of several the last.
#[utoipa::path(get, path = "/api/moment/{run_id}", tag = "metrics",
    params(("run_id" = String, Path),
        ("x" = Option<String>, Query, description = "The axis, as of `series`; default `step`"),
        ("metric" = Option<String>, Query, description = "Only rows with a number for it"),
        ("at" = Option<f64>, Query, description = "A place on the axis"),
        ("time" = Option<f64>, Query, description = "A time instead, in Unix seconds")),
    responses((status = 200, body = MomentAnswer), (status = 404, body = crate::ErrorBody)))]
async fn show_moment(
    State(app): State<App>,
    Params(params): Params<MomentParams>,
    UrlPath(run_id): UrlPath<String>,
) -> ApiResult<Json<MomentAnswer>> {
    blocking(move || {
        let run = app.store().find(&run_id)?;
        let columns = app.metrics().of_run(&run)?.columns;
        let metric = params.metric.as_deref();
        let found = Moment::find(&columns, metric, &params.axis, params.near);
        Ok::<_, StoreError>(Json(MomentAnswer {
            run: run_id,
            x: found.map(|found| found.x),
            time: found.map(|found| found.time),
        }))
    })
    .await
}
