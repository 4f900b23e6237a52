//! Sample runs for somebody who has recorded none yet, in a root of ours that is shown in place of the chosen one.

use axum::Json;
use axum::extract::State;
use runicorn_experiments::make_sample_runs;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::run_list::Storage;
use crate::app::App;
use crate::blocking::blocking;
use crate::error::{ApiError, ApiResult};

/// The routes of this room.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show_samples, leave_samples))
}

/// Makes the sample runs, if they are not there, and shows them. The chosen root and the SDK's configuration stay as they are.
#[utoipa::path(post, path = "/api/samples", tag = "runs", responses((status = 200, body = Storage)))]
async fn show_samples(State(app): State<App>) -> ApiResult<Json<Storage>> {
    blocking(move || {
        app.show_samples(make_sample_runs(app.state_dir())?)?;
        Ok::<_, ApiError>(Json(Storage::of(&app)))
    })
    .await
}

/// Goes back to the chosen root.
#[utoipa::path(delete, path = "/api/samples", tag = "runs", responses((status = 200, body = Storage)))]
async fn leave_samples(State(app): State<App>) -> ApiResult<Json<Storage>> {
    blocking(move || {
        app.leave_samples()?;
        Ok::<_, ApiError>(Json(Storage::of(&app)))
    })
    .await
}
